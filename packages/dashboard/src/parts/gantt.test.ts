// The bars of a run's timeline: whose slot was whose, what ran at once, and what bounds the run.
import { expect, test } from 'vitest';
import type { TaskView } from '@assay/protocol';
import { ganttRows } from './gantt.ts';

const task = (number: number, attempt: object): TaskView =>
  ({
    task: `r-1.${number}`,
    run: 'r-1',
    suite: 'unit',
    target: `${number}.test.ts`,
    requires: '',
    state: 'settled',
    attempts: [{ attempt: 1, worker: 'w-a', workerName: 'a', blobs: [], assignedAtMs: 0, ...attempt }],
  }) as unknown as TaskView;

test('what came in one batch waits only from the end of what ran before it', () => {
  const rows = ganttRows([
    task(0, { startedAtMs: 10, settledAtMs: 30, verdict: 'passed' }),
    task(1, { startedAtMs: 32, settledAtMs: 50, verdict: 'passed' }),
  ]);
  expect(rows.map(({ lane, waitMs, startMs, endMs }) => [lane, waitMs, startMs, endMs])).toEqual([
    ['a', 0, 10, 30],
    ['a', 30, 32, 50],
  ]);
});

test('what runs at once on one worker is drawn in lanes of its own', () => {
  const rows = ganttRows([
    task(0, { startedAtMs: 10, settledAtMs: 30, verdict: 'passed' }),
    task(1, { startedAtMs: 20, settledAtMs: 40, verdict: 'failed' }),
    task(2, { startedAtMs: 30, settledAtMs: 35, verdict: 'passed' }),
  ]);
  expect(rows.map(({ lane }) => lane)).toEqual(['a', 'a (2)', 'a']);
});

test('the path that bounds the run goes back from what ended last, along its lane', () => {
  const rows = ganttRows([
    task(0, { startedAtMs: 10, settledAtMs: 30 }),
    task(1, { startedAtMs: 31, settledAtMs: 90 }),
    task(2, { startedAtMs: 5, settledAtMs: 60, worker: 'w-b', workerName: 'b' }),
  ]);
  expect(rows.map(({ isCritical }) => isCritical)).toEqual([true, true, false]);
});

test('an attempt that no worker ever had has no bar, and one that runs ends now', () => {
  const rows = ganttRows([task(0, { worker: null }), task(1, { startedAtMs: 10 })], 77);
  expect(rows.map(({ target, endMs, verdict }) => [target, endMs, verdict])).toEqual([['1.test.ts', 77, 'running']]);
});
