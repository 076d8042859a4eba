import { expect, test } from 'vitest';
import type { RunId, TaskId } from '@assay/protocol';
import { emptyState } from './evolve.ts';
import { findTask } from './lookup.ts';
import type { RunRecord, TaskRecord } from './state.ts';

test('a task is found by its id, and by no other way to write it', () => {
  const state = emptyState();
  const tasks = Array.from({ length: 12 }, (_, index) => ({ index }) as TaskRecord);
  // Of a run, finding looks at its id and its tasks alone.
  state.runs.set('r-a.b' as RunId, { run: 'r-a.b' as RunId, tasks } as unknown as RunRecord);
  expect(findTask(state, 'r-a.b.0' as TaskId)?.task.index).toBe(0);
  expect(findTask(state, 'r-a.b.11' as TaskId)?.task.index).toBe(11);
  for (const wrong of ['12', '01', '00', '', '-1', '1e0', '1.0', '0x1', ' 1', '1 ', '9'.repeat(16), '\u0661'])
    expect([wrong, findTask(state, `r-a.b.${wrong}` as TaskId)]).toEqual([wrong, null]);
  for (const wrong of ['r-a.1', 'r-a.b', 'r-a.b1', '', '.', 'r-x.1'])
    expect([wrong, findTask(state, wrong as TaskId)]).toEqual([wrong, null]);
});
