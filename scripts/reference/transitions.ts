// State diagrams from the transition tables that the engine itself follows, as Mermaid with a table beside each.
import {
  attemptTransitions,
  breakerTransitions,
  conditionTransitions,
  runTransitions,
  taskTransitions,
  workerTransitions,
} from '@assay/core';

type Table = Readonly<Record<string, Readonly<Record<string, string>>>>;

const tables: readonly [string, Table][] = [
  ['run', runTransitions],
  ['task', taskTransitions],
  ['attempt', attemptTransitions],
  ['worker', workerTransitions],
  ['circuit', breakerTransitions],
  ['condition', conditionTransitions],
];

/** One diagram and one table for each life cycle. `end` is where the thing leaves the engine. */
export function transitionDiagrams(): string {
  return tables.map(([name, table]) => section(name, table)).join('\n');
}

function section(name: string, table: Table): string {
  const arrows = Object.entries(table).flatMap(([from, events]) =>
    [...byTarget(events)].map(([to, names]) => `  ${from} --> ${to === 'end' ? '[*]' : to}: ${names.join(', ')}`),
  );
  const rows = Object.entries(table).flatMap(([from, events]) =>
    Object.entries(events).map(([event, to]) => `| ${from} | \`${event}\` | ${to} |`),
  );
  const diagram = ['```mermaid', 'stateDiagram-v2', `  [*] --> ${Object.keys(table)[0]}`, ...arrows, '```'];
  return [`## ${name}`, '', ...diagram, '', '| state | event | next |', '|---|---|---|', ...rows, ''].join('\n');
}

function byTarget(events: Readonly<Record<string, string>>): Map<string, string[]> {
  const targets = new Map<string, string[]>();
  for (const [event, to] of Object.entries(events)) targets.set(to, [...(targets.get(to) ?? []), event]);
  return targets;
}
