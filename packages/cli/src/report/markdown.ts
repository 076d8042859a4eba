// The report as Markdown for a pull request or a build page: verdict, figures, what failed and where, slowest files, workers.
// Text from tests is fenced or escaped, so that a test's message cannot change the page.
import { faultText, troubledTasks } from './attribution.ts';
import { caseName, hasOwnFailure, type ReportTask, type RunReport } from './model.ts';
import { duration, plural } from '../render/style.ts';
import { failingCases, historyCounts, historyOf, historyText, quarantinedOf, quarantineText } from './standing.ts';

const failuresShown = 100;
const slowestShown = 10;

export function toMarkdown(report: RunReport): string {
  const { run, durationMs } = report;
  const sections = [
    `# ${inline(run.name)}: ${run.verdict ?? 'not settled'}`,
    `Run \`${run.run}\`, submitted ${new Date(run.submittedAtMs).toISOString()}, ${durationMs === null ? 'not finished' : `took ${duration(durationMs)}`} on ${plural(report.workers.size, 'worker')}.`,
    figures(report),
    failures(report),
    quarantined(report),
    attribution(report),
    unplaceable(report),
    slowest(report),
    workersTable(report),
  ];
  return sections.filter((section) => section !== '').join('\n\n') + '\n';
}

function figures({ run, cases }: RunReport): string {
  const row = (name: string, counts: Record<string, number | undefined>): string =>
    `| ${name} | ${['passed', 'failed', 'skipped', 'todo', 'errored', 'timedOut', 'inconclusive', 'lost', 'canceled'].map((key) => counts[key] ?? 0).join(' | ')} |`;
  return [
    '| | passed | failed | skipped | todo | errored | timed out | inconclusive | lost | canceled |',
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|',
    row('files', run.tasks.verdicts),
    row('cases', cases),
  ].join('\n');
}

function failures(report: RunReport): string {
  const all = report.tasks.flatMap((entry) => failuresOf(report, entry));
  if (all.length === 0) return '';
  const shown = all.slice(0, failuresShown);
  const rest = all.length - shown.length;
  return [
    `## What failed (${all.length}${standing(report)})`,
    ...shown,
    ...(rest > 0 ? [`… and ${plural(rest, 'more failure')}.`] : []),
  ].join('\n\n');
}

/** ", 1 new, 2 known". */
function standing(report: RunReport): string {
  const counts = historyCounts(report);
  return counts === null || counts.new + counts.known === 0 ? '' : `, ${counts.new} new, ${counts.known} known`;
}

function quarantined(report: RunReport): string {
  const all = quarantinedOf(report);
  if (all.length === 0) return '';
  const rows = all
    .slice(0, failuresShown)
    .map(({ name, note }) => `| ${cell(name)} | ${cell(quarantineText(note))} | \`${note.quarantine}\` |`);
  const rest = all.length - rows.length;
  return [
    `## In quarantine: not counted (${all.length})`,
    '',
    '| test | why | quarantine |',
    '|---|---|---|',
    ...rows,
    ...(rest > 0 ? ['', `… and ${plural(rest, 'more test')}.`] : []),
  ].join('\n');
}

function failuresOf(report: RunReport, entry: ReportTask): string[] {
  const label = entry.label;
  const where = entry.final?.workerName ? ` (on ${inline(entry.final.workerName)})` : '';
  const failing = failingCases(entry).map((testCase) => {
    const known = historyOf(report, entry, testCase);
    const past = known === null ? '' : `${inline(historyText(known))}\n\n`;
    return `### ${inline(label)} › ${inline(caseName(testCase))}${where}\n\n${past}${fence(testCase.failure?.stack ?? testCase.failure?.message ?? 'failed without a message')}`;
  });
  if (!hasOwnFailure(entry)) return failing;
  const failure = entry.final?.failure;
  return [
    ...failing,
    `### ${inline(label)} › ${failure?.code ?? entry.verdict}${where}\n\n${fence(failure?.message ?? `The task ended as ${entry.verdict}.`)}`,
  ];
}

function attribution(report: RunReport): string {
  const troubled = troubledTasks(report);
  if (troubled.length === 0) return '';
  const rows = troubled
    .slice(0, failuresShown)
    .map(
      ({ label, verdict, diagnosis }) =>
        `| ${cell(label)} | ${verdict ?? 'not settled'} | ${cell(faultText(diagnosis))} | ${cell(diagnosis.summary)} |`,
    );
  const rest = troubled.length - rows.length;
  return [
    `## Whose fault it was (${troubled.length})`,
    '',
    '| file | verdict | fault | why |',
    '|---|---|---|---|',
    ...rows,
    ...(rest > 0 ? ['', `… and ${plural(rest, 'more file')}.`] : []),
  ].join('\n');
}

function unplaceable({ run }: RunReport): string {
  if (run.unplaceable.length === 0) return '';
  const rows = run.unplaceable.flatMap(({ requires, tasks, reasons }) =>
    reasons.map(({ reason, workers }) => `| ${cell(requires)} | ${tasks} | ${cell(reason)} | ${workers} |`),
  );
  return [
    '## Work that no worker can do',
    '',
    '| requirement | tasks | reason | workers |',
    '|---|--:|---|--:|',
    ...rows,
  ].join('\n');
}

function slowest({ tasks }: RunReport): string {
  const timed = tasks
    .filter(({ final }) => final?.costMs !== undefined)
    .toSorted((a, b) => (b.final?.costMs ?? 0) - (a.final?.costMs ?? 0));
  if (timed.length === 0) return '';
  const rows = timed
    .slice(0, slowestShown)
    .map(
      ({ label, final }) => `| ${cell(label)} | ${duration(final?.costMs ?? 0)} | ${cell(final?.workerName ?? '')} |`,
    );
  return ['## Slowest files', '', '| file | cost | worker |', '|---|--:|---|', ...rows].join('\n');
}

function workersTable({ workers, tasks }: RunReport): string {
  if (workers.size === 0) return '';
  const rows = [...workers].map(([id, name]) => {
    const own = tasks.filter(({ final }) => final?.worker === id);
    const busyMs = own.reduce((sum, { final }) => sum + (final?.costMs ?? 0), 0);
    return `| ${cell(name)} | \`${id}\` | ${own.length} | ${duration(busyMs)} |`;
  });
  return ['## Workers', '', '| worker | id | files | work |', '|---|---|--:|--:|', ...rows].join('\n');
}

export const inline = (text: string): string => text.replace(/[\\`*_{}[\]<>#|!]/g, '\\$&').replace(/\s+/g, ' ');
export const cell = (text: string): string => inline(text);

/** A code block whose fence is longer than any run of backticks in the text. */
export function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const ticks = '`'.repeat(longest + 1);
  return `${ticks}text\n${text.trimEnd()}\n${ticks}`;
}
