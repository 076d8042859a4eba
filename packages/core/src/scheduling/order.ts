// Who goes first among what waits. Three levels, each with a promise:
//
//   submitter  weighted fair share: of those whose work could be placed now, the one that has had the least for its weight.
//              "Had" is predicted work, corrected when it is measured. This is start-time fair queueing (Goyal, Vin and
//              Cheng, SIGCOMM 1996): while two submitters wait, what they get differs from their weights by no more than one
//              batch each; who comes back after a pause starts level with the others and has saved nothing up.
//   run        priority with ageing: a point is worth `ageingPerPriorityMs` of waiting. Rank is the time of submission less that,
//              so it never changes, and no run is overtaken by one submitted more than (difference of priorities x
//              ageingPerPriorityMs) later. That is the bound of starvation: 200 points at most.
//   suite      in the order of the run.
// Why submitters first: priority is the submitter's own to choose, a weight is not. Priority orders one's own work.
//
// Lanes whose admission is decided by the same things (submitter, project, concurrency keys) stand in one bucket, so that one
// that is held up costs one look and not one for each of its lanes.
import type { RunRecord } from '../engine/state.ts';
import { IndexedHeap } from '../kernel/indexed-heap.ts';
import { Buckets } from './buckets.ts';
import type { Bucket } from './buckets.ts';
import { hasFree } from './capacity.ts';
import type { CapabilityClass, Lane, LaneConstraint, RequirementGroup } from './index-types.ts';

/** What a submitter has had, for the order among submitters. Kept while one of its runs is live. */
export type Share = {
  readonly submitter: string;
  /** Predicted or measured milliseconds had, divided by weight, on the clock that all shares have in common. */
  virtualMs: number;
  /** Derived: queued tasks that could be placed by themselves, live runs, and the buckets in which its lanes wait. */
  waiting: number;
  runs: number;
  readonly buckets: Buckets;
};

/** What a share may lag behind the common clock: one that was held up by its own quota does not take everything afterwards. */
const lagMaxMs = 60_000;

/** Lower goes first. Decided at submission, and never changed. */
export function rankOf(submittedAtMs: number, priority: number, ageingPerPriorityMs: number): number {
  return submittedAtMs - priority * ageingPerPriorityMs;
}

/** The total order of lanes: submitters by what they had, then runs by rank, then suites. */
export function isLaneBefore(a: Lane, b: Lane): boolean {
  if (a.share !== b.share && a.share.virtualMs !== b.share.virtualMs) return a.share.virtualMs < b.share.virtualMs;
  return isOlder(a, b);
}

/** The order among lanes of one submitter. */
function isOlder(a: Lane, b: Lane): boolean {
  if (a.run.rankMs !== b.run.rankMs) return a.run.rankMs < b.run.rankMs;
  return a.run.order !== b.run.order ? a.run.order < b.run.order : a.suite < b.suite;
}

/** What a submitter starts with. */
export function newShare(submitter: string, virtualMs: number): Share {
  return { submitter, virtualMs, waiting: 0, runs: 0, buckets: new Buckets(isOlder) };
}

/** Work came for a submitter that had none waiting: it starts level, whatever it left unused. */
export function beginWaiting(share: Share, clockMs: number): void {
  if (share.virtualMs < clockMs) share.virtualMs = clockMs;
}

/** A submitter is given work; returns the common clock afterwards. */
export function charge(share: Share, clockMs: number, workMs: number, weight: number): number {
  const startMs = Math.max(share.virtualMs, clockMs - lagMaxMs);
  share.virtualMs = startMs + workMs / weight;
  return Math.max(clockMs, startMs);
}

/** What was given turned out to be more or less, or came back. */
export function correct(share: Share, differenceMs: number, weight: number): void {
  share.virtualMs += differenceMs / weight;
}

/** Above this many free classes, all buckets are looked at once instead of the list of each class. */
const listedMax = 4;

