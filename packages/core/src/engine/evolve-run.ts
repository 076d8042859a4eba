// How events change runs. Part of evolve, the only writer of the state.
import type { CaseCounts, TaskId } from '@assay/protocol';
import { present } from '../kernel/assert.ts';
import { after, mustLead } from '../lifecycle/transition.ts';
import { runTransitions } from '../lifecycle/run.ts';
import { taskTransitions } from '../lifecycle/task.ts';
import type { TaskState } from '../lifecycle/task.ts';
import { addMember, firstOf } from '../scheduling/gangs.ts';
import { closeLanes, matchAll, openLanes } from '../scheduling/groups.ts';
import { recountSlots } from '../scheduling/holdings.ts';
import { closeLane, dequeue, enqueue, laneOf, letGo, openAlternative } from '../scheduling/lanes.ts';
import { beginWaiting, rankOf } from '../scheduling/order.ts';
import type {
  AlternativeOpened,
  GangRestarted,
  PolicySet,
  GoalOutOfReach,
  RunCancelRequested,
  RunImported,
  ProjectErased,
  RunRetired,
  RunSettled,
  RunSubmitted,
  RunUnplaceable,
  TaskSettled,
  TasksQueued,
} from './events.ts';
import { taskJudged } from './evolve-recovery.ts';
import { findTask } from './lookup.ts';
import { forgetQuarantines } from './quarantines.ts';
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
    rankMs: event.rankMs ?? rankOf(atMs, event.spec.priority, 60_000),
    startedAtMs: null,
    state: { kind: 'open' },
    lastChunk: 0,
    tasks: [],
    after: new Map(),
    dependents: new Map(),
    restarting: new Set(),
    unplaceableSaid: event.spec.suites.map(() => null),
    counts: { queued: 0, assigned: 0, running: 0, settled: 0 },
    verdicts: {},
    cases: noCases(),
    goalMissedMs: null,
    hedges: 0,
    plan: null,
    lanes: [],
  };
  state.runs.set(run.run, run);
  openLanes(state, run);
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
  for (const [offset, { suite, target, expectedMs, after }] of event.tasks.entries()) {
    const task: TaskRecord = {
      index: event.first + offset,
      suite,
      target,
      submittedMs: expectedMs ?? null,
      state: queued,
      attempts: [],
      hedge: null,
      lastAttempt: 0,
      userRetries: 0,
      infrastructureRetries: 0,
      predictedMs: null,
      peculiar: null,
      entries: null,
      heapSlot: -1,
    };
    run.tasks.push(task);
    if (after !== undefined) comeAfter(run, task.index, after);
    const { gang } = laneOf(run, suite);
    if (gang !== null) addMember(gang, task);
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
  const run = liveRun(state, event.run);
  if (event.tasks !== 'all') {
    // Those that were being stopped to start again are now being stopped for good.
    for (const id of event.tasks) {
      const task = present(findTask(state, id), 'task to cancel').task;
      const { gang } = laneOf(run, task.suite);
      if (gang !== null) run.restarting.delete(firstOf(gang, task.index));
    }
    return;
  }
  mustLead(runTransitions, 'run', run.state.kind, 'runCancelRequested', 'canceling');
  run.state = { kind: 'canceling', cause: event.cause };
  if (run.counts.queued === 0) return;
  for (const lane of run.lanes) if (!lane.isClosed) closeLane(state.index, lane);
  state.index.winding.add(run);
}

export function taskSettled(state: State, event: TaskSettled, atMs: number): void {
  const { run, task } = present(findTask(state, event.task), 'task that settles');
  after(taskTransitions, 'task', task.state.kind, 'taskSettled');
  if (task.state.kind === 'queued') dequeue(state.index, run, task);
  const { verdict, variant, diagnosis, quarantined } = event;
  countTask(run, task, {
    kind: 'settled',
    verdict,
    atMs,
    ...(variant === undefined ? {} : { variant }),
    ...(diagnosis === undefined ? {} : { diagnosis }),
    ...(quarantined === undefined ? {} : { quarantined }),
  });
  run.verdicts[event.verdict] = (run.verdicts[event.verdict] ?? 0) + 1;
  const last = task.attempts.at(-1);
  if (last?.state.kind === 'settled') addCases(run.cases, last.state.counts);
  if (run.state.kind !== 'canceling') wake(state, run, task, atMs);
  else if (run.counts.queued === 0) state.index.winding.delete(run);
  taskJudged(state, event, atMs);
}

/** What was held back by a task that is over. It is ready from now on, and waits from now on. */
function wake(state: State, run: RunRecord, task: TaskRecord, atMs: number): void {
  const own = laneOf(run, task.suite);
  if (own.gang !== null && own.held.size > 0) {
    letGo(state.index, own, task);
    state.index.unchecked.add(own.group);
  }
  if (run.dependents.size === 0) return;
  for (const index of run.dependents.get(task.index) ?? []) {
    const dependent = present(run.tasks[index], 'dependent task');
    const lane = laneOf(run, dependent.suite);
    if (!lane.held.has(dependent) || dependent.state.kind !== 'queued') continue;
    dependent.state = { ...dependent.state, sinceMs: atMs };
    if (lane.share.waiting === 0) beginWaiting(lane.share, state.clockMs);
    letGo(state.index, lane, dependent);
    state.index.unchecked.add(lane.group);
  }
}

/** Notes what a task comes after. */
export function comeAfter(run: RunRecord, index: number, after: readonly number[]): void {
  run.after.set(index, after);
  for (const before of new Set(after)) {
    const dependents = run.dependents.get(before);
    if (dependents === undefined) run.dependents.set(before, [index]);
    else dependents.push(index);
  }
}

export function policySet(state: State, event: PolicySet): void {
  state.policy = event.policy;
  reservePools(state);
  matchAll(state.index);
  recountSlots(state);
}

/** The pools that the policy reserves. */
export function reservePools(state: State): void {
  const { reservedPools } = state.index;
  reservedPools.clear();
  for (const [pool, { reserved }] of Object.entries(state.policy.pools)) if (reserved) reservedPools.add(pool);
}

export function alternativeOpened(state: State, event: AlternativeOpened): void {
  openAlternative(state.index, laneOf(liveRun(state, event.run), event.suite), event.opened);
}

export function gangRestarted(state: State, event: GangRestarted): void {
  liveRun(state, event.run).restarting.add(event.first);
}

export function goalOutOfReach(state: State, event: GoalOutOfReach): void {
  liveRun(state, event.run).goalMissedMs = event.earliestEndMs;
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
  closeLanes(state, run);
  state.runs.delete(run.run);
  const key = submissionKeyOf(run.submitter, run.idempotencyKey);
  const submission = state.submissions.get(key);
  if (submission === undefined) return;
  state.submissions.delete(key);
  state.retired.set(key, { ...submission, lastChunk: run.lastChunk, tasksInAll: run.tasks.length });
}

/** How an imported run is remembered: submitters and their keys hold no space of this form. */
export function importKeyOf(project: string, run: RunRecord['run']): string {
  return `import ${JSON.stringify(project)} ${run}`;
}

export function runImported(state: State, { run, project, tasks }: RunImported): void {
  state.retired.set(importKeyOf(project, run), { run, contentDigest: run, tasks });
}

/** What was imported for the project may come in again. */
export function projectErased(state: State, { project }: ProjectErased): void {
  forgetQuarantines(state.quarantines, project);
  const prefix = `import ${JSON.stringify(project)} `;
  for (const [key] of [...state.retired.entries()]) if (key.startsWith(prefix)) state.retired.delete(key);
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
