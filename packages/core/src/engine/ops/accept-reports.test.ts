import type { AttemptOutcome, Report, TaskId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { caseOf, kinds, Lab, only, outcomeOf, suiteOf, tasksOf } from '../../testing/lab.ts';
import { viewRun, viewTask } from '../views.ts';

function running(retries = 0): { lab: Lab; ref: { task: TaskId; attempt: number } } {
  const lab = new Lab();
  lab.join('w1');
  lab.submit(tasksOf(1), { suites: [suiteOf({ retries })] });
  return { lab, ref: lab.held('w1')[0]! };
}

test('a report is accepted once, however often it is sent', () => {
  const { lab, ref } = running();
  const reports: Report[] = [
    { kind: 'started', seq: 5, ...ref, atMs: 1 },
    { kind: 'cases', seq: 6, ...ref, from: 0, cases: [caseOf('a'), caseOf('b', 'failed')] },
  ];
  const send = () => lab.step({ kind: 'workerReported', worker: 'w1' as never, session: lab.session('w1'), reports });
  expect(kinds(send())).toEqual(['attemptStarted', 'casesRecorded', 'reportsAccepted']);
  const repeated = send();
  expect(kinds(repeated)).toEqual(['reportsAccepted']);
  expect(only(repeated, 'reportsAccepted')[0]!.seq).toBe(6);
});

test('cases are recorded in order: a repeat and a gap are refused, and a gap makes the attempt errored', () => {
  const { lab, ref } = running();
  const report = (from: number, count: number) =>
    lab.report('w1', { kind: 'cases', ...ref, from, cases: Array.from({ length: count }, () => caseOf('c')) });
  // The start was coalesced away: cases prove it.
  expect(kinds(report(0, 2))).toEqual(['attemptStarted', 'casesRecorded', 'reportsAccepted']);
  expect(only(report(1, 1), 'reportsRefused')[0]!.refused[0]!.reason).toContain('recorded before');
  expect(only(report(5, 1), 'reportsRefused')[0]!.refused[0]!.reason).toBe('cases 2 to 4 are missing');
  const ended = lab.finish('w1', ref, { casesReported: 6 });
  expect(only(ended, 'attemptSettled')).toMatchObject([
    {
      verdict: 'errored',
      failure: { code: 'REPORT_CORRUPT' },
      next: { kind: 'requeue', spends: 'infrastructureRetry' },
    },
  ]);
});

const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
const sanity: [string, Partial<AttemptOutcome>, object][] = [
  ['passed', {}, { verdict: 'passed' }],
  ['passed without a case', { counts }, { verdict: 'inconclusive', failure: { code: 'NO_TESTS_RAN' } }],
  [
    'passed with failed cases',
    { counts: { ...counts, passed: 2, failed: 1 } },
    { verdict: 'failed', failure: { code: 'TESTS_FAILED', message: '1 case failed' } },
  ],
  ['passed with nothing but skipped cases', { counts: { ...counts, skipped: 3 } }, { verdict: 'skipped' }],
  ['more cases than are kept', { casesReported: 200_001 }, { verdict: 'errored', failure: { code: 'TOO_MANY_CASES' } }],
  ['canceled in the middle of its report', { verdict: 'canceled', casesReported: 7 }, { verdict: 'canceled' }],
];
test.each(sanity)('an outcome of %s is judged by its evidence', (_what, outcome, settled) => {
  const { lab, ref } = running();
  const events = lab.finish('w1', ref, outcome);
  expect(only(events, 'attemptSettled')).toMatchObject([{ ...settled, next: { kind: 'settle' } }]);
  // A fast failure is also written down as evidence, of a worker that has done nothing well yet.
  expect(kinds(events).filter((kind) => kind !== 'circuitsNoted')).toEqual([
    'attemptSettled',
    'taskSettled',
    'runSettled',
    'reportsAccepted',
  ]);
});

test('a failed test is repeated as often as its user asked, and the attempts show it', () => {
  const { lab, ref } = running(1);
  const failed = {
    verdict: 'failed',
    counts: { ...counts, failed: 1 },
    failure: { class: 'test', code: 'TESTS_FAILED', message: 'no' },
  } as const;
  expect(only(lab.finish('w1', ref, failed), 'attemptSettled')[0]!.next).toEqual({
    kind: 'requeue',
    spends: 'userRetry',
    avoidWorker: null,
    rule: 'user-retry',
  });
  lab.finish('w1', lab.held('w1')[0]!);
  expect(viewTask(lab.engine.state, ref.task)).toMatchObject({
    verdict: 'passed',
    attempts: [{ verdict: 'failed' }, { verdict: 'passed' }],
  });
  expect(viewRun(lab.engine.state, 'r-1' as never)).toMatchObject({
    verdict: 'passed',
    cases: { passed: 1, failed: 0 },
  });
});

test('what infrastructure did is repeated elsewhere, up to its own budget, and then says so', () => {
  const lab = new Lab({ infrastructureRetriesMax: 2 });
  lab.join('w1');
  lab.join('w2');
  lab.submit(tasksOf(1));
  const full = outcomeOf({
    verdict: 'errored',
    failure: { class: 'infrastructure', code: 'SCRATCH_DISK_FULL', message: 'no space' },
  });
  const visited: string[] = [];
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const name = lab.held('w1').length > 0 ? 'w1' : 'w2';
    visited.push(name);
    lab.finish(name, lab.held(name)[0]!, full);
  }
  expect(visited).toEqual(['w1', 'w2', 'w1']);
  const task = viewTask(lab.engine.state, 'r-1.0' as TaskId);
  expect(task).toMatchObject({ verdict: 'errored' });
  expect(task?.attempts.at(-1)?.failure).toMatchObject({
    code: 'RETRIES_EXHAUSTED',
    evidence: { lastCode: 'SCRATCH_DISK_FULL' },
  });
});

