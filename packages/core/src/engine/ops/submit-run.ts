// A run comes in. Everything about it is checked before anything changes; the same submission again is the same run.
import type { Reply } from '../events.ts';
import { submissionKeyOf } from '../evolve-run.ts';
import type { SubmitRun } from '../inputs.ts';
import { rankOf } from '../../scheduling/order.ts';
import { present } from '../../kernel/assert.ts';
import { settleRunWhenDone } from '../settle.ts';
import { refused } from '../step.ts';
import type { Step } from '../step.ts';
import { checkSpec, checkTasks } from './check-submission.ts';
import { skipQuarantined } from './skip-quarantined.ts';

export function submitRun(step: Step, input: SubmitRun): Reply {
  const { state } = step;
  const { run, submitter, idempotencyKey, contentDigest, spec, tasks, sealed } = input;
  const key = submissionKeyOf(submitter, idempotencyKey);
  const earlier = state.submissions.get(key) ?? state.retired.get(key);
  if (earlier !== undefined) {
    if (earlier.contentDigest === contentDigest)
      return { kind: 'runAccepted', run: earlier.run, tasks: earlier.tasks, isRepeat: true };
    return refused('IDEMPOTENCY_MISMATCH', `key ${idempotencyKey} was used for run ${earlier.run} with other content`);
  }
  if (state.runs.has(run)) return refused('CONFLICT', `run ${run} exists`);
  const refusal = checkSpec(state.index.groups, spec) ?? checkTasks(spec, tasks, [], sealed);
  if (refusal !== null) return refusal;
  const rankMs = rankOf(step.nowMs, spec.priority, step.config.ageingPerPriorityMs);
  step.emit({ kind: 'runSubmitted', run, submitter, idempotencyKey, contentDigest, spec, rankMs });
  step.emit({ kind: 'tasksQueued', run, chunk: 0, first: 0, tasks, sealed });
  const record = present(state.runs.get(run), 'the run just submitted');
  skipQuarantined(step, record, 0);
  settleRunWhenDone(step, record);
  return { kind: 'runAccepted', run, tasks: tasks.length, isRepeat: false };
}
