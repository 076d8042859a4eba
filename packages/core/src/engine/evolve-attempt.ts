// How events change attempts, the assignments that they came with, and the slots that those occupy. Part of evolve.
import type { AttemptRef, CaseCounts, FailureClass } from '@assay/protocol';
import { indexOf, taskIdOf } from './ids.ts';
import { assert, present } from '../kernel/assert.ts';
import { attemptTransitions } from '../lifecycle/attempt.ts';
import { taskTransitions } from '../lifecycle/task.ts';
import type { TaskState } from '../lifecycle/task.ts';
import { failureExcused, hardwareFailed } from './evolve-recovery.ts';
import { after, mustLead } from '../lifecycle/transition.ts';
import { suspectOf } from '../recovery/suspect-of.ts';
import { changeLoad } from '../scheduling/classes.ts';
import { firstOf } from '../scheduling/gangs.ts';
import type { GangIndex } from '../scheduling/gangs.ts';
import { hold, release, weightOf } from '../scheduling/holdings.ts';
import { charge, correct } from '../scheduling/order.ts';
import { dequeue, enqueue, laneOf, refreshStealable } from '../scheduling/lanes.ts';
import { sourceKeyOf } from '../scheduling/candidates.ts';
import { noteOutcome } from '../scheduling/calibration.ts';
import { learn } from '../scheduling/durations.ts';
import type {
  AttemptSettled,
  AttemptStarted,
  CancelSent,
  CasesRecorded,
  HedgeDropped,
  TakeBackRequested,
  TasksAssigned,
  TasksReturned,
} from './events.ts';
import { attemptOver, probeReturned, probesTaken } from './evolve-circuit.ts';
import { assignmentOf } from './assignment.ts';
import { beginHedge, endHedge, measureBound } from './evolve-hedge.ts';
import { addCases, countTask, liveRun } from './evolve-run.ts';
import { addTallies, countPasses } from './quarantines.ts';
import { currentAttempt, findTask, liveAttempt } from './lookup.ts';
import type { AttemptRecord, Assignment, RunRecord, State, TaskRecord, WorkerRecord } from './state.ts';

const nothingRecorded: CaseCounts = Object.freeze({ passed: 0, failed: 0, skipped: 0, todo: 0 });

export function tasksAssigned(state: State, event: TasksAssigned, atMs: number): void {
  const run = liveRun(state, event.run);
  const worker = present(state.workers.get(event.worker), 'assigned worker');
  state.assignmentOrder += 1;
  let unstartedMs = 0;
  for (const { index, attempt, expectedMs } of event.tasks) {
    const task = present(run.tasks[index], 'assigned task');
    assert(attempt === task.lastAttempt + 1, 'attempt numbers count up');
    task.lastAttempt = attempt;
    unstartedMs += expectedMs;
    const record: AttemptRecord = {
      attempt,
      worker: worker.worker,
      assignment: event.assignment,
      assignedAtMs: atMs,
      expectedMs,
      placement: event.placement,
      batch: event.tasks.length,
      recorded: 0,
      counts: nothingRecorded,
      state: assignedState,
    };
    if (event.isHedge === true) {
      beginHedge(run, task, record);
      continue;
    }
    mustLead(taskTransitions, 'task', task.state.kind, 'tasksAssigned', 'assigned');
    dequeue(state.index, run, task);
    countTask(run, task, { kind: 'assigned' });
    task.attempts.push(record);
  }
  run.unplaceableSaid[event.suite] = null;
  const lane = laneOf(run, event.suite);
  if (lane.gang !== null) endRestart(run, lane.gang, event.tasks);
  const assignment = assignmentOf(event, lane, worker, unstartedMs, atMs);
  state.assignments.set(assignment.assignment, assignment);
  assignment.group.assignedMs += unstartedMs;
  hold(state, run, lane, assignment);
  state.clockMs = charge(lane.share, state.clockMs, unstartedMs, weightOf(state.policy, run.submitter));
  expectEnd(state, assignment, atMs);
  changeLoad(state.index, worker, () => {
    worker.assignments.set(assignment.assignment, assignment);
    worker.lastAssigned = state.assignmentOrder;
  });
  rememberSource(worker, sourceKeyOf(run));
  refreshStealable(state.index, assignment, worker);
  noteEnds(state, assignment, worker);
  if (event.probes !== undefined) probesTaken(state, event);
}

/** Keeps up when its class has a worker free again, where somebody asks for that. */
function noteEnds({ index }: State, assignment: Assignment, worker: WorkerRecord): void {
  if (index.ends === null) return;
  if (assignment.open === 0) index.ends.forget(assignment);
  else if (!index.ends.note(assignment, worker.class)) index.ends = null;
}

