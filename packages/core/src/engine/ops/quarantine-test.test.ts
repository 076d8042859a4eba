// Tests in quarantine, through the engine's one door: what a run's verdict makes of them, and how they come back.
import { expect, test } from 'vitest';
import { asJson, caseOf, kinds, Lab, only, suiteOf, tasksOf } from '../../testing/lab.ts';
import { emptyState, replay } from '../evolve.ts';
import type { QuarantineTest } from '../inputs.ts';
import { viewQuarantines } from '../quarantines.ts';
import { restore, snapshot } from '../snapshot.ts';
import { viewRun, viewTask } from '../views.ts';
import type { Case, TaskId } from '@assay/protocol';

const dayMs = 86_400_000;

function fleet(): Lab {
  const lab = new Lab();
  lab.join('w1');
  return lab;
}

/** Sets a test of the first file of `tasksOf` aside; its place is the one that the lab's runs have. */
function aside(lab: Lab, change: Partial<QuarantineTest> = {}): ReturnType<Lab['step']> {
  const { target } = tasksOf(1)[0]!;
  return lab.step({
    kind: 'quarantineTest',
    project: specProject,
    suite: suiteOf().name,
    target,
    path: ['flaky'],
    mode: 'mute',
    owner: 'ada',
    reason: 'races the clock',
    expiresAtMs: lab.nowMs + 14 * dayMs,
    rate: 0.2,
    actor: 'ada',
    ...change,
  });
}

/** One run of one file whose cases are these. */
function execute(lab: Lab, cases: readonly Case[], retries = 0): { id: TaskId; events: ReturnType<Lab['step']> } {
  const run = lab.submit(tasksOf(1), { suites: [suiteOf({ retries })] });
  const ref = lab.held('w1')[0]!;
  lab.report('w1', { kind: 'cases', ...ref, from: 0, cases: [...cases] });
  const count = (status: Case['status']): number => cases.filter((one) => one.status === status).length;
  const counts = { passed: count('passed'), failed: count('failed'), skipped: count('skipped'), todo: 0 };
  const failure = { class: 'test' as const, code: 'TESTS_FAILED', message: 'failed' };
  const events = lab.finish('w1', ref, {
    verdict: counts.failed > 0 ? 'failed' : 'passed',
    counts,
    casesReported: cases.length,
    ...(counts.failed > 0 ? { failure } : {}),
  });
  return { id: `${run}.0` as TaskId, events };
}

const specProject = (() => {
  const lab = fleet();
  const run = lab.submit(tasksOf(1));
  return lab.engine.state.runs.get(run)!.spec.project;
})();

test('a muted test runs and does not count: its attempt failed, its task and its run passed, and why is said', () => {
  const lab = fleet();
  expect(kinds(aside(lab))).toEqual(['testQuarantined']);
  const { id, events } = execute(lab, [caseOf('sound'), caseOf('flaky', 'failed')], 3);
  expect(only(events, 'attemptSettled')).toMatchObject([{ verdict: 'failed', next: { kind: 'settle' } }]);
  const note = { quarantine: 'q-1', path: ['flaky'], mode: 'mute', owner: 'ada', failures: 1 };
  expect(only(events, 'taskSettled')).toMatchObject([{ verdict: 'passed', quarantined: [note] }]);
  expect(only(events, 'taskSettled')[0]).not.toHaveProperty('diagnosis');
  expect(only(events, 'runSettled')).toMatchObject([{ verdict: 'passed' }]);
  expect(viewTask(lab.engine.state, id)).toMatchObject({ verdict: 'passed', quarantined: [note] });
});

test('another failure beside it counts: the task is repeated and fails, and the note is there still', () => {
  const lab = fleet();
  aside(lab);
  const { events } = execute(lab, [caseOf('flaky', 'failed'), caseOf('other', 'failed')], 1);
  expect(only(events, 'attemptSettled')[0]?.next).toMatchObject({ kind: 'requeue', spends: 'userRetry' });
  const again = execute(fleetWith(lab), [caseOf('flaky', 'failed'), caseOf('other', 'failed')]);
  expect(only(again.events, 'taskSettled')).toMatchObject([{ verdict: 'failed', quarantined: [{ failures: 1 }] }]);
});

/** The same quarantine in a fleet of its own. */
function fleetWith(_from: Lab): Lab {
  const lab = fleet();
  aside(lab);
  return lab;
}

test('where nothing but muted tests ran, nothing passed: the run is inconclusive, never green', () => {
  const lab = fleet();
  aside(lab);
  const { id, events } = execute(lab, [caseOf('flaky', 'failed')]);
  expect(viewTask(lab.engine.state, id)?.verdict).toBe('skipped');
  expect(only(events, 'runSettled')).toMatchObject([{ verdict: 'inconclusive' }]);
});

