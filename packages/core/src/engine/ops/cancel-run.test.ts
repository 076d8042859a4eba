import type { TaskId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { kinds, Lab, only, tasksOf } from '../../testing/lab.ts';
import { checkInvariants } from '../invariants.ts';
import { restore, snapshot } from '../snapshot.ts';
import { viewRun } from '../views.ts';

test('cancelling settles what waits at once and what runs when the worker says so', () => {
  const lab = new Lab();
  lab.join('w1');
  const run = lab.submit(tasksOf(3));
  const [ref] = lab.held('w1');
  lab.start('w1', ref!);
  const events = lab.step({ kind: 'cancelRun', run, actor: 'ada', reason: 'enough' });
  expect(kinds(events)).toEqual(['runCancelRequested', 'cancelSent', 'taskSettled', 'taskSettled']);
  expect(only(events, 'cancelSent')).toMatchObject([
    { worker: 'w1', attempts: [ref], deadlineMs: lab.nowMs + lab.config.cancelGraceMs },
  ]);
  expect(lab.step({ kind: 'cancelRun', run, actor: 'ada', reason: 'again' })).toEqual([]);
  expect(lab.reply).toEqual({ kind: 'accepted' });
  const ended = lab.finish('w1', ref!, { verdict: 'canceled', counts: { passed: 0, failed: 0, skipped: 0, todo: 0 } });
  expect(only(ended, 'runSettled')).toMatchObject([{ verdict: 'canceled' }]);
  expect(viewRun(lab.engine.state, run)).toMatchObject({ isCanceled: true, tasks: { verdicts: { canceled: 3 } } });
});

test('a worker that does not answer a cancellation is not waited for beyond its deadline', () => {
  const lab = new Lab();
  lab.join('w1');
  const run = lab.submit(tasksOf(1));
  const [ref] = lab.held('w1');
  lab.start('w1', ref!);
  lab.step({ kind: 'cancelRun', run, actor: 'ada', reason: 'enough' });
  expect(lab.engine.nextDeadlineMs()).toBe(lab.nowMs + lab.config.cancelGraceMs);
  expect(kinds(lab.wait(lab.config.cancelGraceMs))).toEqual(['attemptSettled', 'taskSettled', 'runSettled']);
  expect(kinds(lab.finish('w1', ref!))).toEqual(['reportsRefused', 'reportsAccepted']);
});

test('a result that was there before the cancellation arrived is kept', () => {
  const lab = new Lab();
  lab.join('w1');
  const run = lab.submit(tasksOf(1));
  const [ref] = lab.held('w1');
  lab.step({ kind: 'cancelRun', run, actor: 'ada', reason: 'enough' });
  expect(only(lab.finish('w1', ref!), 'runSettled')).toMatchObject([{ verdict: 'passed' }]);
});

test('an unstarted attempt given back after a cancellation is canceled, and so is one whose worker is lost', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 2 });
  const run = lab.submit(tasksOf(2));
  const [first, second] = lab.held('w1');
  lab.start('w1', second!);
  lab.step({ kind: 'cancelRun', run, actor: 'ada', reason: 'enough' });
  const returned = lab.report('w1', { kind: 'returned', attempts: [first!], reason: 'draining' });
  expect(only(returned, 'attemptSettled')).toMatchObject([{ verdict: 'canceled', next: { kind: 'settle' } }]);
  lab.cut('w1');
  const lost = lab.wait(lab.config.reconnectGraceMs);
  expect(only(lost, 'attemptSettled')).toMatchObject([{ verdict: 'canceled', next: { kind: 'settle' } }]);
});

test('a worker that was away when its work was canceled is told when it comes back, with the same deadline', () => {
  const lab = new Lab();
  lab.join('w1');
  const run = lab.submit(tasksOf(1));
  const [ref] = lab.held('w1');
  lab.start('w1', ref!);
  lab.cut('w1');
  const deadlineMs = lab.nowMs + lab.config.cancelGraceMs;
  lab.step({ kind: 'cancelRun', run, actor: 'ada', reason: 'enough' });
  lab.nowMs += 1_000;
  expect(only(lab.join('w1', { held: [ref!] }), 'cancelSent')).toMatchObject([{ attempts: [ref] }]);
  expect(lab.engine.nextDeadlineMs()).toBe(deadlineMs);
});

test('single tasks are canceled without touching the others', () => {
  const lab = new Lab();
  lab.join('w1');
  const run = lab.submit(tasksOf(3));
  const [ref] = lab.held('w1');
  lab.step({ kind: 'cancelRun', run, tasks: [ref!.task, `${run}.1` as TaskId], actor: 'ada', reason: 'not these' });
  expect(viewRun(lab.engine.state, run)).toMatchObject({
    isCanceled: false,
    tasks: { queued: 1, assigned: 1, settled: 1 },
  });
  lab.step({ kind: 'cancelRun', run, tasks: [`${run}.9` as TaskId], actor: 'ada', reason: 'no such task' });
  expect(lab.reply).toMatchObject({ kind: 'refused', code: 'NOT_FOUND' });
});

test('fail-fast stops the rest after the first task that did not pass, and the run is failed, not canceled', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 2 });
  const run = lab.submit(tasksOf(4), { failFast: true });
  const [first, second] = lab.held('w1');
  lab.start('w1', second!);
  const events = lab.finish('w1', first!, { verdict: 'failed', counts: { passed: 0, failed: 1, skipped: 0, todo: 0 } });
  expect(kinds(events)).toEqual([
    'attemptSettled',
    'circuitsNoted',
    'taskSettled',
    'runCancelRequested',
    'cancelSent',
    'taskSettled',
    'taskSettled',
    'reportsAccepted',
  ]);
  expect(only(events, 'runCancelRequested')).toMatchObject([{ cause: 'failFast', reason: 't0 failed' }]);
  lab.finish('w1', second!, { verdict: 'canceled' });
  expect(viewRun(lab.engine.state, run)).toMatchObject({ verdict: 'failed', isCanceled: false });
});

test('a huge run that is canceled is wound up step by step, and nothing of it is placed meanwhile', () => {
  const lab = new Lab();
  lab.areInvariantsChecked = false;
  const run = lab.submit(tasksOf(12_000));
  lab.areInvariantsChecked = true;
  const first = lab.step({ kind: 'cancelRun', run, actor: 'ada', reason: 'enough' });
  expect(only(first, 'taskSettled')).toHaveLength(5_000);
  expect(only(lab.join('w1', { slots: 8 }), 'tasksAssigned')).toEqual([]);
  const restored = restore(snapshot(lab.engine.state));
  expect(snapshot(restored)).toBe(snapshot(lab.engine.state));
  expect(checkInvariants(restored)).toEqual([]);
  const rest = lab.wait(100);
  expect(only(rest, 'taskSettled')).toHaveLength(2_000);
  expect(only(rest, 'runSettled')).toMatchObject([{ run, verdict: 'canceled' }]);
  expect(Math.max(...lab.journal.map(({ events }) => only(events, 'taskSettled').length))).toBe(5_000);
});
