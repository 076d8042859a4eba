// A map in order of last writing, whose longest unwritten entries can be dropped. The bound is the caller's decision:
// the engine states it as an event, so that recovery drops the same entries under another configuration.

export class RecencyMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  /** Writes the entry and makes it the most recent. */
  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
  }

  delete(key: Key): boolean {
    return this.#entries.delete(key);
  }

  /** Drops the `count` entries that were not written for longest. */
  dropOldest(count: number): void {
    let left = count;
    for (const key of this.#entries.keys()) {
      if (left <= 0) return;
      this.#entries.delete(key);
      left -= 1;
    }
  }

  /** From the longest unwritten to the most recent. */
  entries(): MapIterator<[Key, Value]> {
    return this.#entries.entries();
  }
}
