// Duplicates of what is late: when one is given out, who wins, and that the loser leaves nothing.
import { expect, test } from 'vitest';
import { caseOf, kinds, Lab, only, suiteOf, tasksOf } from '../testing/lab.ts';
import type { Event } from '../engine/events.ts';

const settings = { hedgeAfterMs: 1_000, reconnectGraceMs: 60_000 };

/** w1 has run a task that is expected to take 400 ms for so long that w2 has a duplicate of it. */
function late(suite = suiteOf()): { lab: Lab; events: Event[] } {
  const lab = new Lab(settings);
  lab.join('w1');
  lab.submit([{ suite: 0, target: 'slow', expectedMs: 400 }], { suites: [suite] });
  lab.start('w1', lab.held('w1')[0]!);
  lab.join('w2');
  return { lab, events: lab.wait(3_000) };
}

const first = { task: 'r-1.0', attempt: 1 } as never;
const second = { task: 'r-1.0', attempt: 2 } as never;
const settled = (lab: Lab) => lab.engine.state.runs.get('r-1' as never);

test('an idle worker gets a duplicate of what is late, once, and says why', () => {
  const { events } = late();
  const [duplicate, ...more] = only(events, 'tasksAssigned');
  expect(duplicate).toMatchObject({ worker: 'w2', isHedge: true, tasks: [{ index: 0, attempt: 2, expectedMs: 400 }] });
  expect(duplicate?.placement.rule).toMatch(
    /^a duplicate of attempt 1, which runs for 1\d\d\d ms and was expected to take 400$/,
  );
  expect(more).toEqual([]);
});

test('the duplicate is done first: its result is the task’s, the other attempt is stopped and counts for nothing', () => {
  const { lab } = late();
  lab.start('w2', second);
  lab.report('w1', { kind: 'cases', task: 'r-1.0' as never, attempt: 1, from: 0, cases: [caseOf('slow', 'failed')] });
  const events = lab.finish('w2', second, { counts: { passed: 3, failed: 0, skipped: 0, todo: 0 } });
  expect(kinds(events)).toEqual([
    'cancelSent',
    'attemptSettled',
    'attemptSettled',
    'taskSettled',
    'runSettled',
    'reportsAccepted',
  ]);
  expect(only(events, 'attemptSettled').map(({ attempt, verdict, next }) => [attempt, verdict, next.kind])).toEqual([
    [1, 'canceled', 'yield'],
    [2, 'passed', 'settle'],
  ]);
  expect(settled(lab)).toMatchObject({ verdicts: { passed: 1 }, cases: { passed: 3, failed: 0 }, hedges: 0 });
  // What the first worker still says of it is refused.
  expect(kinds(lab.finish('w1', first))).toEqual(['reportsRefused', 'reportsAccepted']);
});

test('the first attempt is done first: the duplicate is stopped and leaves only its number', () => {
  const { lab } = late();
  lab.start('w2', second);
  const events = lab.finish('w1', first);
  expect(kinds(events)).toEqual([
    'cancelSent',
    'hedgeDropped',
    'attemptSettled',
    'taskSettled',
    'runSettled',
    'reportsAccepted',
  ]);
  expect(settled(lab)?.tasks[0]).toMatchObject({ lastAttempt: 2, attempts: [{ attempt: 1 }], hedge: null });
  expect(kinds(lab.finish('w2', second))).toEqual(['reportsRefused', 'reportsAccepted']);
});

test('the worker of the first attempt is lost: the duplicate goes on in its stead, and no retry is spent', () => {
  const { lab } = late();
  lab.start('w2', second);
  const events = lab.step({ kind: 'workerWentSilent', worker: 'w1' as never, session: lab.session('w1') });
  expect(only(events, 'attemptSettled').map(({ verdict, next }) => [verdict, next.kind])).toEqual([['lost', 'yield']]);
  expect(only(lab.finish('w2', second), 'taskSettled')).toMatchObject([{ verdict: 'passed' }]);
  expect(settled(lab)?.tasks[0]).toMatchObject({ infrastructureRetries: 0, userRetries: 0 });
});

test('the worker of the duplicate is lost, or gives it back: the first attempt goes on', () => {
  for (const isLost of [true, false]) {
    const { lab } = late();
    const events = isLost
      ? lab.step({ kind: 'workerWentSilent', worker: 'w2' as never, session: lab.session('w2') })
      : lab.report('w2', { kind: 'returned', attempts: [second], reason: 'draining' } as never);
    expect(kinds(events)).toContain('hedgeDropped');
    expect(kinds(events)).not.toContain('tasksReturned');
    expect(only(lab.finish('w1', first), 'taskSettled')).toMatchObject([{ verdict: 'passed' }]);
  }
});

