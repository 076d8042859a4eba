// JUnit XML as Jenkins, GitLab and GitHub's readers accept it (junit-10.xsd of the Jenkins xunit plugin): one testsuite a task,
// times in seconds to three decimals, characters that XML 1.0 forbids replaced. A task that failed without a failing case
// (did not load, timed out, lost) is a testcase of its own with an error, so that no reader shows it green.
import { create } from 'xmlbuilder2';
import { caseName, hasOwnFailure, type ReportTask, type RunReport } from './model.ts';

const seconds = (ms: number): string => (ms / 1000).toFixed(3);
// Built from a string: a literal with these characters would not be readable.
const forbidden = new RegExp('[^\\t\\n\\r\\u0020-\\uD7FF\\uE000-\\uFFFD\\u{10000}-\\u{10FFFF}]', 'gu');
const clean = (text: string): string => text.replace(forbidden, '\uFFFD');

/** The whole report as one XML document. */
export function toJUnit(report: RunReport): string {
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele('testsuites', { name: clean(report.run.name) });
  for (const task of report.tasks) addSuite(root, task);
  return root.end({ prettyPrint: true }) + '\n';
}

type Element = ReturnType<ReturnType<typeof create>['ele']>;

function addSuite(root: Element, entry: ReportTask): void {
  const { cases, final } = entry;
  const own = hasOwnFailure(entry);
  const failures = cases.filter(({ status }) => status === 'failed').length;
  const skipped = cases.filter(({ status }) => status === 'skipped' || status === 'todo').length;
  const label = clean(entry.label);
  const suite = root.ele('testsuite', {
    name: label,
    tests: cases.length + (own ? 1 : 0),
    failures,
    errors: own ? 1 : 0,
    skipped,
    time: seconds(final?.costMs ?? 0),
    ...(final?.startedAtMs === undefined ? {} : { timestamp: new Date(final.startedAtMs).toISOString().slice(0, 19) }),
    ...(final?.workerName ? { hostname: clean(final.workerName) } : {}),
  });
  addAttribution(suite, entry);
  for (const testCase of cases) {
    const element = suite.ele('testcase', {
      name: clean(caseName(testCase)),
      classname: label,
      time: seconds(testCase.durationMs),
    });
    if (testCase.status === 'failed') {
      const message = clean(testCase.failure?.message ?? 'failed without a message');
      element
        .ele('failure', { message: message.slice(0, 1_000) })
        .txt(clean(testCase.failure?.stack ?? testCase.failure?.message ?? message));
    } else if (testCase.status !== 'passed') element.ele('skipped');
  }
  if (own) addOwnFailure(suite, entry, label);
}

/** Properties, which readers of JUnit keep or leave alone; a reader that knows them finds the fault by its name. */
function addAttribution(suite: Element, { task }: ReportTask): void {
  const { diagnosis, variant } = task;
  if (diagnosis === undefined && variant === undefined) return;
  const properties = suite.ele('properties');
  const add = (name: string, value: string): void => {
    properties.ele('property', { name: `assay.${name}`, value: clean(value) });
  };
  if (variant !== undefined) add('variant', variant);
  if (diagnosis === undefined) return;
  add('fault', diagnosis.fault);
  add('confidence', diagnosis.confidence);
  add('why', diagnosis.summary);
  add('attempts', diagnosis.attempts.join(' '));
}

function addOwnFailure(suite: Element, { verdict, final }: ReportTask, label: string): void {
  const code = final?.failure?.code ?? verdict ?? 'unknown';
  const message = clean(final?.failure?.message ?? `The task ended as ${verdict}.`);
  suite
    .ele('testcase', { name: label, classname: label, time: seconds(final?.costMs ?? 0) })
    .ele('error', { type: code, message: message.slice(0, 1_000) })
    .txt(message);
}