/**
 * Notes when a task of the assignment could be past its time-out at the earliest, and not before `earliestMs`: then, and not
 * before, it is looked at. Noted wherever that may have come nearer: with new work, and with a link that changes.
 */
export function expectEnd(state: State, assignment: Assignment, fromMs: number, earliestMs = fromMs): void {
  const suite = state.runs.get(assignment.run)?.spec.suites[assignment.suite];
  if (suite === undefined) return;
  const atMs = Math.max(fromMs + suite.timeoutMs, earliestMs);
  state.index.overdueAtMs = Math.min(state.index.overdueAtMs, atMs);
}

/** All of the gang starts anew. */
function endRestart(run: RunRecord, gang: GangIndex, tasks: TasksAssigned['tasks']): void {
  for (const { index } of tasks) run.restarting.delete(firstOf(gang, index));
}

export function hedgeDropped(state: State, event: HedgeDropped, atMs: number): void {
  const { run, task } = present(findTask(state, event.task), 'task of a duplicate');
  const hedge = endHedge(run, task);
  assert(hedge.attempt === event.attempt, 'the duplicate that there is ends');
  if (state.index.canceling.get(event.task)?.attempt === hedge) state.index.canceling.delete(event.task);
  if (event.atLeastMs !== undefined) measureBound(state, run, task, hedge, event.atLeastMs, atMs);
  progress(state, hedge, task.index, hedge.state.kind, 'over', atMs);
}

/** Sources remembered of a worker: it keeps its own cache bounded too. */
const sourcesMax = 8;

function rememberSource(worker: WorkerRecord, source: string | null): void {
  if (source === null || worker.sources.at(-1) === source) return;
  worker.sources = [...worker.sources.filter((one) => one !== source), source].slice(-sourcesMax);
}

const assignedState = { kind: 'assigned' } as const;

export function attemptStarted(state: State, event: AttemptStarted, atMs: number): void {
  const { run, task, attempt } = inHand(state, event);
  const next = after(attemptTransitions, 'attempt', attempt.state.kind, 'attemptStarted');
  if (task.state.kind === 'assigned' && task.hedge !== attempt) {
    mustLead(taskTransitions, 'task', task.state.kind, 'attemptStarted', 'running');
    countTask(run, task, { kind: 'running' });
  }
  run.startedAtMs ??= atMs;
  const before = attempt.state;
  if (before.kind === 'canceling') attempt.state = { ...before, startedAtMs: before.startedAtMs ?? atMs };
  else if (next === 'running') attempt.state = { kind: 'running', startedAtMs: atMs };
  progress(state, attempt, task.index, before.kind, 'running', atMs);
}

export function casesRecorded(state: State, event: CasesRecorded): void {
  const { attempt } = inHand(state, event);
  attempt.recorded += event.count;
  const counts = { ...attempt.counts };
  addCases(counts, event.counts);
  attempt.counts = counts;
  if (event.quarantined !== undefined) attempt.quarantined = addTallies(attempt.quarantined ?? [], event.quarantined);
}

