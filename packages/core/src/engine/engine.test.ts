// Stories of whole runs, as events.
import { expect, test } from 'vitest';
import { kinds, Lab, only, refsOf, tasksOf } from '../testing/lab.ts';
import { viewRun } from './views.ts';

test('a run is submitted, assigned, reported and settled', () => {
  const lab = new Lab();
  lab.join('w1');
  const run = lab.submit(tasksOf(1));
  expect(lab.reply).toEqual({ kind: 'runAccepted', run: 'r-1', tasks: 1, isRepeat: false });
  const submitted = lab.journal.at(-1)?.events ?? [];
  expect(kinds(submitted)).toEqual(['runSubmitted', 'tasksQueued', 'tasksAssigned']);
  const [ref] = refsOf(only(submitted, 'tasksAssigned')[0]!);
  expect(kinds(lab.start('w1', ref!))).toEqual(['attemptStarted', 'reportsAccepted']);
  expect(kinds(lab.finish('w1', ref!))).toEqual(['attemptSettled', 'taskSettled', 'runSettled', 'reportsAccepted']);
  expect(viewRun(lab.engine.state, run)).toMatchObject({
    state: 'settled',
    verdict: 'passed',
    tasks: { total: 1, settled: 1, verdicts: { passed: 1 } },
  });
});

test('the work of a lost worker goes to another: what ran spends the infrastructure budget, what did not start spends nothing', () => {
  const lab = new Lab();
  lab.join('w1', { slots: 2 });
  lab.submit(tasksOf(2));
  const [first, second] = lab.held('w1');
  lab.start('w1', first!);
  lab.cut('w1');
  lab.join('w2', { slots: 2 });
  const events = lab.wait(lab.config.reconnectGraceMs);
  expect(kinds(events)).toEqual([
    'workerLost',
    'tasksReturned',
    'attemptSettled',
    'circuitsNoted',
    'tasksAssigned',
    'tasksAssigned',
  ]);
  expect(only(events, 'attemptSettled')[0]).toMatchObject({
    task: first!.task,
    verdict: 'lost',
    next: { kind: 'requeue', spends: 'infrastructureRetry', avoidWorker: 'w1' },
  });
  expect(
    lab
      .held('w2')
      .map(({ task, attempt }) => `${task}#${attempt}`)
      .sort(),
  ).toEqual([`${first!.task}#2`, `${second!.task}#2`]);
});
