// What is live, in the shapes of the API. Reads only.
import type { AttemptView, RunId, RunView, TaskId, TaskView, WorkerId, WorkerView } from '@assay/protocol';
import { stopsOf } from '../circuits/view-circuits.ts';
import { taskIdOf } from './ids.ts';
import { isPossible } from '../scheduling/capacity.ts';
import { misfitReasons, placementOf } from '../scheduling/explain.ts';
import { findTask, openAttempts } from './lookup.ts';
import { viewHealth } from './view-health.ts';
import type { AttemptRecord, RunRecord, State, TaskRecord, WorkerRecord } from './state.ts';

export function viewRun(state: State, id: RunId): RunView | null {
  const run = state.runs.get(id);
  return run === undefined ? null : runView(state, run);
}

/** Live runs in order of submission. */
export function viewRuns(state: State): RunView[] {
  return [...state.runs.values()].map((run) => runView(state, run));
}

function runView(state: State, run: RunRecord): RunView {
  const { spec, state: lifecycle, counts } = run;
  const isSettled = lifecycle.kind === 'settled';
  return {
    run: run.run,
    name: spec.name,
    project: spec.project,
    submitter: run.submitter,
    priority: spec.priority,
    state: isSettled ? 'settled' : run.startedAtMs === null ? 'queued' : 'running',
    ...(isSettled ? { verdict: lifecycle.verdict } : {}),
    isSealed: lifecycle.kind === 'sealed' || (isSettled && lifecycle.isSealed),
    isCanceled:
      (lifecycle.kind === 'canceling' && lifecycle.cause === 'request') || (isSettled && lifecycle.isCanceled),
    submittedAtMs: run.submittedAtMs,
    ...(run.startedAtMs === null ? {} : { startedAtMs: run.startedAtMs }),
    ...(isSettled ? { settledAtMs: lifecycle.atMs } : {}),
    tasks: { total: run.tasks.length, ...counts, verdicts: { ...run.verdicts } },
    cases: { ...run.cases },
    ...(spec.finishWithinMs === undefined
      ? {}
      : {
          goal: {
            targetMs: run.submittedAtMs + spec.finishWithinMs,
            ...(run.goalMissedMs === null ? {} : { earliestEndMs: run.goalMissedMs }),
          },
        }),
    unplaceable: unplaceableOf(state, run),
    labels: spec.labels ?? {},
  };
}

function unplaceableOf(state: State, run: RunRecord): RunView['unplaceable'] {
  const waiting = run.lanes.filter(({ queued, group }) => queued > 0 && !isPossible(group));
  return waiting.map(({ group, queued }) => ({
    requires: group.text,
    tasks: queued,
    reasons: misfitReasons(state, group),
  }));
}

export function viewTask(state: State, id: TaskId): TaskView | null {
  const found = findTask(state, id);
  return found === null ? null : taskView(state, found.run, found.task);
}

/** Tasks of a run in order of their index, from `afterIndex` + 1 on, at most `max`. */
export function viewTasks(state: State, id: RunId, afterIndex: number, max: number): TaskView[] {
  const run = state.runs.get(id);
  if (run === undefined) return [];
  return run.tasks.slice(afterIndex + 1, afterIndex + 1 + max).map((task) => taskView(state, run, task));
}

function taskView(state: State, run: RunRecord, task: TaskRecord): TaskView {
  const suite = run.spec.suites[task.suite];
  const last = task.attempts.at(-1);
  const expectedMs = last?.expectedMs ?? task.predictedMs ?? task.submittedMs;
  return {
    task: taskIdOf(run.run, task.index),
    run: run.run,
    suite: suite?.name ?? '',
    target: task.target,
    requires: suite?.requires ?? '',
    state: task.state.kind,
    ...(task.state.kind === 'settled' ? settledView(task.state) : {}),
    ...(task.state.kind === 'queued' ? { queuedAtMs: task.state.sinceMs } : {}),
    ...(expectedMs === null ? {} : { expectedMs }),
    attempts: task.attempts.map((attempt) => attemptView(state, attempt)),
  };
}

function settledView({
  verdict,
  atMs,
  diagnosis,
  variant,
  quarantined,
}: Extract<TaskRecord['state'], { kind: 'settled' }>) {
  return {
    verdict,
    settledAtMs: atMs,
    ...(variant === undefined ? {} : { variant }),
    ...(diagnosis === undefined ? {} : { diagnosis }),
    ...(quarantined === undefined ? {} : { quarantined: [...quarantined] }),
  };
}

function attemptView(state: State, attempt: AttemptRecord): AttemptView {
  const { state: lifecycle } = attempt;
  const startedAtMs = lifecycle.kind === 'assigned' ? null : lifecycle.startedAtMs;
  const placement = placementOf(attempt);
  const view: AttemptView = {
    attempt: attempt.attempt,
    worker: attempt.worker,
    workerName: attempt.worker === null ? null : (state.workers.get(attempt.worker)?.name ?? null),
    assignedAtMs: attempt.assignedAtMs,
    ...(startedAtMs === null ? {} : { startedAtMs }),
    ...(placement === null ? {} : { placement }),
    blobs: [],
  };
  if (lifecycle.kind !== 'settled') return { ...view, counts: attempt.counts };
  const { atMs, verdict, counts, failure, costMs, startupMs, blobs, variant } = lifecycle;
  return {
    ...view,
    settledAtMs: atMs,
    verdict,
    counts,
    ...(failure === undefined ? {} : { failure }),
    ...(costMs === undefined ? {} : { costMs }),
    ...(startupMs === undefined ? {} : { startupMs }),
    ...(variant === undefined ? {} : { variant }),
    blobs: blobs ?? [],
  };
}

/** Known workers in the order in which they first joined, without their profiles. */
export function viewWorkers(state: State): WorkerView[] {
  return [...state.workers.values()]
    .filter(({ state: { kind } }) => kind !== 'left')
    .map((worker) => workerView(state, worker));
}

export function viewWorker(state: State, id: WorkerId): WorkerView | null {
  const worker = state.workers.get(id);
  if (worker === undefined) return null;
  const known = state.profiles.get(worker.profileDigest);
  return { ...workerView(state, worker), ...(known === undefined ? {} : { profile: known.profile }) };
}

function workerView(state: State, worker: WorkerRecord): WorkerView {
  const attempts = [...worker.assignments.values()].flatMap((assignment) => openAttempts(state, assignment));
  return {
    worker: worker.worker,
    name: worker.name,
    pool: worker.pool,
    state: workerStateView(worker),
    sinceMs: worker.sinceMs,
    slots: worker.slots,
    running: worker.assignments.size,
    profileDigest: worker.profileDigest,
    declared: { ...worker.declared },
    agentVersion: worker.agentVersion,
    ...(typeof worker.trust === 'string' ? { trust: worker.trust } : {}),
    ...(worker.profileChange === undefined
      ? {}
      : { profileChange: { atMs: worker.profileChange.atMs, changes: [...worker.profileChange.changes] } }),
    attempts: attempts.map(({ ref }) => ref),
    ...viewHealth(state, worker),
    circuits: stopsOf(state, worker.worker),
  };
}

/** A worker that left is as gone as a lost one to those who ask for it by its id. */
function workerStateView(worker: WorkerRecord): WorkerView['state'] {
  switch (worker.state.kind) {
    case 'connected':
      return worker.assignments.size >= worker.slots ? 'busy' : 'ready';
    case 'left':
      return 'lost';
    default:
      return worker.state.kind;
  }
}