export function attemptSettled(state: State, event: AttemptSettled, atMs: number): void {
  countPasses(state, event.counted ?? []);
  const { run, task } = present(findTask(state, event.task), 'task of an attempt');
  const attempt =
    event.worker === null && currentAttempt(task) === null
      ? unassigned(task, event.attempt, atMs)
      : inHand(state, event).attempt;
  const before = attempt.state;
  mustLead(attemptTransitions, 'attempt', before.kind, 'attemptSettled', 'settled');
  const startedAtMs = before.kind === 'running' || before.kind === 'canceling' ? before.startedAtMs : null;
  const { verdict, counts, failure, costMs, startupMs, blobs } = event;
  attempt.state = {
    kind: 'settled',
    startedAtMs,
    atMs,
    verdict,
    counts,
    ...(failure === undefined ? {} : { failure }),
    ...(costMs === undefined ? {} : { costMs }),
    ...(startupMs === undefined ? {} : { startupMs }),
    ...(blobs === undefined ? {} : { blobs }),
    ...afterwards(state, event),
  };
  // A start that was coalesced into the end: the run did start.
  if (costMs !== undefined) run.startedAtMs ??= atMs;
  if (state.index.canceling.get(event.task)?.attempt === attempt) state.index.canceling.delete(event.task);
  measure(state, run, task, attempt, event, atMs);
  if (event.atLeastMs !== undefined) measureBound(state, run, task, attempt, event.atLeastMs, atMs);
  progress(state, attempt, task.index, before.kind, 'over', atMs);
  const worker = attempt.worker === null ? undefined : state.workers.get(attempt.worker);
  attemptOver(state, event, run, task, worker, atMs);
  if (failure !== undefined && worker !== undefined && isOfHardware(failure.class))
    hardwareFailed(state, worker.worker, { ...suspectOf(run, task), named: failure.class }, atMs);
  if (event.next.kind === 'settle') return;
  if (event.next.kind === 'yield') {
    const hedge = endHedge(run, task);
    task.attempts.push(hedge);
    if (hedge.state.kind === 'assigned') {
      mustLead(taskTransitions, 'task', task.state.kind, 'attemptYielded', 'assigned');
      countTask(run, task, { kind: 'assigned' });
    }
    return;
  }
  mustLead(taskTransitions, 'task', task.state.kind, 'attemptRequeued', 'queued');
  if (event.next.spends === 'userRetry') task.userRetries += 1;
  else if (event.next.spends === 'infrastructureRetry') task.infrastructureRetries += 1;
  const { avoidWorker, wish, notBeforeMs, outage } = event.next;
  requeue(state, run, task, {
    kind: 'queued',
    sinceMs: atMs,
    avoidWorker,
    ...(wish === undefined ? {} : { wish }),
    ...(notBeforeMs === undefined ? {} : { notBeforeMs }),
    ...(outage === undefined ? {} : { outage }),
  });
  if (outage !== undefined) failureExcused(state, outage, event.task, atMs);
}

/** What the attempt cost: learned from, and what its submitter is charged. */
function measure(
  state: State,
  run: RunRecord,
  task: TaskRecord,
  attempt: AttemptRecord,
  { costMs, startupMs, verdict, variant }: AttemptSettled,
  atMs: number,
): void {
  // Another configuration says nothing of what the one that was asked for costs.
  const isMeasured = costMs !== undefined && (verdict === 'passed' || verdict === 'failed') && variant === undefined;
  if (isMeasured && attempt.worker !== null) {
    const { class: capability } = present(state.workers.get(attempt.worker), 'worker of an attempt');
    const { suiteKey } = laneOf(run, task.suite);
    const suite = learn(state, { suiteKey, target: task.target, capability, costMs, startupMs, atMs });
    noteOutcome(suite, attempt.expectedMs, costMs);
  }
  if (costMs !== undefined)
    correct(laneOf(run, task.suite).share, costMs - attempt.expectedMs, weightOf(state.policy, run.submitter));
}

export function tasksReturned(state: State, event: TasksReturned, atMs: number): void {
  for (const ref of event.attempts) {
    const { run, task, attempt } = inHand(state, ref);
    mustLead(attemptTransitions, 'attempt', attempt.state.kind, 'tasksReturned', 'end');
    mustLead(taskTransitions, 'task', task.state.kind, 'tasksReturned', 'queued');
    correct(laneOf(run, task.suite).share, -attempt.expectedMs, weightOf(state.policy, run.submitter));
    progress(state, attempt, task.index, attempt.state.kind, 'over', atMs);
    probeReturned(state, ref.task);
    task.attempts.pop();
    // It is still wished to be where its retry would tell most; the suite's own variant goes on.
    const before = task.attempts.at(-1)?.state;
    const wish = before?.kind === 'settled' ? before.wish : undefined;
    const avoidWorker = wish?.workers.at(-1) ?? null;
    requeue(state, run, task, {
      kind: 'queued',
      sinceMs: atMs,
      avoidWorker,
      ...(wish === undefined || avoidWorker === null ? {} : { wish }),
    });
  }
}

export function takeBackRequested(state: State, event: TakeBackRequested): void {
  const assignment = present(state.assignments.get(event.assignment), 'assignment that is asked');
  assert(assignment.takeBack === null, 'one request at a time');
  assignment.takeBack = new Set();
  for (const { task } of event.attempts) assignment.takeBack.add(indexOf(task));
  assignment.group.asked += 1;
  refreshStealable(state.index, assignment, present(state.workers.get(assignment.worker), 'worker that is asked'));
}

/** Forgets an outstanding request: it was answered, or its link is gone and it may never have arrived. */
export function endTakeBack(assignment: Assignment): void {
  if (assignment.takeBack === null) return;
  assignment.takeBack = null;
  assignment.group.asked -= 1;
}