/**
 * The first open lane of all that wait and for which a class is free. Submitter by submitter, those that had least first: where the
 * first of them has work that can go, no other is looked at. `fits` tells when what fits what has changed. `isDeep`: lanes of one
 * bucket may have different answers, and those behind a closed one are asked too.
 */
export function firstLane(
  shares: Iterable<Share>,
  free: ReadonlySet<CapabilityClass>,
  fits: number,
  isOpen: (lane: Lane) => boolean,
  isDeep: boolean,
): Lane | null {
  const waiting = [...shares].filter(({ buckets }) => buckets.size > 0).sort((a, b) => a.virtualMs - b.virtualMs);
  let best: Lane | null = null;
  const look = (buckets: readonly Bucket[], isFree: (group: RequirementGroup) => boolean): void => {
    for (const { group, lanes } of buckets) {
      const lane = lanes.peek() as Lane;
      if (best !== null && !isLaneBefore(lane, best)) return;
      if (!isFree(group)) continue;
      const open = isOpen(lane) ? lane : isDeep ? firstBehind(lanes, isOpen) : undefined;
      if (open !== undefined && (best === null || isLaneBefore(open, best))) best = open;
    }
  };
  for (const { virtualMs, buckets } of waiting) {
    if (best !== null && virtualMs > (best as Lane).share.virtualMs) return best;
    if (free.size > listedMax) look(buckets.all(), (group) => hasFree(group, free));
    else for (const one of free) look(buckets.mayFit(one, fits), (group) => group.fitting.has(one));
  }
  return best;
}

/** The lanes of a requirement group that have tasks to place. */
export class LaneQueue {
  readonly #buckets = new Map<string, Bucket>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(lane: Lane): void {
    let bucket = this.#buckets.get(lane.bucketKey);
    if (bucket === undefined) {
      bucket = { key: lane.bucketKey, group: lane.group, lanes: new IndexedHeap<Lane>(isOlder) };
      this.#buckets.set(bucket.key, bucket);
    }
    lane.share.buckets.push(bucket, lane);
    this.#size += 1;
  }

  remove(lane: Lane): void {
    const bucket = this.#buckets.get(lane.bucketKey) as Bucket;
    lane.share.buckets.remove(bucket, lane);
    this.#size -= 1;
    if (bucket.lanes.size === 0) this.#buckets.delete(bucket.key);
  }

  /** The first lane, whether or not it may be placed now. */
  peek(): Lane | undefined {
    return this.first(() => true);
  }

  /**
   * The first lane of those whose bucket is open; asked once a bucket, and only where the answer matters. `isDeep`: lanes of one
   * bucket may have different answers, and those behind a closed one are asked too.
   */
  first(isOpen: (lane: Lane) => boolean, isDeep = false): Lane | undefined {
    let best: Lane | undefined;
    for (const { lanes } of this.#buckets.values()) {
      const lane = lanes.peek() as Lane;
      if (best !== undefined && !isLaneBefore(lane, best)) continue;
      const open = isOpen(lane) ? lane : isDeep ? firstBehind(lanes, isOpen) : undefined;
      if (open !== undefined && (best === undefined || isLaneBefore(open, best))) best = open;
    }
    return best;
  }
}

/** The first open lane of a bucket whose first lane is not. */
function firstBehind(lanes: IndexedHeap<Lane>, isOpen: (lane: Lane) => boolean): Lane | undefined {
  const first = lanes.peek();
  for (const lane of lanes.inOrder()) if (lane !== first && isOpen(lane)) return lane;
  return undefined;
}

/** Names the bucket of lanes that are admitted or held up together: gangs and claims are looked at lane by lane. */
export function bucketKeyOf(run: RunRecord, suite: number, constraint: LaneConstraint | null): string {
  if (constraint === null) return JSON.stringify([run.submitter, run.spec.project]);
  const isOwn = constraint.gang !== null || constraint.claims.length > 0;
  return JSON.stringify([
    run.submitter,
    run.spec.project,
    constraint.keys.map(({ key, max }) => [key, max]),
    ...(isOwn ? [run.run, suite] : []),
  ]);
}
