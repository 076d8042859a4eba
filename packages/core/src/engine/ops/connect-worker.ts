// A worker says hello: for the first time, after a cut, or after its own restart.
//
// The newest process with the right token wins: an agent that was killed and started again is back at once, even while the
// coordinator still believes in the link of the dead one. A process that was replaced so is not let in again, which ends
// the quarrel of two that share a state directory. `held` is everything the worker has, finished and unacknowledged work
// too: what the engine believes it has and is not there never arrived, or died with the process that ran it.
import type { AttemptRef } from '@assay/protocol';
import type { Reply } from '../events.ts';
import type { WorkerConnected } from '../inputs.ts';
import { heldAttempt, openAttempts } from '../lookup.ts';
import { sendCancel } from '../settle.ts';
import { profileChangesOf } from './profile-changes.ts';
import type { State, WorkerRecord } from '../state.ts';
import { accepted, refused } from '../step.ts';
import type { Step } from '../step.ts';
import { resumeCheckups } from './certify.ts';
import { releaseAttempts } from './release-attempts.ts';

export function connectWorker(step: Step, input: WorkerConnected): Reply {
  const { state } = step;
  const known = state.workers.get(input.worker);
  if (known !== undefined && known.token !== input.token) {
    return turnAway(step, input, 'WORKER_ID_TAKEN', `worker ${input.worker} belongs to another token`);
  }
  if (known !== undefined && isLive(known) && known.superseded.includes(input.incarnation)) {
    return turnAway(step, input, 'WORKER_SUPERSEDED', `another process joined as ${input.worker} after this one`);
  }
  const { held, nextReportSeq: _, kind: _kind, ...hello } = input;
  const wasDraining = known !== undefined && isDrainedStill(known, input.incarnation);
  step.emit({
    ...hello,
    kind: 'workerJoined',
    ackedSeq: known?.ackedSeq ?? -1,
    isDraining: input.isDraining || wasDraining,
    isReturning: known !== undefined,
    ...(known === undefined || known.profileDigest === input.profileDigest
      ? {}
      : { profileChanges: profileChangesOf(state, known, input.profile) }),
    abandon: held.filter((ref) => heldAttempt(state, input.worker, ref) === null),
  });
  const worker = known ?? state.workers.get(input.worker);
  if (worker === undefined) return accepted;
  reconcile(step, worker, held);
  if (worker.health.conditions.size > 0) resumeCheckups(step, worker);
  // The drain may never have reached it.
  if (wasDraining && !input.isDraining)
    step.emit({ kind: 'workerDraining', worker: worker.worker, actor: 'assay', reason: 'it was draining before' });
  return accepted;
}

function turnAway(
  step: Step,
  input: WorkerConnected,
  code: 'WORKER_ID_TAKEN' | 'WORKER_SUPERSEDED',
  message: string,
): Reply {
  step.emit({ kind: 'workerRefused', worker: input.worker, session: input.session, code, message });
  return refused(code, message);
}

function isLive(worker: WorkerRecord): boolean {
  return worker.state.kind !== 'lost' && worker.state.kind !== 'left';
}

/** A drained process stays drained; one started anew is a new decision of its operator. */
function isDrainedStill(worker: WorkerRecord, incarnation: string): boolean {
  if (worker.incarnation !== incarnation) return false;
  return worker.state.kind === 'draining' || (worker.state.kind === 'disconnected' && worker.state.wasDraining);
}

function reconcile(step: Step, worker: WorkerRecord, held: readonly AttemptRef[]): void {
  if (worker.assignments.size === 0) return;
  const heldKeys = new Set(held.map(({ task, attempt }) => `${task}#${attempt}`));
  releaseAttempts(
    step,
    worker,
    'notDelivered',
    'the worker came back without it',
    (ref) => !heldKeys.has(`${ref.task}#${ref.attempt}`),
  );
  // Cancellations may not have reached it either.
  const canceling = cancelingOf(step.state, worker);
  if (canceling.length > 0) sendCancel(step, worker.worker, canceling, 'canceled');
}

function cancelingOf(state: State, worker: WorkerRecord): AttemptRef[] {
  const refs: AttemptRef[] = [];
  for (const assignment of worker.assignments.values()) {
    for (const { attempt, ref } of openAttempts(state, assignment))
      if (attempt.state.kind === 'canceling') refs.push(ref);
  }
  return refs;
}
