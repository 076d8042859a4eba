// Whether a lane may be given a slot now, beyond its requirement: concurrency keys, quotas, devices, slots kept for a gang.
//
// `canPlace` is asked of the first lane of a bucket, before any worker is chosen: it says yes only where some free worker would be
// admitted, so that what is held up never stops what is not. `admission` is asked of one lane and one worker. Both have a fast
// way out: a lane without a constraint, no quotas, nothing kept.
//
// Gangs and what is kept for them: gang-seats.ts.
import type { DeviceHold, State, TaskRecord, WorkerRecord } from '../engine/state.ts';
import { areAllClosed, classStop, laneStop, stopOf, workerStop } from '../circuits/stops.ts';
import { claimDevices } from './claims.ts';
import { capacityOf, hasFree } from './capacity.ts';
import { classReason, couldStart, planGang } from './gang-seats.ts';
import { keysReason, quotaReason } from './holdings.ts';
import type { CapabilityClass, Lane } from './index-types.ts';

export type Admission =
  | { readonly kind: 'admitted'; readonly devices: readonly DeviceHold[] }
  | { readonly kind: 'refused'; readonly reason: string };

const admittedPlainly: Admission = Object.freeze({ kind: 'admitted', devices: Object.freeze([]) as never[] });

/** Whether this worker may take a task of the lane now. That it fits and has a free slot is not looked at. */
export function admission(state: State, lane: Lane, _task: TaskRecord | null, worker: WorkerRecord): Admission {
  const { constraint } = lane;
  if (isUnconstrained(state, lane)) return admittedPlainly;
  const reason =
    keysReason(state, lane, 1) ?? classReason(state, lane, worker.class) ?? quotaReason(state, lane, worker.pool, 1);
  if (reason !== null) return { kind: 'refused', reason };
  const stop = stopOf(state, lane, worker);
  if (stop !== null) return { kind: 'refused', reason: `circuit ${stop.circuit} is open` };
  if (constraint === null || constraint.claims.length === 0) return admittedPlainly;
  return claimDevices(worker, lane.group, []);
}

/** The fast way out: nothing but the requirement and a free slot decides. */
export function isUnconstrained(state: State, lane: Lane): boolean {
  return lane.constraint === null && isUnlimited(state);
}

function isUnlimited({ policy, index }: State): boolean {
  return policy.quotas.length === 0 && index.keptFor.size === 0 && index.circuits.blocking === 0;
}

/** Whether a task of the lane (or a whole gang) could be given to a free worker now. */
export function canPlace(state: State, lane: Lane): boolean {
  const { constraint, group } = lane;
  if (isUnconstrained(state, lane)) return hasFree(group, state.index.freeClasses);
  if (lane.gang !== null) return planGang(state, lane) !== null;
  if (keysReason(state, lane, 1) !== null || laneStop(state, lane) !== null) return false;
  for (const capability of group.fitting) {
    if (capability.free.size === 0 || isClosed(state, lane, capability)) continue;
    const claims = constraint?.claims ?? [];
    if (claims.length === 0 && areAllClosed(state)) return true;
    for (const worker of capability.free.inOrder()) if (takesLane(state, lane, worker, claims.length > 0)) return true;
  }
  return false;
}

function isClosed(state: State, lane: Lane, capability: CapabilityClass): boolean {
  if (classReason(state, lane, capability) !== null || quotaReason(state, lane, capability.pool, 1) !== null)
    return true;
  return classStop(state, lane, capability) !== null;
}

/** Whether no circuit keeps the lane from the worker, and its devices are free. */
function takesLane(state: State, lane: Lane, worker: WorkerRecord, hasClaims: boolean): boolean {
  if (workerStop(state, lane, worker) !== null) return false;
  return !hasClaims || claimDevices(worker, lane.group, []).kind === 'admitted';
}

/** The first free worker of a class that admits the lane. */
export function firstAdmitted(
  state: State,
  lane: Lane,
  capability: CapabilityClass,
  isTaken: (worker: WorkerRecord) => boolean,
): WorkerRecord | undefined {
  const { constraint } = lane;
  if (capability.free.size === 0) return undefined;
  if (!isUnconstrained(state, lane) && isClosed(state, lane, capability)) return undefined;
  const first = capability.free.peek();
  const claims = constraint?.claims ?? [];
  if (first !== undefined && !isTaken(first) && claims.length === 0 && areAllClosed(state)) return first;
  for (const worker of capability.free.inOrder())
    if (!isTaken(worker) && takesLane(state, lane, worker, claims.length > 0)) return worker;
  return undefined;
}

/** One thing that keeps a lane from being placed, and what would take it away. */
export type AdmissionReason = {
  readonly kind: 'key' | 'quota' | 'gang' | 'device';
  readonly reason: string;
  readonly change: string;
};

/** All that keeps `slots` tasks of a lane from being placed anywhere (no worker given), or from one worker. */
export function admissionReasons(
  state: State,
  lane: Lane,
  worker: WorkerRecord | null,
  slots: number,
): AdmissionReason[] {
  const reasons: AdmissionReason[] = [];
  const add = (kind: AdmissionReason['kind'], reason: string | null, change: string): void => {
    if (reason !== null) reasons.push({ kind, reason, change });
  };
  if (worker === null) {
    add('key', keysReason(state, lane, slots), 'a task that holds the key is over, or the key allows one more');
    const { ready, slots: all } = capacityOf(lane.group);
    if (slots > 1 && !couldStart(state, lane, slots) && (lane.gang?.spread === 'workers' ? ready : all) >= slots)
      add(
        'quota',
        `needs ${slots} slots at once, more than its quotas allow`,
        `its quotas allow ${slots} slots at once`,
      );
    else if (slots > 1 && !couldStart(state, lane, slots))
      add(
        'gang',
        `needs ${slots} slots at once, more than all workers that fit have`,
        `workers that fit have ${slots} slots`,
      );
    else if (slots > 1 && planGang(state, lane) === null && keysReason(state, lane, slots) === null)
      add('gang', `needs ${slots} free slots at once`, `${slots} slots that fit are free at once`);
    return reasons;
  }
  add(
    'quota',
    quotaReason(state, lane, worker.pool, 1),
    'the quota allows one more slot, or one that counts against it is over',
  );
  add('gang', classReason(state, lane, worker.class), 'the gang that it is kept for has started');
  if (lane.group.claims.length > 0 && lane.group.fitting.has(worker.class)) {
    const claimed = claimDevices(worker, lane.group, []);
    add('device', claimed.kind === 'refused' ? claimed.reason : null, `a device of ${worker.name} is free`);
  }
  return reasons;
}
