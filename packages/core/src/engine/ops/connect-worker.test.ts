import type { AttemptRef, TaskId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { kinds, Lab, only, suiteOf, tasksOf } from '../../testing/lab.ts';
import { viewTask, viewWorker } from '../views.ts';

const held = (lab: Lab, name = 'w1'): AttemptRef[] => lab.held(name);

test('a short cut costs nothing: the worker comes back with what it held and goes on', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 2 });
  lab.submit(tasksOf(2));
  const [first, second] = held(lab);
  lab.start('w1', first!);
  expect(only(lab.cut('w1'), 'workerDisconnected')).toMatchObject([
    { graceUntilMs: lab.nowMs + lab.config.reconnectGraceMs },
  ]);
  lab.nowMs += 100;
  const events = lab.join('w1', { held: [first!, second!] });
  expect(kinds(events)).toEqual(['workerJoined']);
  expect(only(events, 'workerJoined')).toMatchObject([{ isReturning: true, ackedSeq: 1, abandon: [] }]);
  expect(kinds(lab.finish('w1', first!))).toContain('taskSettled');
});

test('an assignment that never arrived goes back to the queue and spends nothing', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.submit(tasksOf(1));
  lab.cut('w1');
  const events = lab.join('w1', { held: [] });
  expect(only(events, 'tasksReturned')).toMatchObject([{ reason: 'notDelivered' }]);
  expect(held(lab)).toEqual([{ task: 'r-1.0', attempt: 2 }]);
  expect(viewTask(lab.engine.state, 'r-1.0' as TaskId)?.attempts.map(({ attempt }) => attempt)).toEqual([2]);
});

test('an agent that was killed is back at once, before its dead link is noticed; what it ran is lost, and its late results are refused', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 2 });
  lab.submit(tasksOf(2));
  const [first, second] = held(lab);
  lab.start('w1', first!);
  const oldSession = lab.session('w1');
  const events = lab.join('w1', { incarnation: 'i2', held: [second!] });
  expect(kinds(events)).toEqual(['workerJoined', 'attemptSettled', 'circuitsNoted', 'tasksAssigned']);
  expect(only(events, 'attemptSettled')).toMatchObject([
    { task: first!.task, verdict: 'lost', next: { kind: 'requeue', spends: 'infrastructureRetry' } },
  ]);
  // The old link, when it is noticed at last, is nobody's.
  expect(lab.step({ kind: 'workerDisconnected', worker: 'w1' as never, session: oldSession })).toEqual([]);
  expect(lab.step({ kind: 'workerReported', worker: 'w1' as never, session: oldSession, reports: [] })).toEqual([]);
  expect(lab.reply).toMatchObject({ kind: 'refused' });
  expect(only(lab.finish('w1', first!), 'reportsRefused')).toMatchObject([
    { refused: [{ task: first!.task, attempt: 1 }] },
  ]);
});

test('two processes with one id: the newer wins and the older is not let in again', () => {
  const lab = new Lab();
  lab.join('w1', { incarnation: 'old' });
  lab.join('w1', { incarnation: 'new' });
  expect(only(lab.join('w1', { incarnation: 'old' }), 'workerRefused')).toMatchObject([{ code: 'WORKER_SUPERSEDED' }]);
  // When the newer is gone the older may come back.
  const session = lab.engine.state.workers.get('w1' as never)!.session;
  lab.step({ kind: 'workerLeft', worker: 'w1' as never, session, reason: 'done' });
  expect(kinds(lab.join('w1', { incarnation: 'old' }))).toEqual(['workerJoined']);
});

test('an id belongs to the token that it first came with', () => {
  const lab = new Lab();
  lab.join('w1');
  expect(only(lab.join('w1', { token: 'stolen' }), 'workerRefused')).toMatchObject([{ code: 'WORKER_ID_TAKEN' }]);
  expect(lab.reply).toMatchObject({ kind: 'refused', code: 'WORKER_ID_TAKEN' });
});

