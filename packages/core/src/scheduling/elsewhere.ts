// Where a retry goes: the free worker that meets its wish best. A walk over the classes that fit and the workers that were
// tried, never over all workers.
//
// A place that meets the wish and is only busy is waited for; one that a circuit or a quota keeps from the lane is not, nor is
// any place by a soft wish. Of other kinds of machines the most alike is taken: the less differs, the more the difference says.
import type { WorkerId } from '@assay/protocol';
import type { State, TaskRecord, WorkerRecord } from '../engine/state.ts';
import { similarity } from '../hardware/similarity.ts';
import { compareText } from '../kernel/compare.ts';
import { meetsWish, nextBest } from '../recovery/wish.ts';
import type { RetryWish, WishPlace } from '../recovery/wish.ts';
import { firstAdmitted } from './admission.ts';
import { takesWork } from './classes.ts';
import type { CapabilityClass, Lane } from './index-types.ts';

/** The wish of a queued task; one that only avoids a worker wishes to be elsewhere. */
export function wishOf(task: TaskRecord): RetryWish | null {
  if (task.state.kind !== 'queued' || task.state.avoidWorker === null) return null;
  const { wish, avoidWorker } = task.state;
  return wish ?? { where: 'elsewhere', workers: [avoidWorker], classes: [], isSoft: false };
}

/** Tasks of one lane with equal keys can go to the same places. */
export function wishKeyOf({ where, isSoft, workers, classes }: RetryWish): string {
  return `${where} ${isSoft} ${workers.join(' ')} | ${classes.join(' ')}`;
}

/** The worker that a retry goes to now, or null where it waits. */
export function workerFor(state: State, lane: Lane, wish: RetryWish): WorkerRecord | null {
  for (const where of nextBest[wish.where]) {
    const worker = bestAt(state, lane, wish, where);
    if (worker !== null) return worker;
    if (!wish.isSoft && isWorthWaiting(state, lane, wish, where)) return null;
  }
  return best(state, lane, lane.group.fitting, () => true, null);
}

function bestAt(state: State, lane: Lane, wish: RetryWish, where: WishPlace): WorkerRecord | null {
  const classes = [...lane.group.fitting].filter((one) => mayMeet(wish, where, one));
  const like = where === 'otherClass' ? classById(state, wish.classes.at(-1)) : null;
  return best(state, lane, classes, (worker) => meetsWish(wish, where, worker), like);
}

function mayMeet(wish: RetryWish, where: WishPlace, capability: CapabilityClass): boolean {
  if (where === 'sameClass') return capability.id === wish.classes.at(-1);
  return where !== 'otherClass' || !wish.classes.includes(capability.id);
}

function best(
  state: State,
  lane: Lane,
  classes: Iterable<CapabilityClass>,
  isWished: (worker: WorkerRecord) => boolean,
  like: CapabilityClass | null,
): WorkerRecord | null {
  let found: WorkerRecord | null = null;
  for (const capability of classes) {
    const worker = firstAdmitted(state, lane, capability, (one) => !isWished(one));
    if (worker !== undefined && (found === null || isBefore(worker, found, like))) found = worker;
  }
  return found;
}

/** More alike to what failed, then known good, then wanted by fewer, then less loaded, then the id. */
function isBefore(a: WorkerRecord, b: WorkerRecord, like: CapabilityClass | null): boolean {
  if (like !== null && a.class !== b.class) {
    const difference = similarity(a.class.facts, like.facts) - similarity(b.class.facts, like.facts);
    if (difference !== 0) return difference > 0;
  }
  if (a.isProven !== b.isProven) return a.isProven;
  if (a.class.wantedBy !== b.class.wantedBy) return a.class.wantedBy < b.class.wantedBy;
  const load = a.assignments.size * b.slots - b.assignments.size * a.slots;
  return load !== 0 ? load < 0 : compareText(a.worker, b.worker) < 0;
}

/** Whether a place that meets the wish takes work and is only busy now. */
function isWorthWaiting(state: State, lane: Lane, wish: RetryWish, where: WishPlace): boolean {
  for (const capability of lane.group.fitting) {
    if (!mayMeet(wish, where, capability)) continue;
    let busy = capability.ready - capability.free.size;
    if (where === 'here') {
      const worker = state.workers.get(wish.workers.at(-1) as WorkerId);
      if (worker?.class === capability && takesWork(worker) && worker.heapSlot < 0) return true;
      continue;
    }
    for (const id of wish.workers) {
      const worker = state.workers.get(id);
      if (worker?.class === capability && takesWork(worker) && worker.heapSlot < 0) busy -= 1;
    }
    if (busy > 0) return true;
  }
  return false;
}

function classById(state: State, id: string | undefined): CapabilityClass | null {
  for (const capability of state.index.classes.values()) if (capability.id === id) return capability;
  return null;
}

const reasons = {
  sameClass: 'a retry on another unit of the same kind, to tell the unit from the rest',
  otherClass: 'a retry on another kind of machine, to tell the test from the machine',
  elsewhere: 'another worker than the last attempt had',
  here: 'a retry in the same place',
} as const satisfies Record<WishPlace, string>;

/** Why a retry was placed where it was: the part of its wish that the place meets. */
export function placedBecause(task: TaskRecord, worker: WorkerRecord): string {
  const wish = wishOf(task);
  if (wish === null) return reasons.elsewhere;
  const met = nextBest[wish.where].find((where) => meetsWish(wish, where, worker));
  return met === undefined ? 'a retry where there is a place for it' : reasons[met];
}
