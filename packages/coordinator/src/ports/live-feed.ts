// What those who watch are told, as it becomes durable. Slow listeners are dropped (they resume by sequence), never waited for.
import type { FeedEvent, FeedItem, RunId } from '@assay/protocol';

export type FeedFilter = { run: RunId | null };
/** `gap`: what was asked for is no longer kept; the listener reads the current state and goes on from `fromSeq`. */
export type FeedDelivery = { kind: 'events'; events: FeedEvent[] } | { kind: 'gap'; fromSeq: number };

export interface LiveFeed {
  /** Called in order of `seq`, after the entry is durable. */
  publish(seq: number, items: FeedItem[]): void;
  /** Output and other items without a place in the journal: to current listeners only. */
  publishEphemeral(items: FeedItem[]): void;
  /** Delivers what is kept after `afterSeq` (null: only what comes), then everything new. The returned function ends it. */
  subscribe(filter: FeedFilter, afterSeq: number | null, deliver: (delivery: FeedDelivery) => void): () => void;
}
