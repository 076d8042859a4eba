import type { RunId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { kinds, Lab, only, suiteOf, tasksOf } from '../../testing/lab.ts';
import { viewRun } from '../views.ts';

const again = { run: 'r-9' as RunId, idempotencyKey: 'key-1' };

test('the same submission again is the same run, even after that run has left', () => {
  const lab = new Lab();
  lab.submit(tasksOf(2));
  lab.submit(tasksOf(2), {}, again);
  expect(lab.reply).toEqual({ kind: 'runAccepted', run: 'r-1', tasks: 2, isRepeat: true });
  lab.step({ kind: 'cancelRun', run: 'r-1' as RunId, actor: 'ada', reason: '' });
  lab.step({ kind: 'resultsAcknowledged', seq: lab.engine.state.seq });
  expect(lab.engine.state.runs.size).toBe(0);
  lab.submit(tasksOf(2), {}, again);
  expect(lab.reply).toEqual({ kind: 'runAccepted', run: 'r-1', tasks: 2, isRepeat: true });
});

test('keys of runs that left are remembered up to a bound', () => {
  const lab = new Lab({ retiredKeysMax: 10 });
  for (let number = 0; number < 12; number += 1) lab.submit([], {}, { sealed: true });
  lab.step({ kind: 'resultsAcknowledged', seq: lab.engine.state.seq });
  expect(lab.engine.state.retired.size).toBe(9);
  lab.submit([], {}, again);
  expect(lab.reply).toMatchObject({ run: 'r-9', isRepeat: false });
});

test("another submitter's key is another key", () => {
  const lab = new Lab();
  lab.submit(tasksOf(1));
  lab.submit(tasksOf(1), {}, { ...again, submitter: 'bob' });
  expect(lab.reply).toMatchObject({ kind: 'runAccepted', run: 'r-9', isRepeat: false });
});

const refusals: [string, Parameters<Lab['submit']>, string][] = [
  ['a used key with other content', [tasksOf(1), {}, { ...again, contentDigest: 'other' }], 'IDEMPOTENCY_MISMATCH'],
  ['an id that exists', [tasksOf(1), {}, { run: 'r-1' as RunId }], 'CONFLICT'],
  [
    'a requirement that cannot be read',
    [tasksOf(1), { suites: [suiteOf({ requires: 'cpu.count >' })] }],
    'BAD_REQUIREMENT',
  ],
  ['a task of a suite that is not there', [tasksOf(1, 3)], 'BAD_REQUEST'],
  ['too many suites', [[], { suites: Array.from({ length: 501 }, () => suiteOf()) }], 'BAD_REQUEST'],
];
test.each(refusals)('%s is refused and changes nothing', (_what, submission, code) => {
  const lab = new Lab();
  lab.submit(tasksOf(1));
  const before = lab.journal.length;
  lab.submit(...submission);
  expect(lab.reply).toMatchObject({ kind: 'refused', code });
  expect(lab.journal).toHaveLength(before);
});

test('a sealed run without tasks settles at once, and nothing ran is not a pass', () => {
  const lab = new Lab();
  const run = lab.submit([]);
  expect(kinds(lab.journal.at(-1)?.events ?? [])).toEqual(['runSubmitted', 'tasksQueued', 'runSettled']);
  expect(viewRun(lab.engine.state, run)).toMatchObject({ state: 'settled', verdict: 'inconclusive' });
});

test('chunks are taken in order and once, until the run is sealed', () => {
  const lab = new Lab();
  const run = lab.submit(tasksOf(2), {}, { sealed: false });
  const add = (chunk: number, sealed: boolean) => lab.step({ kind: 'addTasks', run, chunk, tasks: tasksOf(3), sealed });
  add(2, false);
  expect(lab.reply).toMatchObject({ kind: 'refused', code: 'CONFLICT' });
  expect(only(add(1, false), 'tasksQueued')).toMatchObject([{ chunk: 1, first: 2 }]);
  expect(add(1, false)).toEqual([]);
  expect(lab.reply).toMatchObject({ kind: 'runAccepted', tasks: 5, isRepeat: true });
  add(2, true);
  expect(add(2, true)).toEqual([]);
  expect(lab.reply).toMatchObject({ kind: 'runAccepted', tasks: 8, isRepeat: true });
  add(3, true);
  expect(lab.reply).toMatchObject({ kind: 'refused', code: 'RUN_SEALED' });
  lab.step({ kind: 'addTasks', run: 'r-7' as RunId, chunk: 1, tasks: [], sealed: true });
  expect(lab.reply).toMatchObject({ kind: 'refused', code: 'NOT_FOUND' });
});

test('an unsealed run waits for more although all it has is settled', () => {
  const lab = new Lab();
  lab.join('w1');
  const run = lab.submit(tasksOf(1), {}, { sealed: false });
  expect(kinds(lab.finish('w1', lab.held('w1')[0]!))).not.toContain('runSettled');
  const events = lab.step({ kind: 'addTasks', run, chunk: 1, tasks: [], sealed: true });
  expect(only(events, 'runSettled')).toMatchObject([{ verdict: 'passed' }]);
});

test('a settled run leaves when its results are acknowledged, not before', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.submit(tasksOf(1));
  const settled = lab.finish('w1', lab.held('w1')[0]!);
  expect(kinds(settled)).toContain('runSettled');
  const { seq } = lab.engine.state;
  expect(lab.step({ kind: 'resultsAcknowledged', seq: seq - 1 })).toEqual([]);
  expect(kinds(lab.step({ kind: 'resultsAcknowledged', seq }))).toEqual(['runRetired']);
  expect(lab.engine.state.index.groups.size).toBe(0);
});
