// A binary heap whose items know their place, so that any of them can be moved or removed in O(log n).
//
// Why: a lane of 100,000 tasks loses tasks from its middle (canceled, assigned as part of a batch), and a class of
// 10,000 workers reorders one of them at every assignment. What always holds: `heapSlot` of an item inside is its
// position, and -1 outside of any heap; an item is in at most one heap; the order given is total (it ends in an id),
// so that what comes first does not depend on the history of the heap.

export type HeapItem = { heapSlot: number };

export class IndexedHeap<Item extends HeapItem> {
  readonly #items: Item[] = [];
  readonly #isBefore: (a: Item, b: Item) => boolean;

  constructor(isBefore: (a: Item, b: Item) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first item, or undefined when empty. */
  peek(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    item.heapSlot = this.#items.length;
    this.#items.push(item);
    this.#moveUp(item, item.heapSlot);
  }

  remove(item: Item): void {
    const slot = item.heapSlot;
    const last = this.#items.pop() as Item;
    item.heapSlot = -1;
    if (last === item) return;
    this.#moveUp(last, slot);
    this.#moveDown(last, last.heapSlot);
  }

  /** Puts an item whose key changed in its new place. */
  update(item: Item): void {
    this.#moveUp(item, item.heapSlot);
    this.#moveDown(item, item.heapSlot);
  }

  /** The items in order, without removing any. The heap must not change meanwhile. The first k cost O(k log k). */
  *inOrder(): Generator<Item, void, void> {
    const items = this.#items;
    // The frontier: positions whose parents were given, themselves a heap.
    const frontier: number[] = items.length > 0 ? [0] : [];
    while (frontier.length > 0) {
      const slot = this.#popFrontier(frontier);
      yield items[slot] as Item;
      if (2 * slot + 1 < items.length) this.#pushFrontier(frontier, 2 * slot + 1);
      if (2 * slot + 2 < items.length) this.#pushFrontier(frontier, 2 * slot + 2);
    }
  }

  #pushFrontier(frontier: number[], slot: number): void {
    const items = this.#items;
    let at = frontier.length;
    frontier.push(slot);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(items[slot] as Item, items[frontier[parent] as number] as Item)) break;
      frontier[at] = frontier[parent] as number;
      at = parent;
    }
    frontier[at] = slot;
  }

  #popFrontier(frontier: number[]): number {
    const items = this.#items;
    const first = frontier[0] as number;
    const moved = frontier.pop() as number;
    const length = frontier.length;
    if (length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      const right = child + 1;
      if (
        right < length &&
        this.#isBefore(items[frontier[right] as number] as Item, items[frontier[child] as number] as Item)
      )
        child = right;
      if (!this.#isBefore(items[frontier[child] as number] as Item, items[moved] as Item)) break;
      frontier[at] = frontier[child] as number;
      at = child;
    }
    frontier[at] = moved;
    return first;
  }

  #moveUp(item: Item, from: number): void {
    const items = this.#items;
    let slot = from;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      const above = items[parent] as Item;
      if (!this.#isBefore(item, above)) break;
      items[slot] = above;
      above.heapSlot = slot;
      slot = parent;
    }
    items[slot] = item;
    item.heapSlot = slot;
  }

  #moveDown(item: Item, from: number): void {
    const items = this.#items;
    const length = items.length;
    let slot = from;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= length) break;
      const right = child + 1;
      if (right < length && this.#isBefore(items[right] as Item, items[child] as Item)) child = right;
      const below = items[child] as Item;
      if (!this.#isBefore(below, item)) break;
      items[slot] = below;
      below.heapSlot = slot;
      slot = child;
    }
    items[slot] = item;
    item.heapSlot = slot;
  }
}
