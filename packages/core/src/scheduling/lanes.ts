// The queue: which tasks wait in which lane, and which assignments hold work that could be done elsewhere. Called by evolve
// alone; an index over the tasks' own states, built again on restore.
import type { TaskId } from '@assay/protocol';
import { taskIdOf } from '../engine/ids.ts';
import type { Assignment, RunRecord, State, TaskRecord, WorkerRecord } from '../engine/state.ts';
import { present } from '../kernel/assert.ts';
import { fellowsOf, isWhole } from './gangs.ts';
import type { Index, Lane, RequirementGroup } from './index-types.ts';
import { beginWaiting } from './order.ts';
import { enterPlan, leavePlan } from './plan.ts';
import { peculiarCosts, predictOwn } from './predict.ts';

export function laneOf(run: RunRecord, suite: number): Lane {
  return present(run.lanes[suite], 'lane');
}

/** Puts a task whose state is `queued` in its lane, with the prediction of now. */
export function enqueue(state: State, run: RunRecord, task: TaskRecord): void {
  const { suiteKey, share, gang } = laneOf(run, task.suite);
  // Who had nothing waiting starts level with the others.
  if (share.waiting === 0) beginWaiting(share, state.clockMs);
  putInLane(
    state.index,
    run,
    task,
    predictOwn(state, suiteKey, task),
    gang === null ? peculiarCosts(state, suiteKey, task) : null,
  );
}

/** The same with a prediction made earlier. */
export function putInLane(
  index: Index,
  run: RunRecord,
  task: TaskRecord,
  predictedMs: number | null,
  peculiar: readonly number[] | null,
): void {
  const lane = laneOf(run, task.suite);
  if (lane.queued === 0) index.changes += 1;
  lane.queued += 1;
  task.predictedMs = predictedMs;
  task.peculiar = peculiar;
  const isDelayed = delay(index, lane, task);
  if (lane.gang !== null || run.after.has(task.index) || isDelayed) {
    lane.held.add(task);
    letGo(index, lane, task);
  } else {
    stand(index, lane, task);
  }
}

/** Notes a retry that has a time; it is held until then. */
function delay(index: Index, lane: Lane, task: TaskRecord): boolean {
  const atMs = task.state.kind === 'queued' ? task.state.notBeforeMs : undefined;
  if (atMs === undefined) return false;
  const delayed = { lane, task, atMs, heapSlot: -1 };
  index.delayed.push(delayed);
  index.delayedOf.set(task, delayed);
  return true;
}

/** Forgets the time of a retry. */
export function endDelay(index: Index, task: TaskRecord): void {
  const delayed = index.delayedOf.get(task);
  if (delayed === undefined) return;
  index.delayed.remove(delayed);
  index.delayedOf.delete(task);
}

/** Lets a held task wait in line where nothing holds it any more; a gang goes all together. */
export function letGo(index: Index, lane: Lane, task: TaskRecord): void {
  const { gang, run, held } = lane;
  const together = gang === null ? [task] : fellowsOf(gang, task);
  if (gang !== null && !isWhole(gang, together)) {
    if (together.length === gang.size && task.state.kind === 'queued') index.broken.set(task, lane);
    return;
  }
  const waiting = together.filter(({ state }) => state.kind === 'queued');
  if (!waiting.every((one) => areOver(run, one) && !index.delayedOf.has(one))) return;
  for (const one of waiting) if (held.delete(one)) stand(index, lane, one);
}

/** Whether all that a task comes after have passed. */
function areOver(run: RunRecord, task: TaskRecord): boolean {
  const after = run.after.get(task.index);
  if (after === undefined) return true;
  return after.every((index) => {
    const state = run.tasks[index]?.state;
    return state?.kind === 'settled' && state.verdict === 'passed';
  });
}

function stand(index: Index, lane: Lane, task: TaskRecord): void {
  if (lane.groups.length > 1 && !lane.isClosed) beginTerm(index, lane, task);
  const { group } = lane;
  lane.share.waiting += 1;
  if (lane.gang === null && task.state.kind === 'queued' && task.state.avoidWorker !== null) {
    beginAvoiding(index, group, taskIdOf(lane.run.run, task.index), { lane, task });
  } else {
    if (task.predictedMs === null) {
      lane.unknown.push(task);
    } else if (task.peculiar !== null) {
      lane.peculiar.push(task);
      lane.knownMs += task.predictedMs;
      enterPlan(lane.run, lane, task);
    } else {
      lane.known.push(task);
      lane.knownMs += task.predictedMs;
    }
    if (lane.isClosed) return;
    if (lane.heapSlot < 0) group.waiting.push(lane);
    if (lane.gang !== null) index.gangs.add(lane);
  }
  beginWanting(index, group);
}

/** The time after which alternatives open runs from the first task that waits. */
function beginTerm(index: Index, lane: Lane, task: TaskRecord): void {
  if (lane.waitsSinceMs === null) {
    lane.opened = 0;
    index.changes += 1;
    lane.group = lane.groups[0] as RequirementGroup;
    lane.waitsSinceMs = task.state.kind === 'queued' ? task.state.sinceMs : 0;
  }
  if (lane.opened + 1 >= lane.groups.length || index.expiring.has(lane)) return;
  index.expiring.add(lane);
  index.alternativesDueMs = -Infinity;
}

