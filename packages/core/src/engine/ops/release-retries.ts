// Retries whose delay is over wait in line from now on.
import type { TaskId } from '@assay/protocol';
import { taskIdOf } from '../ids.ts';
import type { Step } from '../step.ts';

/** As many as one event names; the rest follow at once. */
const tasksMax = 1_000;

export function releaseRetries(step: Step): void {
  const { delayed } = step.state.index;
  for (;;) {
    const tasks: TaskId[] = [];
    for (const { lane, task, atMs } of delayed.inOrder()) {
      if (atMs > step.nowMs || tasks.length >= tasksMax) break;
      tasks.push(taskIdOf(lane.run.run, task.index));
    }
    if (tasks.length === 0) return;
    step.emit({ kind: 'retriesDue', tasks });
  }
}
