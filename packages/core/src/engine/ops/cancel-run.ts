// A run, or some of its tasks, is to stop: what waits is settled at once, what runs is asked to stop and has a deadline.
import type { Reply } from '../events.ts';
import type { CancelRun } from '../inputs.ts';
import { findTask } from '../lookup.ts';
import { cancelTasks, settleRunWhenDone } from '../settle.ts';
import type { TaskRecord } from '../state.ts';
import { accepted, refused } from '../step.ts';
import type { Step } from '../step.ts';

export function cancelRun(step: Step, input: CancelRun): Reply {
  const run = step.state.runs.get(input.run);
  if (run === undefined) return refused('NOT_FOUND', `run ${input.run} is not live`);
  const { actor, reason } = input;
  if (input.tasks === undefined) {
    // Settled, or asked before: the wish is already met.
    if (run.state.kind === 'settled' || (run.state.kind === 'canceling' && run.state.cause === 'request'))
      return accepted;
    step.emit({ kind: 'runCancelRequested', run: run.run, actor, reason, cause: 'request', tasks: 'all' });
    cancelTasks(step, run, run.tasks, reason);
    settleRunWhenDone(step, run);
    return accepted;
  }
  const tasks: TaskRecord[] = [];
  for (const id of new Set(input.tasks)) {
    const found = findTask(step.state, id);
    if (found === null || found.run !== run) return refused('NOT_FOUND', `task ${id} is not of run ${run.run}`);
    if (found.task.state.kind !== 'settled') tasks.push(found.task);
  }
  if (tasks.length === 0) return accepted;
  step.emit({ kind: 'runCancelRequested', run: run.run, actor, reason, cause: 'request', tasks: [...input.tasks] });
  cancelTasks(step, run, tasks, reason);
  return accepted;
}
