// Deadlines that are due: graces that ended, workers to forget, requests to certify or recover without an answer, cancellations that no worker answered.
import { present } from '../../kernel/assert.ts';
import type { Reply } from '../events.ts';
import { findTask } from '../lookup.ts';
import { settleAttempt } from '../settle.ts';
import { accepted } from '../step.ts';
import type { Step } from '../step.ts';
import { passTimeOfCircuits } from './order-circuit.ts';
import { loseWorker } from './part-with-worker.ts';
import { releaseExpired } from './quarantine-test.ts';
import { releaseRetries } from './release-retries.ts';
import { passCheckups, passOverdue } from './watch-workers.ts';

export function passTime(step: Step): Reply {
  const { state, nowMs } = step;
  for (;;) {
    const due = state.index.workerDeadlines.peek();
    if (due === undefined || due.atMs > nowMs) break;
    const worker = present(state.workers.get(due.worker), 'worker of a deadline');
    if (worker.state.kind === 'disconnected') loseWorker(step, worker, 'graceExpired');
    else step.emit({ kind: 'workerForgotten', worker: worker.worker });
  }
  passCheckups(step);
  passOverdue(step);
  for (const [id, { attempt, deadlineMs }] of state.index.canceling) {
    if (deadlineMs > nowMs) break;
    const { run, task } = present(findTask(state, id), 'task that is being canceled');
    settleAttempt(step, run, task, attempt, { verdict: 'canceled', counts: attempt.counts });
  }
  releaseRetries(step);
  releaseExpired(step);
  passTimeOfCircuits(step);
  return accepted;
}
