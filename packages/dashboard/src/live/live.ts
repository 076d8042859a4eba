// Keeps what the page shows true without asking again and again: one feed for the page, and every item of it marks what it
// changed; what is marked and shown is read again, a few times a second at most.
// What always holds: the feed is open before anything is read, so that no change falls between the two; after a gap, or a
// connection that could not resume, everything shown is read again.
import type { Client } from '@assay/client';
import type { FeedItem } from '@assay/protocol';
import type { QueryClient } from '@tanstack/react-query';
import { Activity } from './activity.ts';
import { Marks } from './marks.ts';

const againAfterMs = 2_000;

export type LinkState = 'connecting' | 'live' | 'lost' | 'signedOut';

export type Live = {
  readonly activity: Activity;
  link(): LinkState;
  /** The journal's sequence up to which everything was seen. */
  seq(): number;
  /** Calls back for every item; and for a gap, with null. */
  onItem(listener: (item: FeedItem | null, seq: number) => void): () => void;
  onLink(listener: () => void): () => void;
  stop(): void;
};

export function startLive(client: Client, queries: QueryClient): Live {
  const stop = new AbortController();
  const items = new Set<(item: FeedItem | null, seq: number) => void>();
  const links = new Set<() => void>();
  const marks = new Marks(client, queries);
  const activity = new Activity();
  let state: LinkState = 'connecting';
  let seen = 0;
  const setState = (next: LinkState): void => {
    if (state === next) return;
    state = next;
    for (const listener of links) listener();
  };

  const follow = async (): Promise<void> => {
    seen = (await client.health()).journalSeq;
    const feed = client.followFeed({
      after: seen,
      signal: stop.signal,
      giveUpAfterMs: Number.POSITIVE_INFINITY,
      onConnection: (isConnected) => {
        // What was read before the feed was open may be older than it.
        if (isConnected && state === 'connecting') marks.everything();
        setState(isConnected ? 'live' : 'lost');
      },
    });
    for await (const delivery of feed) {
      const item = delivery.kind === 'gap' ? null : delivery.event.item;
      if (delivery.kind === 'event') seen = Math.max(seen, delivery.event.seq);
      if (item === null) marks.everything();
      else {
        marks.item(item);
        activity.add(item);
      }
      for (const listener of items) listener(item, seen);
    }
  };
  void again(follow, setState, stop.signal);
  return {
    activity,
    link: () => state,
    seq: () => seen,
    onItem: (listener) => subscribe(items, listener),
    onLink: (listener) => subscribe(links, listener),
    stop() {
      stop.abort();
      marks.stop();
      activity.stop();
    },
  };
}

/** Follows for as long as the page is there; it ends only where nobody is signed in any more. */
async function again(
  follow: () => Promise<void>,
  setState: (state: LinkState) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await follow();
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'UNAUTHORIZED') return setState('signedOut');
      setState('lost');
      await new Promise((resolve) => setTimeout(resolve, againAfterMs));
    }
  }
}

function subscribe<Listener>(set: Set<Listener>, listener: Listener): () => void {
  set.add(listener);
  return () => void set.delete(listener);
}
