import { expect, test } from 'vitest';
import { AssertionError } from '../kernel/assert.ts';
import { attemptTransitions } from './attempt.ts';
import { runTransitions } from './run.ts';
import { taskTransitions } from './task.ts';
import { after, mustLead } from './transition.ts';
import type { TransitionTable } from './transition.ts';
import { workerTransitions } from './worker.ts';

const tables: [string, TransitionTable<string>, string][] = [
  ['run', runTransitions, 'open'],
  ['task', taskTransitions, 'queued'],
  ['attempt', attemptTransitions, 'assigned'],
  ['worker', workerTransitions, 'connected'],
];

test.each(tables)('every state of a %s is reached, and each leads to the end', (_name, table, first) => {
  const reached = new Set([first]);
  for (const state of reached) for (const next of Object.values(table[state] ?? {})) reached.add(next);
  expect([...reached].sort()).toEqual([...Object.keys(table), 'end'].sort());
  for (const state of Object.keys(table)) {
    const from = new Set([state]);
    for (const one of from) for (const next of Object.values(table[one] ?? {})) from.add(next);
    expect(from, `${state} can be left`).toContain('end');
  }
});

test.each(tables)('an event that a state of a %s does not have is a bug and throws', (name, table) => {
  const events = new Set(Object.values(table).flatMap((row) => Object.keys(row)));
  for (const [state, row] of Object.entries(table)) {
    for (const event of [...events, 'unheardOf']) {
      if (row[event] === undefined) expect(() => after(table, name, state, event)).toThrow(AssertionError);
      else expect(after(table, name, state, event)).toBe(row[event]);
    }
  }
});

test('a step to another state than the table names is a bug and throws', () => {
  expect(() => mustLead(runTransitions, 'run', 'sealed', 'runSettled', 'end')).toThrow(
    'run: runSettled in state sealed leads to settled, not to end',
  );
});
