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
import type { Lane, LaneConstraint } from './index-types.ts';

/** What a submitter has had, for the order among submitters. Kept while one of its runs is live. */
export type Share = {
  readonly submitter: string;
  /** Predicted or measured milliseconds had, divided by weight, on the clock that all shares have in common. */
  virtualMs: number;
  /** Derived: queued tasks that could be placed by themselves, and live runs. */
  waiting: number;
  runs: number;
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

export type Bucket = { readonly key: string; readonly lanes: IndexedHeap<Lane> };

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
      bucket = { key: lane.bucketKey, lanes: new IndexedHeap<Lane>(isOlder) };
      this.#buckets.set(bucket.key, bucket);
    }
    bucket.lanes.push(lane);
    this.#size += 1;
  }

  remove(lane: Lane): void {
    const bucket = this.#buckets.get(lane.bucketKey) as Bucket;
    bucket.lanes.remove(lane);
    this.#size -= 1;
    if (bucket.lanes.size === 0) this.#buckets.delete(bucket.key);
  }

  /** The first lane, whether or not it may be placed now. */
  peek(): Lane | undefined {
    return this.first(() => true);
  }

  /**
   * The first lane of those whose bucket is open; asked once a bucket, and only where the answer matters. `isDeep`: lanes of one
   * bucket may have different answers, and those behind a closed one are asked too. `before`: only lanes that go before this one
   * are looked for.
   */
  first(isOpen: (lane: Lane) => boolean, isDeep = false, before: Lane | null = null): Lane | undefined {
    let best: Lane | undefined;
    for (const { lanes } of this.#buckets.values()) {
      const lane = lanes.peek() as Lane;
      if (before !== null && !isLaneBefore(lane, before)) continue;
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
