// How events change runs. Part of evolve, the only writer of the state.
import type { CaseCounts, TaskId } from '@assay/protocol';
import { present } from '../kernel/assert.ts';
import { after, mustLead } from '../lifecycle/transition.ts';
import { runTransitions } from '../lifecycle/run.ts';
import { taskTransitions } from '../lifecycle/task.ts';
import type { TaskState } from '../lifecycle/task.ts';
import { closeLanes, openLanes } from '../scheduling/classes.ts';
import { dequeue, enqueue, laneOf } from '../scheduling/lanes.ts';
import type {
  RunCancelRequested,
  RunRetired,
  RunSettled,
  RunSubmitted,
  RunUnplaceable,
  TaskSettled,
  TasksQueued,
} from './events.ts';
import { findTask } from './lookup.ts';
import type { RunRecord, State, TaskRecord } from './state.ts';

/** The key under which a submission is remembered: one submitter's keys are not another's. */
export function submissionKeyOf(submitter: string, idempotencyKey: string): string {
  return JSON.stringify([submitter, idempotencyKey]);
}

export function runSubmitted(state: State, event: RunSubmitted, atMs: number): void {
  state.runOrder += 1;
  const run: RunRecord = {
    run: event.run,
    order: state.runOrder,
    submitter: event.submitter,
    idempotencyKey: event.idempotencyKey,
    contentDigest: event.contentDigest,
    spec: event.spec,
    submittedAtMs: atMs,
    startedAtMs: null,
    state: { kind: 'open' },
    lastChunk: 0,
    tasks: [],
    unplaceableSaid: event.spec.suites.map(() => null),
    counts: { queued: 0, assigned: 0, running: 0, settled: 0 },
    verdicts: {},
    cases: noCases(),
    lanes: [],
  };
  state.runs.set(run.run, run);
  openLanes(state.index, run);
  state.submissions.set(submissionKeyOf(run.submitter, run.idempotencyKey), {
    run: run.run,
    contentDigest: run.contentDigest,
    tasks: 0,
  });
}

export function tasksQueued(state: State, event: TasksQueued, atMs: number): void {
  const run = liveRun(state, event.run);
  mustLead(runTransitions, 'run', run.state.kind, 'tasksQueued', 'open');
  // One object for all: states are replaced, never written to.
  const queued: TaskState = { kind: 'queued', sinceMs: atMs, avoidWorker: null };
  for (const [offset, { suite, target, expectedMs }] of event.tasks.entries()) {
    const task: TaskRecord = {
      index: event.first + offset,
      suite,
      target,
      submittedMs: expectedMs ?? null,
      state: queued,
      attempts: [],
      lastAttempt: 0,
      userRetries: 0,
      infrastructureRetries: 0,
      predictedMs: null,
      peculiar: null,
      heapSlot: -1,
    };
    run.tasks.push(task);
    enqueue(state, run, task);
    state.index.unchecked.add(laneOf(run, suite).group);
  }
  run.counts.queued += event.tasks.length;
  run.lastChunk = event.chunk;
  const key = submissionKeyOf(run.submitter, run.idempotencyKey);
  if (event.chunk === 0)
    state.submissions.set(key, { run: run.run, contentDigest: run.contentDigest, tasks: event.tasks.length });
  if (event.sealed) {
    mustLead(runTransitions, 'run', run.state.kind, 'runSealed', 'sealed');
    run.state = { kind: 'sealed' };
  }
}

export function runUnplaceable(state: State, event: RunUnplaceable): void {
  liveRun(state, event.run).unplaceableSaid[event.suite] = saidOf(event.reasons);
}

/** What is compared to say a thing once: the reasons, not how many workers each counts. */
export function saidOf(reasons: readonly { reason: string }[]): string {
  return reasons.map(({ reason }) => reason).join('\n');
}

export function runCancelRequested(state: State, event: RunCancelRequested): void {
  if (event.tasks !== 'all') return;
  const run = liveRun(state, event.run);
  mustLead(runTransitions, 'run', run.state.kind, 'runCancelRequested', 'canceling');
  run.state = { kind: 'canceling', cause: event.cause };
}

export function taskSettled(state: State, event: TaskSettled, atMs: number): void {
  const { run, task } = present(findTask(state, event.task), 'task that settles');
  after(taskTransitions, 'task', task.state.kind, 'taskSettled');
  if (task.state.kind === 'queued') dequeue(state.index, run, task);
  countTask(run, task, { kind: 'settled', verdict: event.verdict, atMs });
  run.verdicts[event.verdict] = (run.verdicts[event.verdict] ?? 0) + 1;
  const last = task.attempts.at(-1);
  if (last?.state.kind === 'settled') addCases(run.cases, last.state.counts);
}

export function runSettled(state: State, event: RunSettled, atMs: number): void {
  const run = liveRun(state, event.run);
  const before = run.state;
  mustLead(runTransitions, 'run', before.kind, 'runSettled', 'settled');
  run.state = {
    kind: 'settled',
    verdict: event.verdict,
    atMs,
    settledSeq: state.seq,
    isCanceled: before.kind === 'canceling' && before.cause === 'request',
    isSealed: before.kind === 'sealed',
  };
}

export function runRetired(state: State, event: RunRetired): void {
  const run = liveRun(state, event.run);
  mustLead(runTransitions, 'run', run.state.kind, 'runRetired', 'end');
  closeLanes(state.index, run);
  state.runs.delete(run.run);
  const key = submissionKeyOf(run.submitter, run.idempotencyKey);
  const submission = state.submissions.get(key);
  if (submission === undefined) return;
  state.submissions.delete(key);
  state.retired.set(key, submission);
}

/** Gives a task its next state and keeps the run's counts of them. */
export function countTask(run: RunRecord, task: TaskRecord, next: TaskState): void {
  run.counts[task.state.kind] -= 1;
  run.counts[next.kind] += 1;
  task.state = next;
}

export function liveRun(state: State, id: RunRecord['run'] | TaskId): RunRecord {
  return present(state.runs.get(id as RunRecord['run']), `run ${id}`);
}

export function noCases(): CaseCounts {
  return { passed: 0, failed: 0, skipped: 0, todo: 0 };
}

export function addCases(sum: CaseCounts, more: CaseCounts): void {
  sum.passed += more.passed;
  sum.failed += more.failed;
  sum.skipped += more.skipped;
  sum.todo += more.todo;
}
