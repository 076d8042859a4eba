// Asking a worker to run its checks, and to take a step of recovery. Used by everything that has a doubt: a failed check, an
// attempt that hangs, the half-open probe of a circuit, a person.
import type { AttemptRef, Rung } from '@assay/protocol';
import { returnsByItself } from '../../lifecycle/condition.ts';
import { nextRung } from '../../recovery/ladder.ts';
import { deviceClassOf } from '../../scheduling/withheld.ts';
import { rungKey } from '../evolve-condition.ts';
import { limit } from '../limits.ts';
import { wholeWorker } from '../state.ts';
import type { WorkerRecord } from '../state.ts';
import type { Step } from '../step.ts';
import { attemptsOn, clear, conditionOf } from './change-condition.ts';

type Refs = readonly AttemptRef[];

/** Steps of recovery that end the agent or the machine. */
const longRungs: ReadonlySet<Rung> = new Set(['agent', 'rebootHook', 'powerHook']);

/**
 * Asks a linked worker to run every check of the device now (null: of the worker as a whole), and returns the number under which
 * `workerCertified` will answer. Null where the worker is away: it is asked when it is back, if its condition needs it.
 */
export function requestCertification(
  step: Step,
  worker: WorkerRecord,
  device: string | null,
  reason: string,
): number | null {
  if (worker.state.kind !== 'connected' && worker.state.kind !== 'draining') return null;
  // Many may have a doubt at once: while nothing is known to be wrong, one answer will do for all of them.
  const open = worker.health.asked.get(device ?? wholeWorker);
  if (open !== undefined && open.deadlineMs > step.nowMs && conditionOf(worker, device).kind === 'ready')
    return open.request;
  const request = worker.health.requests + 1;
  const deadlineMs = step.nowMs + step.config.certifyPatienceMs;
  const cause = reason.slice(0, 500);
  step.emit({ kind: 'certificationRequested', worker: worker.worker, device, request, deadlineMs, reason: cause });
  return request;
}

/** Whether the worker has a check of the device that can run: one that was not run yet, or could not, proves nothing. */
export function hasCheckFor(worker: WorkerRecord, device: string | null): boolean {
  for (const check of worker.health.checks.values())
    if (check.device === device && check.outcome !== 'notRun') return true;
  return false;
}

/** Asks a linked worker for one step of recovery. */
export function requestRecovery(
  step: Step,
  worker: WorkerRecord,
  device: string | null,
  rung: Rung,
  reason: string,
  attempts: Refs = attemptsOn(step.state, worker, device),
  onlyPastTimeout = false,
): void {
  if (worker.state.kind !== 'connected' && worker.state.kind !== 'draining') return;
  const { recoverPatienceMs, rebootPatienceMs } = step.config;
  step.emit({
    kind: 'recoveryRequested',
    worker: worker.worker,
    device,
    request: worker.health.requests + 1,
    rung,
    deadlineMs: step.nowMs + (longRungs.has(rung) ? rebootPatienceMs : recoverPatienceMs),
    attempts: attempts.slice(0, limit('batchTasksMax')),
    reason: reason.slice(0, 500),
    ...(onlyPastTimeout ? { onlyPastTimeout } : {}),
  });
}

/** The next step of recovery for what is quarantined, or the call for a person when there is none left. */
export function climb(step: Step, worker: WorkerRecord, device: string | null, reason: string): void {
  const condition = conditionOf(worker, device);
  if (condition.kind !== 'quarantined' && condition.kind !== 'suspect') return;
  const { state } = step;
  const deviceClass = deviceClassOf(state.profiles.get(worker.profileDigest)?.profile, device);
  const historyOf = (rung: Rung) => state.rungs.get(rungKey(rung, deviceClass));
  const rung = nextRung(condition.tried, historyOf, step.nowMs);
  if (rung !== null) return requestRecovery(step, worker, device, rung, reason);
  const said = `every step of recovery was tried: ${reason}`.slice(0, 500);
  step.emit({ kind: 'operatorNeeded', worker: worker.worker, device, reason: said });
}

/**
 * The next step that ends neither the agent nor attempts, for a device that works on: something measured speaks against it, and it
 * has no check that could tell. `after` is the step that the worker does not have.
 */
export function takeMildStep(
  step: Step,
  worker: WorkerRecord,
  device: string | null,
  after: Rung | null,
  reason: string,
): void {
  const condition = conditionOf(worker, device);
  // What is under repair already is taken through the whole ladder.
  if (condition.kind !== 'ready') return;
  const deviceClass = deviceClassOf(step.state.profiles.get(worker.profileDigest)?.profile, device);
  const tried = after === null ? [] : [{ rung: after, outcome: 'notApplicable' as const, durationMs: 0 }];
  const rung = nextRung(tried, (one) => step.state.rungs.get(rungKey(one, deviceClass)), step.nowMs);
  if (rung !== null && !longRungs.has(rung)) requestRecovery(step, worker, device, rung, reason, []);
}

/**
 * A worker that is back is asked again for what it may never have heard of, or could not answer. What was only late is looked at
 * anew: it says itself what it still has, and is given the grace of one that was away.
 */
export function resumeCheckups(step: Step, worker: WorkerRecord): void {
  for (const [key, condition] of [...worker.health.conditions]) {
    if (!returnsByItself(condition)) continue;
    const device = key === wholeWorker ? null : key;
    const isOnlyLate =
      condition.kind === 'suspect' &&
      condition.checkup.kind === 'recovering' &&
      condition.checkup.onlyPastTimeout === true;
    if (isOnlyLate) clear(step, worker, device, 'it is back, and is looked at anew');
    else requestCertification(step, worker, device, 'it is back after a time away');
  }
}