test('a worker that slept until it was presumed lost rejoins, is told to stop what is not its own, and its late result is refused', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.submit(tasksOf(1));
  const [ref] = held(lab);
  lab.start('w1', ref!);
  lab.step({ kind: 'workerWentSilent', worker: 'w1' as never, session: lab.session('w1') });
  lab.join('w2');
  expect(held(lab, 'w2')).toEqual([{ task: 'r-1.0', attempt: 2 }]);
  expect(only(lab.join('w1', { held: [ref!] }), 'workerJoined')).toMatchObject([{ abandon: [ref] }]);
  expect(kinds(lab.finish('w1', ref!))).toEqual(['reportsRefused', 'reportsAccepted']);
  expect(only(lab.finish('w2', held(lab, 'w2')[0]!), 'runSettled')).toMatchObject([{ verdict: 'passed' }]);
});

test('after a restart of the coordinator every worker has its grace to come back in', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.join('w2');
  lab.submit(tasksOf(2));
  const [ref] = held(lab);
  lab.start('w1', ref!);
  expect(only(lab.step({ kind: 'coordinatorRestarted', epoch: 2 }), 'linksReset')).toMatchObject([
    { graceUntilMs: lab.nowMs + lab.config.recoveryGraceMs },
  ]);
  lab.nowMs += 500;
  lab.join('w1', { held: [ref!] });
  const events = lab.wait(lab.config.recoveryGraceMs);
  expect(only(events, 'workerLost')).toMatchObject([{ worker: 'w2', reason: 'graceExpired' }]);
  expect(held(lab)).toEqual([ref]);
});

test('a draining worker finishes what it has and gets nothing new; a cut does not end the draining, a new process does', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.submit(tasksOf(2));
  const [ref] = held(lab);
  const drain = { kind: 'drainWorker', worker: 'w1' as never, actor: 'ada', reason: 'maintenance' } as const;
  expect(kinds(lab.step(drain))).toEqual(['workerDraining', 'runUnplaceable']);
  expect(lab.step(drain)).toEqual([]);
  lab.cut('w1');
  // Told again, because the first word may not have reached it.
  expect(kinds(lab.join('w1', { held: [ref!] }))).toEqual(['workerJoined', 'workerDraining']);
  lab.finish('w1', ref!);
  expect(held(lab)).toEqual([]);
  expect(viewWorker(lab.engine.state, 'w1' as never)).toMatchObject({ state: 'draining' });
  expect(kinds(lab.join('w1', { incarnation: 'i2' }))).toEqual(['workerJoined', 'tasksAssigned']);
});

test('a worker that is gone for long is forgotten', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.step({ kind: 'workerLeft', worker: 'w1' as never, session: lab.session('w1'), reason: 'done' });
  expect(kinds(lab.wait(lab.config.forgetWorkerAfterMs))).toEqual(['workerForgotten']);
  expect(lab.engine.state.workers.size + lab.engine.state.profiles.size + lab.engine.state.index.classes.size).toBe(0);
  expect(lab.engine.nextDeadlineMs()).toBeNull();
});

test('a worker that leaves with work loses what ran and returns the rest', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 2 });
  lab.submit(tasksOf(2), { suites: [suiteOf()] });
  lab.start('w1', held(lab)[0]!);
  const events = lab.step({ kind: 'workerLeft', worker: 'w1' as never, session: lab.session('w1'), reason: 'done' });
  expect(kinds(events)).toEqual(['workerLeft', 'tasksReturned', 'attemptSettled', 'circuitsNoted', 'runUnplaceable']);
});

test('a worker that comes back with fewer slots than it has work is given nothing until there is room', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 3 });
  lab.submit(tasksOf(5));
  const refs = held(lab);
  expect(kinds(lab.join('w1', { slots: 1, held: refs }))).toEqual(['workerJoined']);
  expect(kinds(lab.finish('w1', refs[0]!))).not.toContain('tasksAssigned');
  expect(kinds(lab.finish('w1', refs[1]!))).not.toContain('tasksAssigned');
  expect(kinds(lab.finish('w1', refs[2]!))).toContain('tasksAssigned');
});
