// report.md: a drill for people. Every line is read from the metrics; what was not evaluated or not covered has its own place.
import { allFaults } from '../faults/registry.ts';
import type { DrillMetrics } from './metrics.ts';

const marks = { held: 'held', broken: '**BROKEN**', notEvaluated: '*not evaluated*' } as const;
const verdicts = {
  held: 'Every check held.',
  broken: 'At least one check is broken.',
  inconclusive: 'Nothing is broken, but something that was to be checked could not be.',
} as const;

export function markdownOf(metrics: DrillMetrics, command: string): string {
  return [
    '# Drill report',
    '',
    `**${metrics.verdict.toUpperCase()}**: ${verdicts[metrics.verdict]}`,
    '',
    ...section('Configuration', configuration(metrics, command)),
    ...section('Checks', checks(metrics)),
    ...section('Faults', faults(metrics)),
    ...section('Circuits', circuits(metrics)),
    ...section('Recovery', recovery(metrics)),
    ...section('Not covered', notCovered(metrics)),
  ].join('\n');
}

const section = (title: string, lines: readonly string[]): string[] => [`## ${title}`, '', ...lines, ''];

/** A pipe or a line break would end the cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  row(...head),
  `|${head.map(() => '---|').join('')}`,
  ...rows.map((cells) => row(...cells)),
];
const ms = (value: number | null): string => (value === null ? '' : `${Math.round(value)} ms`);
const at = (atMs: number | null, { startedAtMs }: DrillMetrics): string =>
  atMs === null ? '' : `${((atMs - startedAtMs) / 1_000).toFixed(1)} s`;

function configuration(metrics: DrillMetrics, command: string): string[] {
  const { plan, tasks } = metrics;
  const settled = Object.entries(tasks.verdicts).map(([verdict, count]) => `${count} ${verdict}`);
  return [
    `- Seed ${plan.seed}, ${plan.workers.length} workers, ${plan.tasks} ordinary tasks and what the faults brought: ${tasks.total} tasks in all`,
    `- Started ${new Date(metrics.startedAtMs).toISOString()}, took ${at(metrics.endedAtMs, metrics)}`,
    `- Tasks: ${settled.join(', ') || 'none settled'}; ${tasks.attempts} attempts, ${tasks.lostAttempts} of them lost`,
    ...plan.notes.map((note) => `- ${note}`),
    `- To repeat it: \`${command}\``,
  ];
}

function checks({ checks: results }: DrillMetrics): string[] {
  return table(
    ['check', 'result', 'found', 'evidence'],
    results.map(({ title, state, detail, evidence }) => [title, marks[state], detail, shortly(evidence)]),
  );
}

const evidenceShown = 6;
const shortly = (list: readonly string[]): string =>
  list.length > evidenceShown
    ? `${list.slice(0, evidenceShown).join(', ')} and ${list.length - evidenceShown} more (metrics.json)`
    : list.join(', ');

function faults(metrics: DrillMetrics): string[] {
  return table(
    ['', 'fault', 'of', 'at', 'proof that it happened', 'proof that it was taken back', 'trouble'],
    metrics.faults.map(({ step, fault, worker, injectedAtMs, injected, undone, troubles }) => [
      String(step),
      fault,
      worker ?? '',
      at(injectedAtMs, metrics),
      injected === null ? '**not injected**' : `${injected.source}: ${injected.saw}`,
      undone === null ? '**none**' : `${undone.source}: ${undone.saw}`,
      troubles.join('; '),
    ]),
  );
}

function circuits(metrics: DrillMetrics): string[] {
  if (metrics.circuits.length === 0) return ['No circuit moved.'];
  return table(
    ['seq', 'at', 'circuit', 'from', 'to', 'cause'],
    metrics.circuits.map(({ seq, atMs, circuit, from, to, cause }) => [
      String(seq),
      at(atMs, metrics),
      circuit,
      from,
      to,
      cause,
    ]),
  );
}

function recovery({ recovery: times }: DrillMetrics): string[] {
  const spread = (name: string, value: DrillMetrics['recovery']['detectionMs']): string[] => [
    name,
    ms(value?.p50 ?? null),
    ms(value?.p95 ?? null),
    ms(value?.worst ?? null),
  ];
  return [
    ...table(
      ['', 'fault', 'detected after', 'work given elsewhere after', 'back after'],
      times.byFault.map(({ step, fault, detectionMs, reassignmentMs, returnMs }) => [
        String(step),
        fault,
        ms(detectionMs),
        ms(reassignmentMs),
        ms(returnMs),
      ]),
    ),
    '',
    'Detection counts from the making of the fault, the other two from the detection. An empty cell: the fault has no such moment.',
    '',
    ...table(
      ['', 'p50', 'p95', 'worst'],
      [
        spread('detection', times.detectionMs),
        spread('reassignment', times.reassignmentMs),
        spread('return', times.returnMs),
      ],
    ),
  ];
}

function notCovered({ faults: done, plan, checks: results }: DrillMetrics): string[] {
  const injected = new Set(done.flatMap(({ fault, injected: shown }) => (shown === null ? [] : [fault])));
  const never = allFaults.map(({ id }) => id).filter((id) => !injected.has(id));
  return [
    `- Faults that were not made in this drill: ${never.join(', ') || 'none'}`,
    ...plan.notHere.map(({ fault, why }) => `- ${fault} cannot be done here: ${why}`),
    ...results
      .filter(({ state }) => state === 'notEvaluated')
      .map(({ title, detail }) => `- Not evaluated: ${title}: ${detail}`),
  ];
}
