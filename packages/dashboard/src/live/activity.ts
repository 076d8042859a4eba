// What happened since the page was opened: the last items in words, and what ended in each second, for the figures of now.
// What always holds: bounded; it counts what came over the feed and nothing else, and says since when.
import type { FeedItem } from '@assay/protocol';

const linesMax = 100;
const secondsKept = 120;

export type Second = { atMs: number; cases: number; tasks: number };

export class Activity {
  readonly sinceMs = Date.now();
  readonly #items: FeedItem[] = [];
  readonly #seconds = new Map<number, { cases: number; tasks: number }>();
  readonly #failures = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #version = 0;
  #timer: ReturnType<typeof setInterval>;
  #isChanged = false;

  constructor() {
    // The figures of now change when nothing comes, too.
    this.#timer = setInterval(() => {
      const isMoving = this.#seconds.size > 0;
      const oldest = Math.floor(Date.now() / 1_000) - secondsKept;
      for (const second of this.#seconds.keys()) if (second < oldest) this.#seconds.delete(second);
      if (!this.#isChanged && !isMoving) return;
      this.#isChanged = false;
      this.#version += 1;
      for (const listener of this.#listeners) listener();
    }, 1_000);
  }

  add(item: FeedItem): void {
    const bucket = this.#secondOf(Math.floor(Date.now() / 1_000));
    if (item.kind === 'casesRecorded') bucket.cases += item.cases.length;
    if (item.kind === 'taskSettled') bucket.tasks += 1;
    if (item.kind === 'attemptSettled' && item.failure !== undefined)
      this.#failures.set(item.failure.class, (this.#failures.get(item.failure.class) ?? 0) + 1);
    if (item.kind !== 'output' && item.kind !== 'casesRecorded' && item.kind !== 'tasksAssigned') {
      this.#items.unshift(item);
      this.#items.length = Math.min(this.#items.length, linesMax);
    }
    this.#isChanged = true;
  }

  #secondOf(second: number): { cases: number; tasks: number } {
    let bucket = this.#seconds.get(second);
    if (bucket === undefined) {
      bucket = { cases: 0, tasks: 0 };
      this.#seconds.set(second, bucket);
    }
    return bucket;
  }

  items(): readonly FeedItem[] {
    return this.#items;
  }

  failures(): [string, number][] {
    return [...this.#failures].toSorted((a, b) => b[1] - a[1]);
  }

  /** The last `count` whole seconds, oldest first. */
  seconds(count: number): Second[] {
    const now = Math.floor(Date.now() / 1_000);
    return Array.from({ length: count }, (_, index) => {
      const second = now - count + index;
      return { atMs: second * 1_000, ...(this.#seconds.get(second) ?? { cases: 0, tasks: 0 }) };
    });
  }

  /** Changes once a second where something happened. */
  version(): number {
    return this.#version;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
