// Finding things in the state by the ids that inputs and events carry.
import type { AttemptRef, TaskId, WorkerId } from '@assay/protocol';
import { indexOf, runIdOf, taskIdOf } from './ids.ts';
import { present } from '../kernel/assert.ts';
import type { AttemptRecord, Assignment, RunRecord, State, TaskRecord } from './state.ts';

export type FoundTask = { readonly run: RunRecord; readonly task: TaskRecord };

/** The task of an id, or null where no live run has it. */
export function findTask(state: State, id: TaskId): FoundTask | null {
  const run = state.runs.get(runIdOf(id));
  const task = run?.tasks[indexOf(id)];
  // Ids are written in one way only: "r-1.01" is not the id of any task.
  if (run === undefined || task === undefined || taskIdOf(run.run, task.index) !== id) return null;
  return { run, task };
}

/** The attempt that a task has in hand, or null while it is queued or settled. */
export function currentAttempt(task: TaskRecord): AttemptRecord | null {
  if (task.state.kind === 'queued' || task.state.kind === 'settled') return null;
  return present(task.attempts.at(-1), 'current attempt');
}

/** The attempt named, if this worker holds it now: the fence. */
export function heldAttempt(
  state: State,
  worker: WorkerId,
  ref: AttemptRef,
): (FoundTask & { readonly attempt: AttemptRecord }) | null {
  const found = findTask(state, ref.task);
  if (found === null) return null;
  const attempt = currentAttempt(found.task);
  if (attempt === null || attempt.attempt !== ref.attempt || attempt.worker !== worker) return null;
  return { ...found, attempt };
}

/** The attempts of an assignment that are not over, in its order. */
export function openAttempts(
  state: State,
  assignment: Assignment,
): { task: TaskRecord; attempt: AttemptRecord; ref: AttemptRef }[] {
  const run = present(state.runs.get(assignment.run), 'run of an assignment');
  const open = [];
  for (const { index, attempt: number } of assignment.tasks) {
    const task = present(run.tasks[index], 'task of an assignment');
    const attempt = currentAttempt(task);
    if (attempt === null || attempt.attempt !== number) continue;
    open.push({ task, attempt, ref: { task: taskIdOf(run.run, index), attempt: number } });
  }
  return open;
}
