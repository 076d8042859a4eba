// The end of things: of an attempt, of its task, of its run. Every way for work to end goes through here, so that budgets
// are spent, fail-fast fires and runs settle in one place.
import type { AttemptFailure, AttemptRef, BlobRef, CaseCounts, Verdict, WorkerId } from '@assay/protocol';
import { classIdOf, contradicted, diagnosisOf, recoverTask, revisedDiagnoses } from './ops/recover-task.ts';
import { suspectOf } from '../recovery/suspect-of.ts';
import { variantOf } from '../recovery/variant-of.ts';
import type { Decision } from './ops/recover-task.ts';
import { hasCheckFor, requestCertification, takeMildStep } from './ops/certify.ts';
import { concludeOutages } from './ops/shield-fleet.ts';
import { taskIdOf } from './ids.ts';
import { limit } from './limits.ts';
import { verdictOfRun } from '../recovery/run-verdict.ts';
import type { AttemptSettled, TaskSettled } from './events.ts';
import { currentAttempt } from './lookup.ts';
import { canTakeOver, dropHedge, takeHedgeEnd, yieldTo } from './settle-hedge.ts';
import { feedCircuits, probedBy } from './ops/feed-circuits.ts';
import { countExecutions, mutedVerdictOf, mutingOf, nothingMuted, releasePassed } from './ops/mute-failures.ts';
import type { Muting } from './ops/mute-failures.ts';
import { firstOf } from '../scheduling/gangs.ts';
import { skipDependents } from './ops/skip-dependents.ts';
import type { AttemptRecord, RunRecord, TaskRecord } from './state.ts';
import type { Step } from './step.ts';

/** How an attempt ended. */
export type Ending = {
  readonly verdict: Verdict;
  readonly counts: CaseCounts;
  readonly failure?: AttemptFailure;
  readonly costMs?: number;
  readonly startupMs?: number;
  readonly blobs?: BlobRef[];
  /** Other tasks that took workers down before and ran on the worker that went down with this one. */
  readonly fellowSuspects?: number;
};

/** Ends the current attempt of a task, and the task with it or for another try. */
export function settleAttempt(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
  attempt: AttemptRecord,
  ending: Ending,
): void {
  // A duplicate that has a result first takes the place of the other attempt, and is judged as any.
  if (task.hedge === attempt && !takeHedgeEnd(step, run, task, ending.verdict, ending.failure)) return;
  const muting = mutingOf(step, run, task, attempt, ending);
  const {
    next: decided,
    said,
    repair,
  }: Decision = muting.isMuted
    ? { next: { kind: 'settle' }, said: ending, repair: false }
    : decideNext(step, run, task, attempt, ending);
  const { counted, released } = countExecutions(step, run, task, attempt, ending);
  // What is to be repeated runs already.
  const isYielding = decided.kind === 'requeue' && canTakeOver(task);
  const next: Next = isYielding && task.hedge !== null ? yieldTo(task.hedge) : decided;
  if (task.hedge !== null && !isYielding)
    dropHedge(step, run, task, `attempt ${attempt.attempt} was done first`, task.hedge.state.kind !== 'canceling');
  const id = taskIdOf(run.run, task.index);
  const probed = probedBy(step.state, run, task);
  const { fellowSuspects: _, ...told } = said;
  step.emit({
    kind: 'attemptSettled',
    task: id,
    attempt: attempt.attempt,
    worker: attempt.worker,
    ...told,
    next,
    ...circumstancesOf(step, run, task, attempt, said),
    ...(counted.length === 0 ? {} : { counted }),
  });
  releasePassed(step, run, task, released);
  feedCircuits(step, run, task, attempt, ending, probed, next.kind === 'requeue' && next.outage !== undefined);
  if (repair) askForRepair(step, attempt, ending);
  if (step.state.recovery.outages.size > 0)
    concludeOutages(step, id, next.kind === 'requeue' ? next.outage : undefined);
  if (next.kind === 'settle')
    settleTask(step, run, task, muting.isMuted ? mutedVerdictOf(ending) : said.verdict, muting);
}

