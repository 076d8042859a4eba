// The end of things: of an attempt, of its task, of its run. Every way for work to end goes through here, so that budgets
// are spent, fail-fast fires and runs settle in one place.
import type { AttemptFailure, AttemptRef, BlobRef, CaseCounts, Verdict, WorkerId } from '@assay/protocol';
import { taskIdOf } from './ids.ts';
import { limit } from './limits.ts';
import { verdictOfRun } from '../recovery/run-verdict.ts';
import { budgetOf } from '../recovery/retry.ts';
import type { AttemptSettled } from './events.ts';
import { currentAttempt } from './lookup.ts';
import { feedCircuits, probedBy } from './ops/feed-circuits.ts';
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
};

/** Ends the current attempt of a task, and the task with it or for another try. */
export function settleAttempt(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
  attempt: AttemptRecord,
  ending: Ending,
): void {
  const { next, said } = decideNext(step, run, task, attempt, ending);
  const id = taskIdOf(run.run, task.index);
  const probed = probedBy(step.state, run, task);
  step.emit({ kind: 'attemptSettled', task: id, attempt: attempt.attempt, worker: attempt.worker, ...said, next });
  feedCircuits(step, run, task, attempt, ending, probed);
  if (next.kind === 'settle') settleTask(step, run, task, said.verdict);
}

type Next = AttemptSettled['next'];

function decideNext(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
  attempt: AttemptRecord,
  ending: Ending,
): { next: Next; said: Ending } {
  const settle: Next = { kind: 'settle' };
  if (attempt.state.kind === 'canceling' && isRestarting(run, task) && ending.verdict !== 'passed')
    return {
      next: { kind: 'requeue', spends: 'nothing', avoidWorker: null },
      said: { ...ending, verdict: 'canceled' },
    };
  if (attempt.state.kind === 'canceling' || run.state.kind === 'canceling') {
    return { next: settle, said: ending.verdict === 'lost' ? { ...ending, verdict: 'canceled' } : ending };
  }
  const budget = budgetOf(ending.verdict, ending.failure);
  if (budget === 'userRetry' && task.userRetries < (run.spec.suites[task.suite]?.retries ?? 0)) {
    return { next: { kind: 'requeue', spends: 'userRetry', avoidWorker: null }, said: ending };
  }
  if (budget !== 'infrastructureRetry') return { next: settle, said: ending };
  if (task.infrastructureRetries < step.config.infrastructureRetriesMax) {
    return { next: { kind: 'requeue', spends: 'infrastructureRetry', avoidWorker: attempt.worker }, said: ending };
  }
  return { next: settle, said: { ...ending, verdict: 'errored', failure: exhausted(task, ending) } };
}

/** Whether the task is being stopped so that its gang can start again together. */
function isRestarting(run: RunRecord, task: TaskRecord): boolean {
  if (run.restarting.size === 0 || run.state.kind === 'canceling') return false;
  const gang = run.lanes[task.suite]?.gang ?? null;
  return gang !== null && run.restarting.has(firstOf(gang, task.index));
}

function exhausted(task: TaskRecord, ending: Ending): AttemptFailure {
  const tries = task.infrastructureRetries + 1;
  const last = ending.failure;
  return {
    class: 'infrastructure',
    code: 'RETRIES_EXHAUSTED',
    message:
      `Infrastructure failed this task ${tries} times; the last time: ${last?.code ?? ending.verdict}: ${last?.message ?? ''}`.slice(
        0,
        limit('messageChars'),
      ),
    evidence: { ...last?.evidence, lastCode: last?.code ?? ending.verdict, lastClass: last?.class ?? 'infrastructure' },
  };
}

/** Gives a task its verdict; it has no attempt in hand. */
export function settleTask(step: Step, run: RunRecord, task: TaskRecord, verdict: Verdict): void {
  step.emit({ kind: 'taskSettled', task: taskIdOf(run.run, task.index), verdict });
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
    const attempt = currentAttempt(task);
    if (attempt === null || attempt.worker === null || attempt.state.kind === 'canceling') continue;
    const refs = byWorker.get(attempt.worker) ?? [];
    refs.push({ task: taskIdOf(run.run, task.index), attempt: attempt.attempt });
    byWorker.set(attempt.worker, refs);
  }
  for (const [worker, refs] of byWorker) sendCancel(step, worker, refs, reason);
  for (const task of tasks) if (task.state.kind === 'queued') settleTask(step, run, task, 'canceled');
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
  step.emit({ kind: 'runSettled', run: run.run, verdict: verdictOfRun(run.state, run.verdicts) });
}
