// The queue: which tasks wait in which lane, and which assignments hold work that could be done elsewhere. Called by evolve
// alone; an index over the tasks' own states, built again on restore.
import { taskIdOf } from '../engine/ids.ts';
import type { Assignment, RunRecord, State, TaskRecord, WorkerRecord } from '../engine/state.ts';
import { present } from '../kernel/assert.ts';
import type { Index, Lane } from './index-types.ts';
import { peculiarCosts, predictOwn } from './predict.ts';

export function laneOf(run: RunRecord, suite: number): Lane {
  return present(run.lanes[suite], 'lane');
}

/** Puts a task whose state is `queued` in its lane, with the prediction of now. */
export function enqueue(state: State, run: RunRecord, task: TaskRecord): void {
  const { suiteKey } = laneOf(run, task.suite);
  putInLane(state.index, run, task, predictOwn(state, suiteKey, task), peculiarCosts(state, suiteKey, task));
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
  const { group } = lane;
  lane.queued += 1;
  task.predictedMs = predictedMs;
  task.peculiar = peculiar;
  if (task.state.kind === 'queued' && task.state.avoidWorker !== null) {
    group.avoiding.set(taskIdOf(run.run, task.index), { lane, task });
  } else {
    if (task.predictedMs === null) {
      lane.unknown.push(task);
    } else {
      lane.known.push(task);
      lane.knownMs += task.predictedMs;
    }
    if (lane.heapSlot < 0) group.waiting.push(lane);
  }
  if (index.waitingGroups.has(group)) return;
  index.waitingGroups.add(group);
  for (const capability of group.fitting) capability.wantedBy += 1;
}

/** Takes a task out of its lane, before its state changes. */
export function dequeue(index: Index, run: RunRecord, task: TaskRecord): void {
  const lane = laneOf(run, task.suite);
  const { group } = lane;
  lane.queued -= 1;
  if (task.heapSlot < 0) {
    group.avoiding.delete(taskIdOf(run.run, task.index));
  } else if (task.predictedMs === null) {
    lane.unknown.remove(task);
  } else {
    lane.known.remove(task);
    lane.knownMs -= task.predictedMs;
  }
  task.predictedMs = null;
  task.peculiar = null;
  if (lane.heapSlot >= 0 && lane.known.size === 0 && lane.unknown.size === 0) group.waiting.remove(lane);
  if (group.waiting.size > 0 || group.avoiding.size > 0) return;
  index.waitingGroups.delete(group);
  for (const capability of group.fitting) capability.wantedBy -= 1;
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
