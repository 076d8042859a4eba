// What every live feed must do, as one suite that each adapter's test runs.
import { expect, test } from 'vitest';
import type { FeedItem, RunId, WorkerId } from '@assay/protocol';
import type { FeedDelivery, LiveFeed } from './live-feed.ts';

export function feedItem(run: string, count: number): FeedItem {
  return { kind: 'tasksQueued', atMs: 1, run: run as RunId, count, sealed: false };
}

const workerItem: FeedItem = { kind: 'workerLeft', atMs: 1, worker: 'w-1' as WorkerId };

export function collect(
  feed: LiveFeed,
  afterSeq: number | null,
  run: string | null = null,
): { got: string[]; end: () => void } {
  const got: string[] = [];
  const deliver = (delivery: FeedDelivery): void => {
    if (delivery.kind === 'gap') got.push(`gap ${delivery.fromSeq}`);
    else
      for (const { seq, item } of delivery.events)
        got.push(`${seq} ${item.kind === 'tasksQueued' ? `${item.run} ${item.count}` : item.kind}`);
  };
  return { got, end: feed.subscribe({ run: run as RunId | null }, afterSeq, deliver) };
}

/** `open` makes a feed of a process whose journal ended at `startSeq`. */
export function liveFeedContract(name: string, open: (startSeq: number) => LiveFeed): void {
  test(`${name}: a listener gets what comes, in order, and nothing after it ended`, () => {
    const feed = open(0);
    const listener = collect(feed, null);
    feed.publish(1, [feedItem('r-1', 1), feedItem('r-1', 2)]);
    feed.publish(2, []);
    feed.publish(3, [feedItem('r-2', 3)]);
    listener.end();
    feed.publish(4, [feedItem('r-2', 4)]);
    expect(listener.got).toEqual(['1 r-1 1', '1 r-1 2', '3 r-2 3']);
  });

  test(`${name}: a listener resumes after the sequence it saw last, without loss or repeat`, () => {
    const feed = open(0);
    for (let seq = 1; seq <= 5; seq += 1) feed.publish(seq, [feedItem('r-1', seq)]);
    const listener = collect(feed, 3);
    feed.publish(6, [feedItem('r-1', 6)]);
    expect(listener.got).toEqual(['4 r-1 4', '5 r-1 5', '6 r-1 6']);
  });

  test(`${name}: a filter by run leaves out other runs and workers`, () => {
    const feed = open(0);
    feed.publish(1, [feedItem('r-1', 1), workerItem]);
    const listener = collect(feed, 0, 'r-2');
    feed.publish(2, [feedItem('r-2', 2), workerItem, feedItem('r-1', 3)]);
    expect(listener.got).toEqual(['2 r-2 2']);
  });

  test(`${name}: what came before this process, or is not yet, is a gap, and the listener goes on from there`, () => {
    const feed = open(10);
    const early = collect(feed, 9);
    const exact = collect(feed, 10);
    const future = collect(feed, 99);
    feed.publish(11, [feedItem('r-1', 11)]);
    expect(early.got).toEqual(['gap 10', '11 r-1 11']);
    expect(exact.got).toEqual(['11 r-1 11']);
    expect(future.got).toEqual(['gap 10', '11 r-1 11']);
  });

  test(`${name}: ephemeral items reach those who listen now, and nobody later`, () => {
    const feed = open(0);
    feed.publish(1, [feedItem('r-1', 1)]);
    const now = collect(feed, null);
    feed.publishEphemeral([feedItem('r-1', 7)]);
    const later = collect(feed, 0);
    expect(now.got).toEqual(['1 r-1 7']);
    expect(later.got).toEqual(['1 r-1 1']);
  });

  test(`${name}: a listener that throws is removed and does not disturb the others`, () => {
    const feed = open(0);
    let calls = 0;
    feed.subscribe({ run: null }, null, () => {
      calls += 1;
      throw new Error('the listener is broken');
    });
    const other = collect(feed, null);
    feed.publish(1, [feedItem('r-1', 1)]);
    feed.publish(2, [feedItem('r-1', 2)]);
    expect(other.got).toEqual(['1 r-1 1', '2 r-1 2']);
    expect(calls).toBe(1);
  });
}