test('a run that is canceled drops the duplicate and waits for the first attempt as ever', () => {
  const { lab } = late();
  const events = lab.step({ kind: 'cancelRun', run: 'r-1' as never, actor: 'ada', reason: 'enough' });
  expect(kinds(events)).toEqual(['runCancelRequested', 'cancelSent', 'hedgeDropped', 'cancelSent']);
  expect(only(lab.finish('w1', first, { verdict: 'canceled' }), 'runSettled')).toHaveLength(1);
});

test('no duplicate where the suite says never, where devices are held, and while anything waits for the slot', () => {
  expect(only(late(suiteOf({ hedge: 'never' })).events, 'tasksAssigned')).toEqual([]);
  const lab = new Lab({ ...settings, hedgeShare: 0 });
  lab.join('w1');
  lab.submit(tasksOf(1));
  lab.start('w1', lab.held('w1')[0]!);
  lab.join('w2');
  expect(only(lab.wait(60_000), 'tasksAssigned')).toEqual([]);
});

test('at most a share of the slots run duplicates', () => {
  const lab = new Lab(settings);
  for (let number = 0; number < 20; number += 1) lab.join(`w${number}`);
  lab.submit(Array.from({ length: 10 }, (_, index) => ({ suite: 0, target: `t${index}`, expectedMs: 400 })));
  for (let number = 0; number < 20; number += 1) for (const ref of lab.held(`w${number}`)) lab.start(`w${number}`, ref);
  expect(only(lab.wait(30_000), 'tasksAssigned')).toHaveLength(2);
});

/** The same task on two kinds of machines; on `slow` it is expected to take 400 ms and does not end. */
function race(classOfQuick = 'quick'): Lab {
  const lab = new Lab(settings);
  lab.join('slow', { profileDigest: 'slow' });
  lab.submit([{ suite: 0, target: 'one', expectedMs: 400 }]);
  lab.start('slow', lab.held('slow')[0]!);
  lab.join('quick', { profileDigest: classOfQuick });
  lab.wait(3_000);
  lab.start('quick', second);
  return lab;
}
const learned = (lab: Lab): number[] =>
  [...lab.engine.state.durations.entries()].flatMap(([, means]) => means.map(({ meanMs }) => Math.round(meanMs)));

test('a race that is lost teaches the least that the task takes there, and the winner what it took', () => {
  const lab = race();
  lab.wait(1_000);
  const events = lab.finish('quick', second, { costMs: 900 });
  const [lost] = only(events, 'attemptSettled');
  expect(lost).toMatchObject({ attempt: 1, atLeastMs: 4_000 });
  expect(learned(lab)).toEqual([4_000, 900]);
  // The next run is placed by it: the slow one joined first and would be first in turn.
  lab.finish('slow', first, { verdict: 'canceled' });
  lab.submit([{ suite: 0, target: 'one' }]);
  expect(lab.held('quick')).toHaveLength(1);
  expect(lab.held('slow')).toEqual([]);
});

test('a duplicate that lost teaches too, and one that was stopped before it was late says nothing', () => {
  const early = race();
  expect(only(early.finish('slow', first, { costMs: 3_010 }), 'hedgeDropped')[0]).toMatchObject({ atLeastMs: 1 });
  expect(learned(early)).toEqual([3_010]);
  const late = race();
  late.wait(5_000);
  expect(only(late.finish('slow', first, { costMs: 8_000 }), 'hedgeDropped')[0]).toMatchObject({ atLeastMs: 5_000 });
  expect(learned(late).toSorted((a, b) => a - b)).toEqual([5_000, 8_000]);
});

test('between machines of one class the winner alone teaches: a part of its duration would pull the whole down', () => {
  const lab = race('slow');
  lab.wait(5_000);
  expect(only(lab.finish('slow', first, { costMs: 8_000 }), 'hedgeDropped')[0]?.atLeastMs).toBeUndefined();
  expect(learned(lab)).toEqual([8_000]);
});

test('what ran on a worker that is away is no measure of the worker', () => {
  const lab = race();
  lab.step({ kind: 'workerDisconnected', worker: 'slow' as never, session: lab.session('slow') });
  const [lost] = only(lab.finish('quick', second, { costMs: 900 }), 'attemptSettled');
  expect(lost?.atLeastMs).toBeUndefined();
  expect(learned(lab)).toEqual([900]);
});
