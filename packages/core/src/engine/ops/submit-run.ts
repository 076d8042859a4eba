// A run comes in. Everything about it is checked before anything changes; the same submission again is the same run.
import type { RunSpec, Task } from '@assay/protocol';
import { limit } from '../limits.ts';
import { parseRequirement } from '../../hardware/requirement.ts';
import type { Reply } from '../events.ts';
import { submissionKeyOf } from '../evolve-run.ts';
import type { SubmitRun } from '../inputs.ts';
import { rankOf } from '../../scheduling/order.ts';
import { present } from '../../kernel/assert.ts';
import { settleRunWhenDone } from '../settle.ts';
import { refused } from '../step.ts';
import type { Step } from '../step.ts';

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
  const refusal = checkSpec(state.index.groups, spec) ?? checkTasks(spec, tasks, 0);
  if (refusal !== null) return refusal;
  const rankMs = rankOf(step.nowMs, spec.priority, step.config.ageingPerPriorityMs);
  step.emit({ kind: 'runSubmitted', run, submitter, idempotencyKey, contentDigest, spec, rankMs });
  step.emit({ kind: 'tasksQueued', run, chunk: 0, first: 0, tasks, sealed });
  settleRunWhenDone(step, present(state.runs.get(run), 'the run just submitted'));
  return { kind: 'runAccepted', run, tasks: tasks.length, isRepeat: false };
}

function checkSpec(known: ReadonlyMap<string, unknown>, spec: RunSpec): Reply | null {
  if (spec.suites.length > limit('suitesPerRun'))
    return refused('BAD_REQUEST', `${spec.suites.length} suites; at most ${limit('suitesPerRun')}`);
  for (const { name, requires } of spec.suites) {
    // What another run already uses was parsed then.
    if (known.has(requires)) continue;
    const parsed = parseRequirement(requires);
    if (parsed.kind === 'refused') return refused('BAD_REQUIREMENT', `suite ${name}: ${parsed.reason}`);
  }
  return null;
}

/** The refusal of tasks that a run with this specification cannot take, or null. */
export function checkTasks(spec: RunSpec, tasks: readonly Task[], already: number): Reply | null {
  if (already + tasks.length > limit('tasksPerRun'))
    return refused('RUN_TOO_LARGE', `${already + tasks.length} tasks; at most ${limit('tasksPerRun')}`);
  for (const [position, { suite }] of tasks.entries()) {
    if (spec.suites[suite] === undefined)
      return refused('BAD_REQUEST', `task ${position} names suite ${suite}; the run has ${spec.suites.length}`);
  }
  return null;
}
