import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndexQueue } from './index-queue.ts';

type Item = { index: number; heapSlot: number };

test('safety: whatever comes and goes, the items stand in the order of their indexes', () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), index: fc.nat(60) }),
    fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 2_500 }) }),
    fc.record({ kind: fc.constant('take' as const), count: fc.integer({ min: 1, max: 2_000 }) }),
    fc.record({ kind: fc.constant('remove' as const), at: fc.nat(5_000) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
      const queue = new IndexQueue<Item>();
      const inside = new Map<number, Item>();
      let next = 61;
      const push = (index: number): void => {
        if (inside.has(index)) return;
        const item = { index, heapSlot: -1 };
        inside.set(index, item);
        queue.push(item);
      };
      const remove = (item: Item | undefined): void => {
        if (item === undefined) return;
        queue.remove(item);
        inside.delete(item.index);
        expect(item.heapSlot).toBe(-1);
      };
      for (const each of actions) {
        if (each.kind === 'push') push(each.index);
        else if (each.kind === 'append') for (let count = 0; count < each.count; count += 1) push(next++);
        else if (each.kind === 'take') for (let count = 0; count < each.count; count += 1) remove(queue.peek());
        else remove([...inside.values()][each.at % Math.max(1, inside.size)]);
        const expected = [...inside.keys()].toSorted((a, b) => a - b);
        expect(queue.size).toBe(expected.length);
        expect(queue.peek()?.index).toBe(expected[0]);
        expect([...queue.inOrder()].map((item) => item.index)).toEqual(expected);
        expect([...inside.values()].every((item) => item.heapSlot >= 0)).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});
