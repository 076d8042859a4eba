import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndexedHeap } from './indexed-heap.ts';
import { RecencyMap } from './recency-map.ts';

type Item = { key: number; readonly id: number; heapSlot: number };
const isBefore = (a: Item, b: Item): boolean => (a.key !== b.key ? a.key < b.key : a.id < b.id);
const move = fc.tuple(fc.constantFrom('push', 'pop', 'remove', 'update'), fc.nat(30), fc.nat(1_000));

test('safety: a heap gives its items in order whatever was pushed, removed and moved', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 200, size: 'max' }), (moves) => {
      const heap = new IndexedHeap<Item>(isBefore);
      const inside: Item[] = [];
      for (const [id, [kind, key, choice]] of moves.entries()) {
        const chosen = inside[choice % Math.max(1, inside.length)];
        if (kind === 'push') {
          const item = { key, id, heapSlot: -1 };
          heap.push(item);
          inside.push(item);
        } else if (chosen !== undefined && kind === 'update') {
          chosen.key = key;
          heap.update(chosen);
        } else if (chosen !== undefined) {
          const gone = kind === 'pop' ? (heap.peek() as Item) : chosen;
          heap.remove(gone);
          inside.splice(inside.indexOf(gone), 1);
          expect(gone.heapSlot).toBe(-1);
        }
        const sorted = [...inside].sort((a, b) => (isBefore(a, b) ? -1 : 1));
        expect(heap.size).toBe(inside.length);
        expect(heap.peek()).toBe(sorted[0]);
        expect([...heap.inOrder()]).toEqual(sorted);
      }
    }),
    { numRuns: 100 },
  );
});

test('the longest unwritten entries are dropped first', () => {
  const map = new RecencyMap<string, number>();
  for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) map.set(key, index);
  map.set('a', 9);
  map.dropOldest(2);
  expect([...map.entries()]).toEqual([
    ['d', 3],
    ['a', 9],
  ]);
  map.dropOldest(5);
  expect(map.size).toBe(0);
});
