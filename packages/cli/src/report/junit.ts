// JUnit XML as Jenkins, GitLab and GitHub's readers accept it (junit-10.xsd of the Jenkins xunit plugin): one testsuite a task,
// times in seconds to three decimals, characters that XML 1.0 forbids replaced. A task that failed without a failing case
// (did not load, timed out, lost) is a testcase of its own with an error, so that no reader shows it green.
import { create } from 'xmlbuilder2';
import type { Case } from '@assay/protocol';
import { caseName, hasOwnFailure, type ReportTask, type RunReport } from './model.ts';
import { failingCases, historyOf, historyText, mutedBy, quarantineText } from './standing.ts';

const seconds = (ms: number): string => (ms / 1000).toFixed(3);
// Built from a string: a literal with these characters would not be readable.
const forbidden = new RegExp('[^\\t\\n\\r\\u0020-\\uD7FF\\uE000-\\uFFFD\\u{10000}-\\u{10FFFF}]', 'gu');
const clean = (text: string): string => text.replace(forbidden, '\uFFFD');

/** The whole report as one XML document. */
export function toJUnit(report: RunReport): string {
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele('testsuites', { name: clean(report.run.name) });
  for (const task of report.tasks) addSuite(root, report, task);
  return root.end({ prettyPrint: true }) + '\n';
}

const isSkipped = ({ status }: Case): boolean => status === 'skipped' || status === 'todo';

type Element = ReturnType<ReturnType<typeof create>['ele']>;

function addSuite(root: Element, report: RunReport, entry: ReportTask): void {
  const { cases, final } = entry;
  const own = hasOwnFailure(entry);
  const failures = failingCases(entry).length;
  // What is in quarantine does not count: a reader that knows only passed, failed and skipped is told that it was skipped, and why.
  const skipped = cases.filter((one) => isSkipped(one) || mutedBy(entry, one) !== null).length;
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
  addProperties(suite, report, entry);
  for (const testCase of cases) {
    const element = suite.ele('testcase', {
      name: clean(caseName(testCase)),
      classname: label,
      time: seconds(testCase.durationMs),
    });
    const note = mutedBy(entry, testCase);
    if (note !== null) element.ele('skipped', { message: clean(`in quarantine: ${quarantineText(note)}`) });
    else if (testCase.status === 'failed') {
      const message = clean(testCase.failure?.message ?? 'failed without a message');
      element
        .ele('failure', { message: message.slice(0, 1_000) })
        .txt(clean(testCase.failure?.stack ?? testCase.failure?.message ?? message));
    } else if (testCase.status !== 'passed') element.ele('skipped');
  }
  if (own) addOwnFailure(suite, entry, label);
}

/** Properties, which readers of JUnit keep or leave alone; a reader that knows them finds the fault by its name. */
function addProperties(suite: Element, report: RunReport, entry: ReportTask): void {
  const { diagnosis, variant, quarantined = [] } = entry.task;
  const histories = failingCases(entry).flatMap((one) => {
    const known = historyOf(report, entry, one);
    return known === null ? [] : [{ name: caseName(one), text: historyText(known) }];
  });
  if (diagnosis === undefined && variant === undefined && histories.length + quarantined.length === 0) return;
  const properties = suite.ele('properties');
  const add = (name: string, value: string): void => {
    properties.ele('property', { name: clean(`assay.${name}`), value: clean(value) });
  };
  if (variant !== undefined) add('variant', variant);
  for (const { name, text } of histories) add(`failure ${name}`, text);
  for (const note of quarantined) add(`quarantine ${note.path.join(' > ')}`.trim(), quarantineText(note));
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
