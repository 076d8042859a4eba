// Where the lanes of one submitter wait, in order: buckets of lanes that are admitted or held up together, the one with the
// oldest lane first. Asked at every placement, and changed only when a lane begins or ends to wait.
//
// Most placements are about the one class of workers that became free. For it there is a list of the buckets that it fits, made
// when it is asked for a second time with nothing changed in between, so that a queue in which lanes come and go makes none.
// What always holds: the order is by the first lane of each bucket and total; a list of a class is the order without those that
// do not fit. Derived, and made again from the lanes when a snapshot is restored.
import type { IndexedHeap } from '../kernel/indexed-heap.ts';
import type { CapabilityClass, Lane, RequirementGroup } from './index-types.ts';

export type Bucket = { readonly key: string; readonly group: RequirementGroup; readonly lanes: IndexedHeap<Lane> };
type List = { changes: number; fits: number; buckets: readonly Bucket[] | null };

export class Buckets {
  readonly #isOlder: (a: Lane, b: Lane) => boolean;
  readonly #inOrder: Bucket[] = [];
  readonly #lists = new WeakMap<CapabilityClass, List>();
  #changes = 0;

  constructor(isOlder: (a: Lane, b: Lane) => boolean) {
    this.#isOlder = isOlder;
  }

  get size(): number {
    return this.#inOrder.length;
  }

  /** Puts a lane in a bucket, and the bucket where it belongs from now on. */
  push(bucket: Bucket, lane: Lane): void {
    const { lanes } = bucket;
    const isFirst = lanes.size === 0 || this.#isOlder(lane, lanes.peek() as Lane);
    if (isFirst && lanes.size > 0) this.#take(bucket);
    lanes.push(lane);
    if (isFirst) this.#put(bucket);
  }

  remove(bucket: Bucket, lane: Lane): void {
    const { lanes } = bucket;
    const isFirst = lanes.peek() === lane;
    if (isFirst) this.#take(bucket);
    lanes.remove(lane);
    if (isFirst && lanes.size > 0) this.#put(bucket);
  }

  all(): readonly Bucket[] {
    return this.#inOrder;
  }

  /** Those that fit a class, and where that is not worth a list all of them. `fits` tells when what fits what has changed. */
  mayFit(capability: CapabilityClass, fits: number): readonly Bucket[] {
    const list = this.#lists.get(capability);
    if (list === undefined || list.changes !== this.#changes || list.fits !== fits) {
      this.#lists.set(capability, { changes: this.#changes, fits, buckets: null });
      return this.#inOrder;
    }
    list.buckets ??= this.#inOrder.filter(({ group }) => group.fitting.has(capability));
    return list.buckets;
  }

  #put(bucket: Bucket): void {
    this.#changes += 1;
    this.#inOrder.splice(this.#placeOf(bucket.lanes.peek() as Lane), 0, bucket);
  }

  #take(bucket: Bucket): void {
    this.#changes += 1;
    this.#inOrder.splice(this.#placeOf(bucket.lanes.peek() as Lane), 1);
  }

  /** How many buckets have an older lane first. */
  #placeOf(lane: Lane): number {
    let from = 0;
    let to = this.#inOrder.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#isOlder(this.#inOrder[middle]?.lanes.peek() as Lane, lane)) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
