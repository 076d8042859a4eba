// The end of a run on the terminal: what failed and where first, then one block of figures. Reads top to bottom as an answer:
// what failed, why, what to do next.
import { stripVTControlCharacters } from 'node:util';
import { errorCatalogue, type Case, type KnownFailure, verdicts } from '@assay/protocol';
import { faultCounts, faultText, troubledTasks } from '../report/attribution.ts';
import { caseName, hasOwnFailure, type ReportTask, type RunReport } from '../report/model.ts';
import {
  failingCases,
  historyCounts,
  historyOf,
  historyText,
  quarantinedOf,
  quarantineText,
} from '../report/standing.ts';
import { duration, indent, type Paint, plural } from './style.ts';

const failuresShown = 50;
const linesShown = 12;
const faultsShown = 20;
const controls = new RegExp('[\\u0000-\\u0008\\u000b-\\u001f\\u007f]', 'g');

/** The whole summary, ending in a newline. */
export function renderSummary(report: RunReport, paint: Paint): string {
  const lines = [
    ...renderFailures(report, paint),
    ...renderFaults(report, paint),
    ...renderQuarantined(report, paint),
    ...renderUnplaceable(report, paint),
    '',
    ...renderFigures(report, paint),
  ];
  return lines.join('\n') + '\n';
}

/** One failing case with what it said, and whether it failed so before. */
function renderFailure(where: string, testCase: Case, known: KnownFailure | null, paint: Paint): string {
  const text = ownFrames(testCase.failure?.stack ?? testCase.failure?.message ?? 'failed without a message');
  const past =
    known === null ? '' : `\n    ${paint(known.seen === 'new' ? 'yellow' : 'dim', plain(historyText(known)))}`;
  return `${paint('red', '✗')} ${plain(where)} ${paint('dim', '›')} ${plain(caseName(testCase))}${past}\n${indent(paint('dim', firstLines(text)), '    ')}`;
}

/** A stack without the frames of the runner and of Node: what is left is the project's own. The whole is in the report files. */
function ownFrames(stack: string): string {
  const lines = stack.split('\n');
  const own = lines.filter((line) => !/^\s+at /.test(line) || !/node_modules|node:|<anonymous>/.test(line));
  return own.some((line) => /^\s+at /.test(line)) ? own.join('\n') : stack;
}

/** The first lines of what a test said, without control characters: a test cannot steer the terminal. */
function firstLines(text: string): string {
  const lines = stripVTControlCharacters(text).replace(controls, '').trimEnd().split('\n');
  return lines.length <= linesShown
    ? lines.join('\n')
    : [...lines.slice(0, linesShown), `… ${lines.length - linesShown} more lines`].join('\n');
}

function renderFailures(report: RunReport, paint: Paint): string[] {
  const out: string[] = [];
  let left = 0;
  for (const task of report.tasks) {
    for (const text of failuresOf(report, task, paint)) {
      if (out.length < failuresShown) out.push('', text);
      else left++;
    }
  }
  if (left > 0)
    out.push(
      '',
      paint('yellow', `… and ${plural(left, 'more failure')}: assay report ${report.run.run} --markdown report.md`),
    );
  return out;
}

function failuresOf(report: RunReport, entry: ReportTask, paint: Paint): string[] {
  const label = plain(entry.label);
  const failing = failingCases(entry).map((testCase) =>
    renderFailure(label, testCase, historyOf(report, entry, testCase), paint),
  );
  if (!hasOwnFailure(entry) || entry.verdict === 'canceled') return failing;
  const failure = entry.final?.failure;
  const code = failure?.code ?? entry.verdict ?? 'unknown';
  const known = (errorCatalogue as Record<string, { next: string } | undefined>)[code];
  const where = entry.final?.workerName ? paint('dim', ` on ${entry.final.workerName}`) : '';
  const head = `${paint('red', '✗')} ${label} ${paint('dim', '›')} ${paint('bold', code)} (${failure?.class ?? entry.verdict})${where}`;
  const body = indent(paint('dim', firstLines(failure?.message ?? `The task ended as ${entry.verdict}.`)), '    ');
  return [...failing, known ? `${head}\n${body}\n    ${known.next}` : `${head}\n${body}`];
}

