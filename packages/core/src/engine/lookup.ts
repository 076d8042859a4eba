// Finding things in the state by the ids that inputs and events carry.
import type { AttemptRef, TaskId, WorkerId } from '@assay/protocol';
import { taskIdOf } from './ids.ts';
import { present } from '../kernel/assert.ts';
import type { AttemptRecord, Assignment, RunRecord, State, TaskRecord } from './state.ts';

export type FoundTask = { readonly run: RunRecord; readonly task: TaskRecord };

/** The task of an id, or null where no live run has it. */
export function findTask(state: State, id: TaskId): FoundTask | null {
  const dot = id.lastIndexOf('.');
  const run = state.runs.get(id.slice(0, dot) as RunRecord['run']);
  const task = run?.tasks[wholeNumberFrom(id, dot + 1)];
  return run === undefined || task === undefined ? null : { run, task };
}

/**
 * The number that the text ends with, or -1 where it is not written in the one way that ids are: "r-1.01" is not the id of any
 * task. Read digit by digit: this is asked several times for every report, and making strings to compare cost more than the rest.
 */
function wholeNumberFrom(text: string, start: number): number {
  const length = text.length - start;
  if (length < 1 || length > 15 || (length > 1 && text.charCodeAt(start) === 48)) return -1;
  let value = 0;
  for (let at = start; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** The attempt that a task has in hand, or null while it is queued or settled. */
export function currentAttempt(task: TaskRecord): AttemptRecord | null {
  if (task.state.kind === 'queued' || task.state.kind === 'settled') return null;
  return present(task.attempts.at(-1), 'current attempt');
}

/** The attempt of this number if it is not over: the current one or its duplicate. */
export function liveAttempt(task: TaskRecord, number: number): AttemptRecord | null {
  if (task.hedge !== null && task.hedge.attempt === number) return task.hedge;
  const current = currentAttempt(task);
  return current !== null && current.attempt === number ? current : null;
}

/** The attempt named, if this worker holds it now: the fence. */
export function heldAttempt(
  state: State,
  worker: WorkerId,
  ref: AttemptRef,
): (FoundTask & { readonly attempt: AttemptRecord }) | null {
  const found = findTask(state, ref.task);
  if (found === null) return null;
  const attempt = liveAttempt(found.task, ref.attempt);
  if (attempt === null || attempt.worker !== worker) return null;
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
    const attempt = liveAttempt(task, number);
    if (attempt === null) continue;
    open.push({ task, attempt, ref: { task: taskIdOf(run.run, index), attempt: number } });
  }
  return open;
}