type Next = AttemptSettled['next'];

function decideNext(step: Step, run: RunRecord, task: TaskRecord, attempt: AttemptRecord, ending: Ending): Decision {
  const settle: Next = { kind: 'settle' };
  if (attempt.state.kind === 'canceling' && isRestarting(run, task) && ending.verdict !== 'passed')
    return {
      next: { kind: 'requeue', spends: 'nothing', avoidWorker: null },
      said: ending.verdict === 'lost' ? { ...ending, verdict: 'canceled' } : ending,
      repair: false,
    };
  if (attempt.state.kind === 'canceling' || run.state.kind === 'canceling') {
    return {
      next: settle,
      said: ending.verdict === 'lost' ? { ...ending, verdict: 'canceled' } : ending,
      repair: false,
    };
  }
  return recoverTask(step, run, task, attempt, ending);
}

/** Whether the task is being stopped so that its gang can start again together. */
function isRestarting(run: RunRecord, task: TaskRecord): boolean {
  if (run.restarting.size === 0 || run.state.kind === 'canceling') return false;
  const gang = run.lanes[task.suite]?.gang ?? null;
  return gang !== null && run.restarting.has(firstOf(gang, task.index));
}

/** Where it ran and what it ran, said only where something went wrong before or now: nothing is added for the many. */
function circumstancesOf(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
  attempt: AttemptRecord,
  { verdict }: Ending,
): Pick<AttemptSettled, 'on' | 'variant'> {
  if (verdict === 'passed' && task.attempts.length === 1) return {};
  const on = classIdOf(step.state, attempt.worker);
  const label = labelOf(run, task);
  return { ...(on === null ? {} : { on }), ...(label === null ? {} : { variant: label }) };
}

/** The label of the variant that a task runs now, or null. */
function labelOf(run: RunRecord, task: TaskRecord): string | null {
  const variants = run.spec.suites[task.suite]?.variants;
  const variant = variants === undefined ? null : variantOf(task);
  return variant === null ? null : (variants?.[variant]?.label ?? null);
}

/**
 * What the machine itself said is wrong with it is looked at by its checks, where it has any; the ladder follows from what they
 * find. Without a check nothing would: the mildest step is taken at once, and nothing else that runs there is ended for it.
 */
function askForRepair(step: Step, attempt: AttemptRecord, { failure }: Ending): void {
  const worker = attempt.worker === null ? undefined : step.state.workers.get(attempt.worker);
  if (worker === undefined || failure === undefined) return;
  const reason = `${failure.code}: ${failure.rule?.matched ?? failure.message}`;
  const devices = new Set([...worker.health.checks.values()].map(({ device }) => device));
  const checked = [...devices].filter((device) => hasCheckFor(worker, device));
  for (const device of checked) requestCertification(step, worker, device, reason);
  if (checked.length === 0) takeMildStep(step, worker, failure.evidence?.['device'] ?? null, null, reason);
}

/** Whose fault it was, and of which configuration the verdict is. */
function attributionOf(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
  verdict: Verdict,
): Pick<TaskSettled, 'diagnosis' | 'variant' | 'contradicts'> {
  const found = verdict === 'canceled' ? null : diagnosisOf(step, run, task);
  const label = labelOf(run, task);
  if (found === null) return label === null ? {} : { variant: label };
  const workers = contradicted(found.tried);
  return {
    diagnosis: found.diagnosis,
    ...(label === null ? {} : { variant: label }),
    ...(workers.length === 0 ? {} : { contradicts: { of: suspectOf(run, task), workers } }),
  };
}

