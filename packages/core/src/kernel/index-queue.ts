// Items in the order of their index, for a queue that is filled in that order: what comes in order stands in a line, where
// taking the next k costs O(k); what comes out of order (a task that goes back to the queue) stands in a heap beside it.
//
// Why not the heap alone: handing out 100,000 tasks in order spent more time in its comparisons than in everything else of
// placing them. What always holds: an item is in the line or in the heap, `heapSlot` is its place there and -1 outside of
// both; the order given depends on the indexes alone and not on how they came.
import { IndexedHeap } from './indexed-heap.ts';
import type { HeapItem } from './indexed-heap.ts';

type QueueItem = HeapItem & { readonly index: number };

/** Holes at the front of the line are given back from this many on. */
const holesMax = 1_024;

export class IndexQueue<Item extends QueueItem> {
  /** Ascending; `undefined` where an item was taken out. */
  #line: (Item | undefined)[] = [];
  /** The place of the line's first entry: places count on when entries before them are given back. */
  #firstPlace = 0;
  /** Entries before it are holes. */
  #head = 0;
  #inLine = 0;
  #lastIndex = -1;
  readonly #late = new IndexedHeap<Item>((a, b) => a.index < b.index);

  get size(): number {
    return this.#inLine + this.#late.size;
  }

  /** The item with the lowest index, or undefined when empty. */
  peek(): Item | undefined {
    const next = this.#line[this.#head];
    const late = this.#late.peek();
    if (next === undefined || late === undefined) return next ?? late;
    return next.index < late.index ? next : late;
  }

  push(item: Item): void {
    if (item.index <= this.#lastIndex) return this.#late.push(item);
    item.heapSlot = this.#firstPlace + this.#line.length;
    this.#line.push(item);
    this.#lastIndex = item.index;
    this.#inLine += 1;
  }

  remove(item: Item): void {
    const at = item.heapSlot - this.#firstPlace;
    if (this.#line[at] !== item) return this.#late.remove(item);
    this.#line[at] = undefined;
    item.heapSlot = -1;
    this.#inLine -= 1;
    if (this.#inLine === 0) this.#clearLine();
    else this.#passHoles();
  }

  /** The items in order, without removing any. The queue must not change meanwhile. */
  *inOrder(): Generator<Item, void, void> {
    const late = this.#late.inOrder();
    let waiting = late.next();
    for (let at = this.#head; at < this.#line.length; at += 1) {
      const item = this.#line[at];
      if (item === undefined) continue;
      for (; !waiting.done && waiting.value.index < item.index; waiting = late.next()) yield waiting.value;
      yield item;
    }
    for (; !waiting.done; waiting = late.next()) yield waiting.value;
  }

  #clearLine(): void {
    this.#line = [];
    this.#firstPlace = 0;
    this.#head = 0;
    this.#lastIndex = -1;
  }

  #passHoles(): void {
    while (this.#line[this.#head] === undefined) this.#head += 1;
    if (this.#head < holesMax || this.#head * 2 < this.#line.length) return;
    this.#line = this.#line.slice(this.#head);
    this.#firstPlace += this.#head;
    this.#head = 0;
  }
}