/** Whose fault the trouble was, where a failing test's own message does not say it all. */
function renderFaults(report: RunReport, paint: Paint): string[] {
  const troubled = troubledTasks(report);
  if (troubled.length === 0) return [];
  const lines = troubled
    .slice(0, faultsShown)
    .flatMap(({ label, verdict, diagnosis }) => [
      `  ${paint(verdict === 'passed' ? 'yellow' : 'red', verdict === 'passed' ? '↻' : '✗')} ${plain(label)} ${paint('dim', '›')} ${paint('bold', plain(faultText(diagnosis)))}`,
      `      ${paint('dim', plain(diagnosis.summary))}`,
    ]);
  const rest = troubled.length - faultsShown;
  return [
    '',
    'Whose fault it was',
    ...lines,
    ...(rest > 0 ? [paint('yellow', `  … and ${plural(rest, 'more file')}`)] : []),
  ];
}

/** What did not count, and on whose word. */
function renderQuarantined(report: RunReport, paint: Paint): string[] {
  const all = quarantinedOf(report);
  if (all.length === 0) return [];
  const lines = all
    .slice(0, faultsShown)
    .map(({ name, note }) => `  ${paint('yellow', '⊘')} ${plain(name)} ${paint('dim', plain(quarantineText(note)))}`);
  const rest = all.length - faultsShown;
  return [
    '',
    'In quarantine: not counted',
    ...lines,
    ...(rest > 0 ? [paint('yellow', `  … and ${plural(rest, 'more test')}`)] : []),
  ];
}

function plain(text: string): string {
  return stripVTControlCharacters(text).replace(controls, '').replaceAll('\n', ' ');
}

function renderUnplaceable({ run }: RunReport, paint: Paint): string[] {
  return run.unplaceable.flatMap(({ requires, tasks, reasons }) => [
    '',
    `${paint('yellow', '!')} ${plural(tasks, 'task')} that no worker can do${requires === '' ? '' : `: ${requires}`}`,
    ...reasons.map(({ reason, workers }) =>
      workers === 0 ? `    ${reason}` : `    ${plural(workers, 'worker')}: ${reason}`,
    ),
  ]);
}

function renderFigures(report: RunReport, paint: Paint): string[] {
  const { run, cases, tasks, durationMs, workers } = report;
  const verdict = run.verdict ?? 'not settled';
  const colour = verdict === 'passed' ? 'green' : verdict === 'failed' ? 'red' : 'yellow';
  // A duplicate of what was late is no repetition.
  const isTry = ({ failure }: { failure?: { code: string } | null | undefined }): boolean => failure?.code !== 'HEDGED';
  const retried = tasks.filter(({ task }) => task.attempts.filter(isTry).length > 1).length;
  const faults = faultCounts(troubledTasks(report));
  const busyMs = tasks.reduce((sum, { final }) => sum + (final?.costMs ?? 0), 0);
  return [
    `${paint(['bold', colour], verdict.toUpperCase())}  ${plain(run.name)}  ${paint('dim', run.run)}`,
    `  files   ${counted(verdicts.map((name) => [name, run.tasks.verdicts[name]]))}${retried > 0 ? `, ${retried} repeated` : ''}`,
    `  cases   ${counted(Object.entries(cases))}${standingOf(report)}`,
    ...(faults.length === 0 ? [] : [`  faults  ${counted(faults)}`]),
    ...hallmarkLines(report),
    `  time    ${durationMs === null ? 'not finished' : duration(durationMs)} on ${plural(workers.size, 'worker')}, ${duration(busyMs)} of work`,
  ];
}

/** "; failures: 1 new, 2 known; 3 in quarantine". */
function standingOf(report: RunReport): string {
  const counts = historyCounts(report);
  const isKnown = counts !== null && counts.new + counts.known > 0;
  const past = isKnown ? `; failures: ${counts.new} new, ${counts.known} known` : '';
  const aside = quarantinedOf(report).length;
  return aside === 0 ? past : `${past}; ${aside} in quarantine`;
}

/** What browser tests ran on, with how many files each. */
function hallmarkLines({ tasks }: RunReport): string[] {
  const counts = new Map<string, number>();
  for (const { hallmark } of tasks) if (hallmark !== null) counts.set(hallmark, (counts.get(hallmark) ?? 0) + 1);
  const lines = [...counts].slice(0, 20).map(([line, files]) => `${plain(line)}: ${plural(files, 'file')}`);
  return lines.map((line, at) => `  ${at === 0 ? 'ran on' : '      '}  ${line}`);
}

function counted(entries: [string, number | undefined][]): string {
  const parts = entries
    .filter(([, count]) => (count ?? 0) > 0)
    .map(([name, count]) => `${(count ?? 0).toLocaleString('en-US')} ${name}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}