export function cancelSent(state: State, event: CancelSent, atMs: number): void {
  for (const ref of event.attempts) {
    const { task, attempt } = inHand(state, ref);
    const before = attempt.state;
    mustLead(attemptTransitions, 'attempt', before.kind, 'cancelSent', 'canceling');
    const startedAtMs = before.kind === 'running' || before.kind === 'canceling' ? before.startedAtMs : null;
    // Said again to a worker that came back: the deadline stays the first.
    const deadlineMs = before.kind === 'canceling' ? before.deadlineMs : event.deadlineMs;
    attempt.state = { kind: 'canceling', startedAtMs, deadlineMs };
    state.index.canceling.set(ref.task, { attempt, deadlineMs });
    progress(state, attempt, task.index, before.kind, 'canceling', atMs);
  }
}

function isOfHardware(of: FailureClass): boolean {
  return of === 'device' || of === 'driver' || of === 'browser';
}

/** What of the event later decisions read from the attempt. */
function afterwards(
  state: State,
  { next, on, variant: label }: AttemptSettled,
): Partial<Extract<AttemptRecord['state'], { kind: 'settled' }>> {
  const where = { ...(on === undefined ? {} : { on }), ...(label === undefined ? {} : { variant: label }) };
  if (next.kind !== 'requeue') return where;
  const { spends, wish, variant, outage } = next;
  return {
    ...where,
    spent: spends,
    ...(wish === undefined ? {} : { wish }),
    ...(variant === undefined ? {} : { variantNext: variant }),
    ...(outage === undefined ? {} : { outage: state.recovery.outages.get(outage)?.name ?? outage }),
  };
}

function requeue(state: State, run: RunRecord, task: TaskRecord, queued: Extract<TaskState, { kind: 'queued' }>): void {
  countTask(run, task, queued);
  enqueue(state, run, task);
  state.index.unchecked.add(laneOf(run, task.suite).group);
}

/** An attempt that no worker ever had: the evidence of why a queued task is settled. */
function unassigned(task: TaskRecord, number: number, atMs: number): AttemptRecord {
  assert(
    task.state.kind === 'queued' && number === task.lastAttempt + 1,
    'only a queued task settles without a worker',
  );
  const attempt: AttemptRecord = {
    attempt: number,
    worker: null,
    assignment: null,
    assignedAtMs: atMs,
    expectedMs: 0,
    placement: null,
    batch: 0,
    recorded: 0,
    counts: nothingRecorded,
    state: assignedState,
  };
  task.lastAttempt = number;
  task.attempts.push(attempt);
  return attempt;
}

function inHand(state: State, ref: AttemptRef): { run: RunRecord; task: TaskRecord; attempt: AttemptRecord } {
  const { run, task } = present(findTask(state, ref.task), `task ${ref.task}`);
  const attempt = present(liveAttempt(task, ref.attempt), `attempt ${ref.attempt} of ${ref.task}`);
  assert(
    attempt.attempt === ref.attempt,
    `${taskIdOf(run.run, task.index)}: attempt ${ref.attempt} is not the current one`,
  );
  return { run, task, attempt };
}

/** Keeps what an assignment has in hand; the last attempt to end ends it and frees its slot. */
function progress(
  state: State,
  attempt: AttemptRecord,
  index: number,
  from: AttemptRecord['state']['kind'],
  to: 'running' | 'canceling' | 'over',
  atMs: number,
): void {
  if (attempt.assignment === null) return;
  const assignment = present(state.assignments.get(attempt.assignment), 'assignment');
  const worker = present(state.workers.get(assignment.worker), 'worker of an assignment');
  if (from === 'assigned') {
    assignment.unstarted -= 1;
    assignment.unstartedMs -= attempt.expectedMs;
    if (to === 'running') assignment.runningMs += attempt.expectedMs;
  } else if (from === 'running' && to !== 'running') {
    assignment.runningMs -= attempt.expectedMs;
  }
  assignment.sinceMs = atMs;
  if (assignment.takeBack !== null) {
    assignment.takeBack.delete(index);
    if (assignment.takeBack.size === 0) endTakeBack(assignment);
  }
  if (to === 'over') {
    assignment.open -= 1;
    assignment.group.assignedMs -= attempt.expectedMs;
  }
  refreshStealable(state.index, assignment, worker);
  noteEnds(state, assignment, worker);
  if (assignment.open > 0) return;
  endTakeBack(assignment);
  state.assignments.delete(assignment.assignment);
  const run = present(state.runs.get(assignment.run), 'run of an assignment');
  release(state, run, laneOf(run, assignment.suite), assignment);
  changeLoad(state.index, worker, () => worker.assignments.delete(assignment.assignment));
}
