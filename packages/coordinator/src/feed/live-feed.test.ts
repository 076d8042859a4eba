import { expect, test } from 'vitest';
import { collect, feedItem, liveFeedContract } from '../ports/live-feed.contract.ts';
import { createMemoryFeed } from './live-feed.ts';

liveFeedContract('memory', (startSeq) => createMemoryFeed({ startSeq }));

test('the ring drops its oldest items by weight, and says so to who asks for them', () => {
  const feed = createMemoryFeed({ startSeq: 0, bytesMax: 3_000 });
  for (let seq = 1; seq <= 5_000; seq += 1) feed.publish(seq, [feedItem('r-1', seq)]);
  expect(collect(feed, 10).got).toEqual(['gap 5000']);
  expect(collect(feed, 4_989).got).toEqual(['gap 5000']);
  expect(collect(feed, 4_990).got).toHaveLength(10);
});

test('one entry larger than the whole ring is told to listeners and not kept', () => {
  const feed = createMemoryFeed({ startSeq: 0, bytesMax: 100 });
  const listener = collect(feed, null);
  feed.publish(1, [feedItem('r-1', 1)]);
  expect(listener.got).toEqual(['1 r-1 1']);
  expect(collect(feed, 0).got).toEqual(['gap 1']);
});
