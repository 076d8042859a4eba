// The order of a submitter's buckets and the list of those that fit a class, against sorting everything anew.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndexedHeap } from '../kernel/indexed-heap.ts';
import { Buckets } from './buckets.ts';
import type { Bucket } from './buckets.ts';
import type { CapabilityClass, Lane, RequirementGroup } from './index-types.ts';

type Ranked = Lane & { readonly rank: number };
const isOlder = (a: Lane, b: Lane): boolean => (a as Ranked).rank < (b as Ranked).rank;
const classes = [{}, {}, {}] as CapabilityClass[];

/** What is looked at of a lane and a group here, and nothing else of them. */
function laneOf(rank: number): Lane {
  return { rank, heapSlot: -1 } as unknown as Lane;
}

function groupOf(number: number): RequirementGroup {
  return { fitting: new Set(classes.filter((_, at) => ((number >> at) & 1) === 1)) } as unknown as RequirementGroup;
}

test('safety: buckets stand by their oldest lanes, and the list of a class leaves out no bucket that it fits', () => {
  const move = fc.record({ bucket: fc.nat({ max: 7 }), lane: fc.nat({ max: 4 }), ask: fc.nat({ max: 3 }) });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
      const order = new Buckets(isOlder);
      const buckets = Array.from({ length: 8 }, (_, number): Bucket => ({
        key: `${number}`,
        group: groupOf(number),
        lanes: new IndexedHeap<Lane>(isOlder),
      }));
      const lanes = buckets.map((_, bucket) =>
        Array.from({ length: 5 }, (_each, lane) => laneOf(((lane * 8 + bucket) * 17) % 41)),
      );
      for (const { bucket: at, lane: which, ask } of moves) {
        const bucket = buckets[at] as Bucket;
        const lane = lanes[at]?.[which] as Lane;
        if (lane.heapSlot < 0) order.push(bucket, lane);
        else order.remove(bucket, lane);
        const expected = buckets
          .filter((each) => each.lanes.size > 0)
          .sort((a, b) => (isOlder(a.lanes.peek() as Lane, b.lanes.peek() as Lane) ? -1 : 1));
        expect(order.all()).toEqual(expected);
        for (const capability of classes.slice(0, ask)) {
          const fits = (each: Bucket): boolean => each.group.fitting.has(capability);
          // The first time all are given, then those that fit alone.
          expect(order.mayFit(capability, 0).filter(fits)).toEqual(expected.filter(fits));
          expect(order.mayFit(capability, 0)).toEqual(expected.filter(fits));
        }
      }
    }),
    { numRuns: 200 },
  );
});
