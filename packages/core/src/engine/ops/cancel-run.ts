// A run, or some of its tasks, is to stop: what waits is settled at once, what runs is asked to stop and has a deadline.
import type { Reply } from '../events.ts';
import { fellowsOf } from '../../scheduling/gangs.ts';
import { taskIdOf } from '../ids.ts';
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
  const tasks = new Set<TaskRecord>();
  for (const id of new Set(input.tasks)) {
    const found = findTask(step.state, id);
    if (found === null || found.run !== run) return refused('NOT_FOUND', `task ${id} is not of run ${run.run}`);
    const gang = run.lanes[found.task.suite]?.gang ?? null;
    // A gang runs together or not at all.
    for (const task of gang === null ? [found.task] : fellowsOf(gang, found.task))
      if (task.state.kind !== 'settled') tasks.add(task);
  }
  if (tasks.size === 0) return accepted;
  const asked = new Set([...input.tasks, ...[...tasks].map(({ index }) => taskIdOf(run.run, index))]);
  step.emit({ kind: 'runCancelRequested', run: run.run, actor, reason, cause: 'request', tasks: [...asked] });
  cancelTasks(step, run, [...tasks], reason);
  return accepted;
}