test('what broke the machine is not hidden by a quarantine', () => {
  const lab = fleet();
  aside(lab, { path: [] });
  lab.submit(tasksOf(1));
  const ref = lab.held('w1')[0]!;
  const failure = { class: 'infrastructure' as const, code: 'RUNNER_DIED', message: 'killed' };
  const none = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  const events = lab.finish('w1', ref, { verdict: 'errored', failure, counts: none, casesReported: 0 });
  expect(only(events, 'attemptSettled')[0]?.next.kind).toBe('requeue');
});

test('a file that is skipped has its verdict before anybody runs it, and the others run', () => {
  const lab = fleet();
  aside(lab, { path: [], mode: 'skip' });
  const run = lab.submit(tasksOf(2));
  expect(viewTask(lab.engine.state, `${run}.0` as TaskId)).toMatchObject({
    verdict: 'skipped',
    attempts: [],
    quarantined: [{ mode: 'skip', failures: 0 }],
  });
  expect(lab.held('w1').map(({ task }) => task)).toEqual([`${run}.1`]);
  lab.finish('w1', lab.held('w1')[0]!);
  expect(viewRun(lab.engine.state, run)?.verdict).toBe('passed');
});

test('a test comes back after so many passes in a row that its flake would have failed, and a failure begins again', () => {
  const lab = fleet();
  aside(lab, { rate: 1 });
  const passesInRow = (): number | undefined => viewQuarantines(lab.engine.state)[0]?.passesInRow;
  for (let at = 0; at < 19; at += 1) execute(lab, [caseOf('flaky')]);
  expect(passesInRow()).toBe(19);
  execute(lab, [caseOf('sound'), caseOf('flaky', 'failed')]);
  expect(passesInRow()).toBe(0);
  // A pass that the runner had to repeat for is no pass of the test.
  execute(lab, [{ ...caseOf('flaky'), runnerRetries: 1 }]);
  expect(passesInRow()).toBe(0);
  for (let at = 0; at < 19; at += 1) execute(lab, [caseOf('flaky')]);
  const { events } = execute(lab, [caseOf('flaky')]);
  expect(only(events, 'testReleased')).toMatchObject([{ quarantine: 'q-1', because: 'passes', actor: 'assay' }]);
  const { events: after } = execute(lab, [caseOf('sound'), caseOf('flaky', 'failed')]);
  expect(only(after, 'runSettled')).toMatchObject([{ verdict: 'failed' }]);
});

test('it ends by itself at its end, and by a person before; a repeat of either request is success', () => {
  const lab = fleet();
  aside(lab);
  expect(aside(lab, { expiresAtMs: 1_000 + 14 * dayMs })).toEqual([]);
  const passTime = (ms: number): ReturnType<Lab['step']> => {
    lab.nowMs += ms;
    return lab.step({ kind: 'timePassed' });
  };
  expect(lab.engine.nextDeadlineMs()).toBe(1_000 + 14 * dayMs);
  expect(passTime(13 * dayMs)).toEqual([]);
  expect(only(passTime(dayMs), 'testReleased')).toMatchObject([{ because: 'expired', actor: 'assay' }]);
  expect(lab.engine.nextDeadlineMs()).not.toBe(1_000 + 14 * dayMs);
  aside(lab, { reason: 'again' });
  const release = { kind: 'releaseTest' as const, quarantine: 'q-2', actor: 'ada', reason: 'mended' };
  expect(only(lab.step(release), 'testReleased')).toMatchObject([{ because: 'person', actor: 'ada' }]);
  expect(lab.step(release)).toEqual([]);
  expect(lab.reply).toEqual({ kind: 'accepted' });
});

const refusals: [string, Partial<QuarantineTest>, string][] = [
  ['an end in the past', { expiresAtMs: 1 }, 'in the past'],
  ['an end in a hundred days', { expiresAtMs: 100 * dayMs }, '90 days'],
  ['one test of a file skipped', { mode: 'skip' }, 'only a whole file'],
];
test.each(refusals)('%s is refused with its reason, and changes nothing', (_what, change, reason) => {
  const lab = fleet();
  expect(aside(lab, change)).toEqual([]);
  expect(lab.reply).toMatchObject({ kind: 'refused', code: 'BAD_REQUEST', reason: expect.stringContaining(reason) });
});

test('an erased project takes its quarantines with it', () => {
  const lab = fleet();
  aside(lab, { project: 'old' });
  lab.step({ kind: 'eraseProject', project: 'old', actor: 'ada' });
  expect(viewQuarantines(lab.engine.state)).toEqual([]);
});

test('quarantines and what attempts met of them survive a snapshot, a restart and a fold of the journal', () => {
  const lab = fleet();
  aside(lab);
  lab.submit(tasksOf(1));
  lab.report('w1', { kind: 'cases', ...lab.held('w1')[0]!, from: 0, cases: [caseOf('flaky', 'failed')] });
  const text = snapshot(lab.engine.state);
  expect(snapshot(restore(text))).toBe(text);
  const folded = emptyState();
  for (const entry of asJson(lab.journal)) replay(folded, entry);
  expect(snapshot(folded)).toBe(text);
});