/** The clock went back while the coordinator was away: who waits since a time to come waits since now. */
export function restartTerms(state: State, atMs: number): void {
  state.index.alternativesDueMs = -Infinity;
  for (const run of state.runs.values())
    for (const lane of run.lanes) if (lane.waitsSinceMs !== null && lane.waitsSinceMs > atMs) lane.waitsSinceMs = atMs;
}

/** Takes a task out of its lane, before its state changes. */
export function dequeue(index: Index, run: RunRecord, task: TaskRecord): void {
  const lane = laneOf(run, task.suite);
  const { group } = lane;
  lane.queued -= 1;
  if (lane.queued === 0) index.changes += 1;
  const isHeld = lane.held.size > 0 && lane.held.delete(task);
  if (isHeld && index.delayedOf.size > 0) endDelay(index, task);
  if (!isHeld) {
    lane.share.waiting -= 1;
    if (task.heapSlot < 0) {
      endAvoiding(index, group, taskIdOf(run.run, task.index));
    } else if (task.predictedMs === null) {
      lane.unknown.remove(task);
    } else if (task.peculiar !== null) {
      lane.peculiar.remove(task);
      lane.knownMs -= task.predictedMs;
      leavePlan(task);
    } else {
      lane.known.remove(task);
      lane.knownMs -= task.predictedMs;
    }
  }
  task.predictedMs = null;
  task.peculiar = null;
  if (isHeld) return;
  if (lane.groups.length > 1 && lane.queued === lane.held.size) {
    lane.waitsSinceMs = null;
    index.expiring.delete(lane);
  }
  if (lane.heapSlot >= 0 && waitingIn(lane) === 0) {
    group.waiting.remove(lane);
    if (lane.gang !== null) index.gangs.delete(lane);
  }
  endWanting(index, group);
}

/** Nothing of the lane is placed any more: its run is being canceled. */
export function closeLane(index: Index, lane: Lane): void {
  lane.isClosed = true;
  if (lane.heapSlot >= 0) lane.group.waiting.remove(lane);
  index.gangs.delete(lane);
  index.expiring.delete(lane);
  endWanting(index, lane.group);
}

function beginAvoiding(
  index: Index,
  group: RequirementGroup,
  id: TaskId,
  entry: { lane: Lane; task: TaskRecord },
): void {
  group.avoiding.set(id, entry);
  index.avoidingGroups.add(group);
}

function endAvoiding(index: Index, group: RequirementGroup, id: TaskId): void {
  group.avoiding.delete(id);
  if (group.avoiding.size === 0) index.avoidingGroups.delete(group);
}

function beginWanting(index: Index, group: RequirementGroup): void {
  if (index.waitingGroups.has(group)) return;
  index.waitingGroups.add(group);
  for (const capability of group.fitting) capability.wantedBy += 1;
}

function endWanting(index: Index, group: RequirementGroup): void {
  if (group.waiting.size > 0 || group.avoiding.size > 0) return;
  if (!index.waitingGroups.delete(group)) return;
  for (const capability of group.fitting) capability.wantedBy -= 1;
}

/** Opens the next alternatives of a lane that waits: it stands in another group from now on, with all that waits in it. */
export function openAlternative(index: Index, lane: Lane, opened: number): void {
  const from = lane.group;
  const to = lane.groups[opened] as RequirementGroup;
  lane.opened = opened;
  index.changes += 1;
  lane.group = to;
  if (opened + 1 >= lane.groups.length) index.expiring.delete(lane);
  index.unchecked.add(to);
  if (from === to) return;
  if (lane.heapSlot >= 0) {
    from.waiting.remove(lane);
    to.waiting.push(lane);
  }
  for (const [id, entry] of [...from.avoiding]) {
    if (entry.lane !== lane) continue;
    endAvoiding(index, from, id);
    beginAvoiding(index, to, id, entry);
  }
  if (to.waiting.size > 0 || to.avoiding.size > 0) beginWanting(index, to);
  endWanting(index, from);
}

/** Tasks of a lane that wait in line, whatever is known of them. */
export function waitingIn(lane: Lane): number {
  return lane.known.size + lane.peculiar.size + lane.unknown.size;
}

/** Puts an assignment where its state belongs: among those that others may take work from, or not. */
export function refreshStealable(index: Index, assignment: Assignment, worker: WorkerRecord): void {
  // A batch of one never is: the cheap way out for the many.
  if (assignment.tasks.length < 2) return;
  const { group } = assignment;
  const isStealable =
    assignment.takeBack === null && assignment.unstarted > 0 && assignment.open > 1 && isLinked(worker);
  assignment.endsAtMs = assignment.sinceMs + assignment.runningMs + assignment.unstartedMs;
  if (isStealable) {
    if (assignment.heapSlot >= 0) group.stealable.update(assignment);
    else group.stealable.push(assignment);
    index.stealableGroups.add(group);
  } else if (assignment.heapSlot >= 0) {
    group.stealable.remove(assignment);
    if (group.stealable.size === 0) index.stealableGroups.delete(group);
  }
}

function isLinked(worker: WorkerRecord): boolean {
  return worker.state.kind === 'connected' || worker.state.kind === 'draining';
}