test('while another worker that fits is connected, the avoided one is left idle; when it is the only one, it is used', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.join('w2');
  lab.submit(tasksOf(2));
  const failure = { class: 'infrastructure', code: 'SETUP_FAILED', message: 'no' } as const;
  const events = lab.finish('w1', lab.held('w1')[0]!, { verdict: 'errored', failure });
  expect(only(events, 'tasksAssigned')).toEqual([]);
  const left = lab.step({ kind: 'workerWentSilent', worker: 'w2' as never, session: lab.session('w2') });
  expect(only(left, 'tasksAssigned').map(({ worker }) => worker)).toEqual(['w1']);
});

test('a worker that says that it does not fit is not asked again while there is another', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.submit(tasksOf(1));
  lab.join('w2');
  const events = lab.report('w1', {
    kind: 'returned',
    attempts: lab.held('w1'),
    reason: 'misfit',
    message: 'the GPU is gone',
  });
  expect(only(events, 'attemptSettled')).toMatchObject([
    { failure: { code: 'REQUIREMENT_MISFIT' }, next: { avoidWorker: 'w1' } },
  ]);
  expect(lab.held('w2')).toHaveLength(1);
});

test('a task that is given back again and again counts as failed by the infrastructure in the end', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.submit(tasksOf(1));
  let turns = 0;
  while (lab.held('w1').length > 0 && turns < 100) {
    lab.report('w1', { kind: 'returned', attempts: lab.held('w1'), reason: 'runnerDied' });
    turns += 1;
  }
  expect(turns).toBe(20 + 1 + lab.config.infrastructureRetriesMax);
  expect(viewRun(lab.engine.state, 'r-1' as never)).toMatchObject({ verdict: 'failed' });
});

test('a changed profile moves the worker to another class; work in hand goes on', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.submit(tasksOf(2), { suites: [suiteOf({ requires: 'memory.totalMiB >= 4096' })] });
  const profile = { ...lab.engine.state.profiles.get('plain')!.profile, memory: { totalMiB: 1024 } };
  const events = lab.report('w1', { kind: 'profileChanged', profile, profileDigest: 'smaller' });
  expect(kinds(events)).toEqual(['profileChanged', 'reportsAccepted', 'runUnplaceable']);
  expect(kinds(lab.finish('w1', lab.held('w1')[0]!))).toEqual(['attemptSettled', 'taskSettled', 'reportsAccepted']);
});

test('a worker cannot report for the attempt of another, nor give it back', () => {
  const { lab, ref } = running();
  lab.join('w2');
  for (const events of [
    lab.start('w2', ref),
    lab.finish('w2', ref),
    lab.report('w2', { kind: 'returned', attempts: [ref], reason: 'draining' }),
  ]) {
    expect(kinds(events)).toEqual(['reportsRefused', 'reportsAccepted']);
  }
  expect(lab.held('w1')).toEqual([ref]);
});