/** Gives a task its verdict; it has no attempt in hand. */
export function settleTask(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
  verdict: Verdict,
  { notes, isMuted }: Muting = nothingMuted,
): void {
  step.emit({
    kind: 'taskSettled',
    task: taskIdOf(run.run, task.index),
    verdict,
    // Of what does not count nobody is at fault; its attempts show what was.
    ...(isMuted ? {} : attributionOf(step, run, task, verdict)),
    ...(notes.length === 0 ? {} : { quarantined: notes }),
  });
  if (verdict !== 'passed' && run.dependents.size > 0 && run.state.kind !== 'canceling')
    skipDependents(step, run, task);
  const isHarmless = verdict === 'passed' || verdict === 'skipped' || verdict === 'canceled';
  if (run.spec.failFast && !isHarmless && (run.state.kind === 'open' || run.state.kind === 'sealed')) {
    const reason = `${task.target === '' ? 'a task' : task.target} ${verdict}`.slice(0, 500);
    step.emit({ kind: 'runCancelRequested', run: run.run, actor: 'assay', reason, cause: 'failFast', tasks: 'all' });
    cancelTasks(step, run, run.tasks, reason);
  }
  settleRunWhenDone(step, run);
}

/** Settles the queued ones as canceled and asks the workers to stop the others. */
export function cancelTasks(step: Step, run: RunRecord, tasks: readonly TaskRecord[], reason: string): void {
  const byWorker = new Map<WorkerId, AttemptRef[]>();
  for (const task of tasks) {
    if (task.hedge !== null) dropHedge(step, run, task, reason, true);
    const attempt = currentAttempt(task);
    if (attempt === null || attempt.worker === null || attempt.state.kind === 'canceling') continue;
    const refs = byWorker.get(attempt.worker) ?? [];
    refs.push({ task: taskIdOf(run.run, task.index), attempt: attempt.attempt });
    byWorker.set(attempt.worker, refs);
  }
  for (const [worker, refs] of byWorker) sendCancel(step, worker, refs, reason);
  if (run.state.kind === 'canceling') return windUp(step, run);
  for (const task of tasks) if (task.state.kind === 'queued') settleTask(step, run, task, 'canceled');
}

/** One entry of the journal settles so many: a run of millions is canceled at once and wound up step by step. */
const settledPerStepMax = 5_000;

/** Settles queued tasks of a canceled run, those first that would otherwise be looked at as retries. */
export function windUp(step: Step, run: RunRecord): void {
  for (const { group } of run.lanes)
    for (const { lane, task } of [...group.avoiding.values()])
      if (lane.run === run) settleTask(step, run, task, 'canceled');
  let left = settledPerStepMax;
  for (const task of run.tasks) {
    if (left === 0 || run.counts.queued === 0) break;
    if (task.state.kind !== 'queued') continue;
    settleTask(step, run, task, 'canceled');
    left -= 1;
  }
}

/** Asks a worker to stop attempts, as many a message as one may carry. */
export function sendCancel(step: Step, worker: WorkerId, refs: readonly AttemptRef[], reason: string): void {
  const deadlineMs = step.nowMs + step.config.cancelGraceMs;
  for (let from = 0; from < refs.length; from += limit('batchTasksMax')) {
    step.emit({
      kind: 'cancelSent',
      worker,
      attempts: refs.slice(from, from + limit('batchTasksMax')),
      reason,
      deadlineMs,
    });
  }
}

/** A run settles when nothing more can come into it and nothing in it is left to do. */
export function settleRunWhenDone(step: Step, run: RunRecord): void {
  if (run.state.kind !== 'sealed' && run.state.kind !== 'canceling') return;
  const { queued, assigned, running } = run.counts;
  if (queued + assigned + running > 0) return;
  for (const { task, diagnosis } of revisedDiagnoses(step, run))
    step.emit({ kind: 'diagnosisRevised', task: taskIdOf(run.run, task.index), diagnosis });
  step.emit({ kind: 'runSettled', run: run.run, verdict: verdictOfRun(run.state, run.verdicts) });
}
