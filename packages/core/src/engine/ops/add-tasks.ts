// A further chunk of a run's tasks. Chunks come in order; one that was taken already is success, so that a client that did
// not hear the answer may simply ask again.
import type { Reply } from '../events.ts';
import type { AddTasks } from '../inputs.ts';
import { settleRunWhenDone } from '../settle.ts';
import { refused } from '../step.ts';
import type { Step } from '../step.ts';
import { checkTasks } from './check-submission.ts';
import { skipQuarantined } from './skip-quarantined.ts';
import { skipLateDependents } from './skip-dependents.ts';

export function addTasks(step: Step, input: AddTasks): Reply {
  const run = step.state.runs.get(input.run);
  if (run === undefined) return repeatOfRetired(step, input) ?? refused('NOT_FOUND', `run ${input.run} is not live`);
  if (input.chunk <= run.lastChunk)
    return { kind: 'runAccepted', run: run.run, tasks: run.tasks.length, isRepeat: true };
  if (run.state.kind !== 'open')
    return refused('RUN_SEALED', `run ${run.run} is ${run.state.kind} and takes no more tasks`);
  if (input.chunk > run.lastChunk + 1)
    return refused('CONFLICT', `chunk ${run.lastChunk + 1} of run ${run.run} is missing`);
  const refusal = checkTasks(run.spec, input.tasks, run.tasks, input.sealed);
  if (refusal !== null) return refusal;
  step.emit({
    kind: 'tasksQueued',
    run: run.run,
    chunk: input.chunk,
    first: run.tasks.length,
    tasks: input.tasks,
    sealed: input.sealed,
  });
  skipLateDependents(step, run, run.tasks.length - input.tasks.length);
  skipQuarantined(step, run, run.tasks.length - input.tasks.length);
  settleRunWhenDone(step, run);
  return { kind: 'runAccepted', run: run.run, tasks: run.tasks.length, isRepeat: false };
}

/** The run left the engine: a chunk that it took is still answered as the repeat that it is, for as long as its key is remembered. */
function repeatOfRetired(step: Step, { run, chunk }: AddTasks): Reply | null {
  for (const [, submission] of step.state.retired.entries()) {
    if (submission.run !== run) continue;
    const { lastChunk = 0, tasksInAll = submission.tasks } = submission;
    if (chunk <= lastChunk) return { kind: 'runAccepted', run, tasks: tasksInAll, isRepeat: true };
    return refused('RUN_SEALED', `run ${run} is over and takes no more tasks`);
  }
  return null;
}
