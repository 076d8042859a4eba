// The ways in which a worker goes: its link closes (it has a grace to come back), it falls silent (presumed lost at once),
// it leaves, or the coordinator itself was away and no link is open any more.
import type { Reply } from '../events.ts';
import type { CoordinatorRestarted, WorkerDisconnected, WorkerLeft, WorkerWentSilent } from '../inputs.ts';
import type { WorkerRecord } from '../state.ts';
import { accepted, refused } from '../step.ts';
import type { Step } from '../step.ts';
import { countAttempts, releaseAttempts } from './release-attempts.ts';

export function disconnectWorker(step: Step, input: WorkerDisconnected): Reply {
  const worker = linked(step, input);
  if (worker === null) return notItsLink(input);
  step.emit({
    kind: 'workerDisconnected',
    worker: worker.worker,
    session: input.session,
    graceUntilMs: step.nowMs + step.config.reconnectGraceMs,
  });
  return accepted;
}

export function loseSilentWorker(step: Step, input: WorkerWentSilent): Reply {
  const worker = linked(step, input);
  if (worker === null) return notItsLink(input);
  loseWorker(step, worker, 'silent');
  return accepted;
}

export function partWithWorker(step: Step, input: WorkerLeft): Reply {
  const worker = linked(step, input);
  if (worker === null) return notItsLink(input);
  step.emit({
    kind: 'workerLeft',
    worker: worker.worker,
    reason: input.reason,
    forgetAtMs: step.nowMs + step.config.forgetWorkerAfterMs,
  });
  releaseAttempts(step, worker, 'workerLeft', 'it left with the task unfinished');
  return accepted;
}

export function resetLinks(step: Step, input: CoordinatorRestarted): Reply {
  step.emit({ kind: 'linksReset', epoch: input.epoch, graceUntilMs: step.nowMs + step.config.recoveryGraceMs });
  return accepted;
}

/** Presumes a worker lost and gives its work to others. */
export function loseWorker(step: Step, worker: WorkerRecord, reason: 'silent' | 'graceExpired'): void {
  const forgetAtMs = step.nowMs + step.config.forgetWorkerAfterMs;
  step.emit({ kind: 'workerLost', worker: worker.worker, reason, attempts: countAttempts(worker), forgetAtMs });
  releaseAttempts(
    step,
    worker,
    'workerLost',
    reason === 'silent' ? 'it fell silent' : 'its link closed and it did not come back',
  );
}

/** The worker, if this session is the link that it has now. */
export function linked(
  step: Step,
  of: { readonly worker: WorkerRecord['worker']; readonly session: WorkerRecord['session'] },
): WorkerRecord | null {
  const worker = step.state.workers.get(of.worker);
  if (worker === undefined || worker.session !== of.session) return null;
  return worker.state.kind === 'connected' || worker.state.kind === 'draining' ? worker : null;
}

export function notItsLink(of: { readonly worker: string; readonly session: string }): Reply {
  return refused('CONFLICT', `session ${of.session} is not the link of worker ${of.worker} now`);
}
