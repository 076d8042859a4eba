// Capability classes: workers that are alike, and the counts of ready ones and free slots that placement reads. Called by evolve alone.
import { classKeyOf, factsOf } from '../hardware/facts.ts';
import type { DeclaredLabels } from '../hardware/facts.ts';
import { compareText } from '../kernel/compare.ts';
import { IndexedHeap } from '../kernel/indexed-heap.ts';
import type { Profile } from '@assay/protocol';
import type { CheckupDeadline, WorkerDeadline, WorkerRecord } from '../engine/state.ts';
import { match } from './groups.ts';
import type { Delayed, CapabilityClass, Index } from './index-types.ts';
import { createCircuitIndex } from '../circuits/registry.ts';
import { classIdOf } from '../circuits/scope.ts';

export function createIndex(): Index {
  return {
    alternativesDueMs: -Infinity,
    changes: 0,
    fits: 0,
    ends: null,
    classes: new Map(),
    groups: new Map(),
    freeClasses: new Set(),
    waitingGroups: new Set(),
    avoidingGroups: new Set(),
    keysHeld: new Map(),
    slotsInUse: new Map(),
    expiring: new Set(),
    gangs: new Set(),
    keptFor: new Map(),
    winding: new Set(),
    broken: new Map(),
    reservedPools: new Set(),
    stealableGroups: new Set(),
    workerDeadlines: new IndexedHeap<WorkerDeadline>(
      (a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.worker < b.worker),
    ),
    checkupDeadlines: new IndexedHeap<CheckupDeadline>(
      (a, b) =>
        a.atMs < b.atMs || (a.atMs === b.atMs && compareText(`${a.worker} ${a.device}`, `${b.worker} ${b.device}`) < 0),
    ),
    overdueAtMs: Infinity,
    delayed: new IndexedHeap<Delayed>(isDueBefore),
    delayedOf: new Map(),
    canceling: new Map(),
    unchecked: new Set(),
    circuits: createCircuitIndex(),
    classById: new Map(),
  };
}

/** The class of a worker, made where it is the first. The worker is not counted yet. */
export function joinClass(
  index: Index,
  pool: string,
  profileDigest: string,
  profile: Profile,
  declared: DeclaredLabels,
  trust: string | null = null,
): CapabilityClass {
  const key = classKeyOf(pool, profileDigest, declared, trust);
  let known = index.classes.get(key);
  if (known === undefined) {
    known = {
      key,
      id: classIdOf(key),
      pool,
      facts: factsOf(pool, profile, declared, trust),
      members: 0,
      ready: 0,
      slots: 0,
      freeSlots: 0,
      possible: 0,
      halted: 0,
      free: new IndexedHeap<WorkerRecord>(isLessLoaded),
      wantedBy: 0,
    };
    index.classes.set(key, known);
    index.classById.set(known.id, known);
    for (const group of index.groups.values()) match(index, group, known);
  }
  known.members += 1;
  return known;
}

export function leaveClass(index: Index, left: CapabilityClass): void {
  left.members -= 1;
  if (left.members > 0) return;
  index.classes.delete(left.key);
  index.fits += 1;
  index.classById.delete(left.id);
  for (const group of index.groups.values()) {
    group.fits.delete(left);
    group.fitting.delete(left);
    group.units.delete(left);
    group.choiceMet.delete(left);
  }
}

/** The least loaded first: the share of its slots in use, then who was given work longest ago, then the id. */
function isLessLoaded(a: WorkerRecord, b: WorkerRecord): boolean {
  const difference = a.assignments.size * b.slots - b.assignments.size * a.slots;
  if (difference !== 0) return difference < 0;
  return a.lastAssigned !== b.lastAssigned ? a.lastAssigned < b.lastAssigned : compareText(a.worker, b.worker) < 0;
}

/** Runs a change of a worker's state, class or slots, with its part in the counts taken out before and put in after. */
export function recount(index: Index, worker: WorkerRecord, change: () => void): void {
  const before = worker.class;
  const possibleBefore = before.possible;
  const wholeBefore = worker.whole;
  take(index, worker);
  change();
  put(index, worker);
  if (before !== worker.class && worker.assignments.size > 0) index.ends = null;
  const isClassChanged =
    before !== worker.class || wholeBefore !== worker.whole || (before.possible === 0) !== (possibleBefore === 0);
  if (isClassChanged) for (const group of index.waitingGroups) index.unchecked.add(group);
}

/** Counts a new worker in. */
export function countIn(index: Index, worker: WorkerRecord): void {
  put(index, worker);
  if (worker.class.possible <= 1) for (const group of index.waitingGroups) index.unchecked.add(group);
}

/** Runs a change of the worker's open assignments: the hot half of `recount`. */
export function changeLoad(index: Index, worker: WorkerRecord, change: () => void): void {
  if (!takesWork(worker)) return change();
  const { class: capability, slots } = worker;
  const freeBefore = Math.max(0, slots - worker.assignments.size);
  change();
  const free = Math.max(0, slots - worker.assignments.size);
  capability.freeSlots += free - freeBefore;
  if (free === 0 && freeBefore > 0) {
    capability.free.remove(worker);
    if (capability.free.size === 0) index.freeClasses.delete(capability);
  } else if (free > 0 && freeBefore === 0) {
    capability.free.push(worker);
    if (capability.free.size === 1) index.freeClasses.add(capability);
  } else if (free > 0) {
    capability.free.update(worker);
  }
}

function put(index: Index, worker: WorkerRecord): void {
  const { class: capability } = worker;
  index.changes += 1;
  if (isExpected(worker)) {
    capability.possible += 1;
    if (worker.whole !== null) worker.whole.possible += 1;
  }
  if (isHaltedHere(worker)) capability.halted += 1;
  if (!takesWork(worker)) return;
  const free = Math.max(0, worker.slots - worker.assignments.size);
  capability.ready += 1;
  capability.slots += worker.slots;
  capability.freeSlots += free;
  if (free === 0) return;
  capability.free.push(worker);
  index.freeClasses.add(capability);
}

function take(index: Index, worker: WorkerRecord): void {
  const { class: capability } = worker;
  index.changes += 1;
  if (isExpected(worker)) {
    capability.possible -= 1;
    if (worker.whole !== null) worker.whole.possible -= 1;
  }
  if (isHaltedHere(worker)) capability.halted -= 1;
  if (!takesWork(worker)) return;
  const free = Math.max(0, worker.slots - worker.assignments.size);
  capability.ready -= 1;
  capability.slots -= worker.slots;
  capability.freeSlots -= free;
  if (free === 0) return;
  capability.free.remove(worker);
  if (capability.free.size === 0) index.freeClasses.delete(capability);
}

/** Whether a worker is given work: it is connected, as a whole it is not set aside, and no circuit of its own stops it. */
export function takesWork(worker: WorkerRecord): boolean {
  return worker.state.kind === 'connected' && !worker.isSetAside && !worker.isHalted;
}

/** Whether only its own circuit keeps work from it. */
function isHaltedHere(worker: WorkerRecord): boolean {
  return worker.isHalted && worker.state.kind === 'connected' && !worker.isSetAside;
}

/** Whether it may take work again by itself: it is here, or may come back; one that is set aside may be cleared. */
export function isExpected({ state }: WorkerRecord): boolean {
  return state.kind === 'connected' || (state.kind === 'disconnected' && !state.wasDraining);
}

/** The earliest first, then in order of submission. */
function isDueBefore(a: Delayed, b: Delayed): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  return a.lane.run.order !== b.lane.run.order ? a.lane.run.order < b.lane.run.order : a.task.index < b.task.index;
}
