// Attempts that a worker gives back unstarted. They spend nothing, except where that would go round for ever: a worker that
// says it does not fit is avoided, and a task that is given back again and again counts as failed by the infrastructure.
import type { AttemptRef, Report } from '@assay/protocol';
import type { ReportsRefused } from '../events.ts';
import { heldAttempt } from '../lookup.ts';
import { dropHedge } from '../settle-hedge.ts';
import { settleAttempt } from '../settle.ts';
import type { AttemptRecord, TaskRecord, WorkerRecord } from '../state.ts';
import type { Step } from '../step.ts';

/** How often a task may come back before it counts. Stealing does not do that: see steal.ts. */
const returnsMax = 20;
type Returned = Extract<Report, { kind: 'returned' }>;

export function takeReturned(
  step: Step,
  worker: WorkerRecord,
  report: Returned,
  refused: ReportsRefused['refused'],
): void {
  const plain = new Map<string, AttemptRef>();
  const others: AttemptRef[] = [];
  for (const ref of report.attempts) {
    const held = heldAttempt(step.state, worker.worker, ref);
    if (held === null)
      refused.push({
        seq: report.seq,
        task: ref.task,
        attempt: ref.attempt,
        reason: "the attempt is not this worker's now",
      });
    else if (held.task.hedge === held.attempt) dropHedge(step, held.run, held.task, report.reason, false);
    else if (held.attempt.state.kind === 'assigned' && !isGoingRound(report, held.task)) plain.set(ref.task, ref);
    else others.push(ref);
  }
  if (plain.size > 0)
    step.emit({ kind: 'tasksReturned', worker: worker.worker, attempts: [...plain.values()], reason: report.reason });
  for (const ref of others) {
    // Looked up again: a run that stops itself may have settled it meanwhile.
    const held = heldAttempt(step.state, worker.worker, ref);
    if (held !== null) settleAttempt(step, held.run, held.task, held.attempt, endingOf(worker, report, held.attempt));
  }
}

function isGoingRound(report: Returned, task: TaskRecord): boolean {
  return report.reason === 'misfit' || task.lastAttempt - task.attempts.length >= returnsMax;
}

function endingOf(
  worker: WorkerRecord,
  report: Returned,
  { counts, state }: AttemptRecord,
): Parameters<typeof settleAttempt>[4] {
  const message = `${worker.name} gave it back: ${report.message ?? report.reason}`;
  if (state.kind === 'canceling') return { verdict: 'canceled', counts };
  // It did start and has no end to report: a restarted agent gives back what its predecessor ran.
  if (state.kind === 'running')
    return { verdict: 'lost', counts, failure: { class: 'infrastructure', code: 'WORKER_LOST', message } };
  const code = report.reason === 'misfit' ? 'REQUIREMENT_MISFIT' : 'WORKER_LOST';
  return { verdict: 'errored', counts, failure: { class: 'infrastructure', code, message } };
}
