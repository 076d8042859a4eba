// Where a gang starts: a seat for each of it, all at once or none; and the classes that one which has waited long keeps for itself.
//
// A gang that has waited for `gangReserveAfterMs` keeps the classes that fit it: whoever comes after it gets nothing there until
// all of it can start. Only a gang that could start on a fleet with nothing to do keeps anything: one that circuits stop keeps
// nothing.
//
// A gang is nobody's canary as long as it could start without being one. Where it could not (its own kind of work is what a
// half-open circuit doubts), nobody else may ever come to prove it: then all of the gang is one probe.
import type { Circuit } from '../circuits/registry.ts';
import { isBlocking } from '../circuits/registry.ts';
import {
  areAllClosed,
  circuitsOfClass,
  circuitsOfLane,
  circuitsOfWorkers,
  probesFor,
  refusesAll,
  stopOf,
} from '../circuits/stops.ts';
import type { EngineConfig } from '../engine/config.ts';
import type { DeviceHold, State, TaskRecord, WorkerRecord } from '../engine/state.ts';
import { capacityOf } from './capacity.ts';
import { claimDevices, claimsRoom } from './claims.ts';
import { takesWork } from './classes.ts';
import { fellowsOf } from './gangs.ts';
import { keysReason, quotaReason, quotasOf } from './holdings.ts';
import type { CapabilityClass, Lane } from './index-types.ts';
import { isLaneBefore } from './order.ts';

/** Why a class is not the lane's now: a gang keeps it. */
export function classReason(state: State, lane: Lane, capability: CapabilityClass): string | null {
  if (state.index.keptFor.size === 0) return null;
  const gang = state.index.keptFor.get(capability);
  if (gang === undefined || gang === lane || isLaneBefore(lane, gang)) return null;
  return `kept for a gang of ${gang.gang?.size ?? 0} that waits longer (run ${gang.run.run})`;
}

/** Notes which classes gangs that waited long keep for themselves; holds during one placement. */
export function keepForGangs(state: State, config: EngineConfig, nowMs: number): void {
  const { gangs, keptFor } = state.index;
  keptFor.clear();
  if (gangs.size === 0) return;
  for (const lane of [...gangs].sort((a, b) => (isLaneBefore(a, b) ? -1 : 1))) {
    const first = headOf(lane);
    if (first?.state.kind !== 'queued' || nowMs - first.state.sinceMs < config.gangReserveAfterMs) continue;
    const slots = waitingOf(lane, first).length;
    if (keysReason(state, lane, slots) !== null || !couldStart(state, lane, slots, refusesAll)) continue;
    for (const capability of lane.group.fitting) if (!keptFor.has(capability)) keptFor.set(capability, lane);
  }
}

/**
 * Whether so many could start together were nothing else at work; a class at its quota counts as full, and what is behind a
 * circuit that `isClosed` to it counts for nothing.
 */
export function couldStart(
  state: State,
  lane: Lane,
  slots: number,
  isClosed: (circuit: Circuit) => boolean = () => false,
): boolean {
  const { fitting } = lane.group;
  const isSpread = lane.gang?.spread === 'workers';
  const areOpen = areAllClosed(state);
  if (!areOpen && circuitsOfLane(state, lane).some(isClosed)) return false;
  const rooms = new Map<string, number>();
  const add = (pool: string, more: number): void => void rooms.set(pool, (rooms.get(pool) ?? 0) + more);
  const isShut = (capability: CapabilityClass): boolean =>
    quotaReason(state, lane, capability.pool, 1) !== null ||
    (!areOpen && circuitsOfClass(state, lane, capability).some(isClosed));
  for (const capability of fitting) if (!isShut(capability)) add(capability.pool, roomIn(lane, capability, slots));
  if (!areOpen)
    for (const [worker, circuits] of circuitsOfWorkers(state, lane))
      if (takesWork(worker) && fitting.has(worker.class) && circuits.some(isClosed) && !isShut(worker.class))
        add(worker.pool, isSpread ? -1 : -worker.slots);
  let room = 0;
  for (const [pool, each] of rooms)
    room += Math.min(each, ...quotasOf(state, lane.run, pool).map(({ quota }) => quota.slots));
  return room >= slots;
}

/** On all workers of a class with nothing to do: their slots, and what their devices allow. */
function roomIn({ gang, group }: Lane, capability: CapabilityClass, slots: number): number {
  const each = claimsRoom(group, capability, slots);
  if (gang?.spread === 'workers') return each === 0 ? 0 : capability.ready;
  return each === slots ? capability.slots : Math.min(capability.slots, capability.ready * each);
}

export type GangSeat = {
  readonly task: TaskRecord;
  readonly worker: WorkerRecord;
  readonly devices: readonly DeviceHold[];
};

/** A seat for each of the first gang of the lane, or null where not all of it can start now. */
export function planGang(state: State, lane: Lane): GangSeat[] | null {
  const first = headOf(lane);
  if (first === undefined || lane.gang === null) return null;
  const waiting = waitingOf(lane, first);
  const { freeSlots, freeWorkers } = capacityOf(lane.group);
  const isSpread = lane.gang.spread === 'workers';
  if ((isSpread ? freeWorkers : freeSlots) < waiting.length || keysReason(state, lane, waiting.length) !== null)
    return null;
  const mayProbe = !areAllClosed(state) && !couldStart(state, lane, waiting.length, isBlocking);
  const seats: GangSeat[] = [];
  const inPool = new Map<string, number>();
  for (const capability of inOrderOf(lane)) {
    if (classReason(state, lane, capability) !== null) continue;
    for (const worker of capability.free.inOrder()) {
      if (stopOf(state, lane, worker) !== null || (!mayProbe && probesFor(state, lane, worker).length > 0)) continue;
      const more: DeviceHold[] = [];
      for (let free = isSpread ? 1 : worker.slots - worker.assignments.size; free > 0; free -= 1) {
        const taken = inPool.get(worker.pool) ?? 0;
        if (quotaReason(state, lane, worker.pool, taken + 1) !== null) break;
        const claimed = claimDevices(worker, lane.group, more);
        const task = waiting[seats.length];
        if (claimed.kind === 'refused' || task === undefined) break;
        more.push(...claimed.devices);
        inPool.set(worker.pool, taken + 1);
        seats.push({ task, worker, devices: claimed.devices });
        if (seats.length === waiting.length) return seats;
      }
    }
  }
  return null;
}

function inOrderOf({ group: { fitting, choiceMet } }: Lane): CapabilityClass[] {
  return [...fitting].sort(
    (a, b) => (choiceMet.get(a) ?? 0) - (choiceMet.get(b) ?? 0) || a.wantedBy - b.wantedBy || (a.key < b.key ? -1 : 1),
  );
}

function headOf(lane: Lane): TaskRecord | undefined {
  const known = lane.known.peek();
  const unknown = lane.unknown.peek();
  if (known === undefined || unknown === undefined) return known ?? unknown;
  return known.index < unknown.index ? known : unknown;
}

function waitingOf(lane: Lane, task: TaskRecord): TaskRecord[] {
  return lane.gang === null ? [task] : fellowsOf(lane.gang, task).filter(({ state }) => state.kind === 'queued');
}
