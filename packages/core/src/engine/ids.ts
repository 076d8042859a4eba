// A task's id is its run's and its index: `r-1.7`. The same rule as the protocol's ids.ts, of which core takes only the types
// (a test holds the two together).
import type { RunId, TaskId } from '@assay/protocol';

export function taskIdOf(run: RunId, index: number): TaskId {
  return `${run}.${index}` as TaskId;
}

export function runIdOf(task: TaskId): RunId {
  return task.slice(0, task.lastIndexOf('.')) as RunId;
}

export function indexOf(task: TaskId): number {
  return Number(task.slice(task.lastIndexOf('.') + 1));
}
