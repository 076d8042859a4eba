// The live feed in memory: a ring of what was committed lately, and those who listen now.
// What always holds: a listener gets every item of its filter once, in order of `seq`, or is told of the gap; one delivery never
// splits the items of one `seq`, so the `seq` of its last item is a safe place to resume; a listener that throws is
// removed and disturbs nobody; the ring is bounded by weight, so that long failure messages cannot fill the memory.
import type { FeedEvent, FeedItem } from '@assay/protocol';
import type { FeedDelivery, FeedFilter, LiveFeed } from '../ports/live-feed.ts';

export type MemoryFeedOptions = {
  /** Sequence of the last entry before this process: what is older can only be a gap. */
  startSeq: number;
  /** Rough bytes of items kept for resuming. */
  bytesMax?: number;
};

type Kept = { seq: number; items: FeedItem[]; bytes: number };
type Listener = { filter: FeedFilter; deliver: (delivery: FeedDelivery) => void };

export function createMemoryFeed(options: MemoryFeedOptions): LiveFeed {
  return new MemoryFeed(options.startSeq, options.bytesMax ?? 16 * 1024 * 1024);
}

class MemoryFeed implements LiveFeed {
  readonly #bytesMax: number;
  readonly #listeners = new Set<Listener>();
  /** Oldest first; entries before `#head` are dropped, the array is compacted now and then. */
  #ring: Kept[] = [];
  #head = 0;
  #bytes = 0;
  /** Everything after this sequence is kept. */
  #completeAfterSeq: number;
  #lastSeq: number;

  constructor(startSeq: number, bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#completeAfterSeq = startSeq;
    this.#lastSeq = startSeq;
  }

  publish(seq: number, items: FeedItem[]): void {
    if (seq <= this.#lastSeq) throw new Error(`feed item ${seq} published after ${this.#lastSeq}`);
    this.#lastSeq = seq;
    if (items.length === 0) return;
    this.#keep({ seq, items, bytes: items.reduce((sum, item) => sum + weigh(item), 0) });
    this.#tell(seq, items);
  }

  publishEphemeral(items: FeedItem[]): void {
    this.#tell(this.#lastSeq, items);
  }

  subscribe(filter: FeedFilter, afterSeq: number | null, deliver: (delivery: FeedDelivery) => void): () => void {
    const listener = { filter, deliver };
    if (afterSeq !== null && (afterSeq < this.#completeAfterSeq || afterSeq > this.#lastSeq))
      deliver({ kind: 'gap', fromSeq: this.#lastSeq });
    else if (afterSeq !== null) this.#catchUp(listener, afterSeq);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #catchUp(listener: Listener, afterSeq: number): void {
    const events: FeedEvent[] = [];
    for (let at = this.#head; at < this.#ring.length; at += 1) {
      const kept = this.#ring[at]!;
      if (kept.seq > afterSeq) events.push(...eventsFor(listener.filter, kept.seq, kept.items));
    }
    if (events.length > 0) listener.deliver({ kind: 'events', events });
  }

  #keep(kept: Kept): void {
    this.#ring.push(kept);
    this.#bytes += kept.bytes;
    while (this.#bytes > this.#bytesMax && this.#head < this.#ring.length) {
      const dropped = this.#ring[this.#head]!;
      this.#head += 1;
      this.#bytes -= dropped.bytes;
      this.#completeAfterSeq = dropped.seq;
    }
    if (this.#head > 1_000 && this.#head * 2 > this.#ring.length) {
      this.#ring = this.#ring.slice(this.#head);
      this.#head = 0;
    }
  }

  #tell(seq: number, items: FeedItem[]): void {
    for (const listener of this.#listeners) {
      const events = eventsFor(listener.filter, seq, items);
      if (events.length === 0) continue;
      try {
        listener.deliver({ kind: 'events', events });
      } catch {
        // Its own trouble: the route that owns it sees its socket fail; the others must still be told.
        this.#listeners.delete(listener);
      }
    }
  }
}

function eventsFor(filter: FeedFilter, seq: number, items: FeedItem[]): FeedEvent[] {
  const wanted = filter.run === null ? items : items.filter((item) => 'run' in item && item.run === filter.run);
  return wanted.map((item) => ({ seq, item }));
}

/** Rough bytes in memory: what can be long is counted, the rest is a constant. */
function weigh(item: FeedItem): number {
  if (item.kind === 'casesRecorded') {
    return item.cases.reduce(
      (sum, one) => sum + 300 + (one.failure?.message.length ?? 0) + (one.failure?.stack?.length ?? 0),
      200,
    );
  }
  if (item.kind === 'tasksAssigned') return 200 + item.tasks.length * 40;
  if (item.kind === 'attemptSettled') return 400 + (item.failure?.message.length ?? 0);
  return 300;
}
