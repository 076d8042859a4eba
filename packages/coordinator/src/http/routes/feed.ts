// GET /feed: the live feed as server-sent events, resumed exactly.
//
// `event: item`, data a FeedItem. Several items may share the journal's sequence number: the id of the last of them is
// `SEQ`, of those before it `SEQ.INDEX`, the index counting the items of that SEQ that this listener's filter lets through.
// `after=` and `Last-Event-ID` take either (everything up to there was seen); the header wins, as a browser repeats its
// first URL when it comes back. `output` has no place in the journal and no id: it never moves the resume point.
// `event: gap`, data a FeedGap, id its SEQ: what was asked for is no longer kept; read the current state, the feed goes on
// from there.
// A listener that reads too slowly is cut off and resumes by its last id.
import type { ServerResponse } from 'node:http';
import { AssayError, type FeedEvent, type FeedItem, limit, RunId } from '@assay/protocol';
import { z } from 'zod';
import type { FeedDelivery, FeedFilter, LiveFeed } from '../../ports/live-feed.ts';
import type { App, HttpContext } from '../context.ts';
import { failures, notFoundFault } from '../route-parts.ts';

const place = z.string().regex(/^\d{1,15}(\.\d{1,7})?$/, 'must be SEQ or SEQ.INDEX');
const feedQuery = z.strictObject({ run: RunId.optional(), after: place.optional() });

type Place = { seq: number; index: number };

export function feedRoutes(app: App, { coordinator, timings }: HttpContext): void {
  let listeners = 0;
  app.get(
    '/feed',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'The live feed as server-sent events',
        description: 'Events are named `item` (data: FeedItem, id: SEQ.INDEX) and `gap` (data: FeedGap).',
        tags: ['feed'],
        produces: ['text/event-stream'],
        querystring: feedQuery,
        response: { ...failures() },
      },
    },
    async (request, reply) => {
      const run = request.query.run ?? null;
      const header = request.headers['last-event-id'];
      const after = typeof header === 'string' && place.safeParse(header).success ? header : request.query.after;
      if (run !== null && coordinator.views.run(run) === null && (await coordinator.results.readRun(run)) === null)
        throw notFoundFault('run', run);
      if (listeners >= limit('feedListeners'))
        throw new AssayError('TOO_MANY_REQUESTS', `${listeners} listeners are there already`);
      listeners += 1;
      reply.hijack();
      const headers = {
        ...reply.getHeaders(),
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
      };
      reply.raw.writeHead(200, headers as Record<string, string>);
      listen(
        reply.raw,
        coordinator.feed,
        { run },
        after === undefined ? null : placeOf(after),
        timings.feedHeartbeatMs,
        () => {
          listeners -= 1;
        },
      );
    },
  );
}

function placeOf(text: string): Place {
  const [seq, index] = text.split('.');
  return { seq: Number(seq), index: index === undefined ? Number.POSITIVE_INFINITY : Number(index) };
}

function listen(
  response: ServerResponse,
  feed: LiveFeed,
  filter: FeedFilter,
  after: Place | null,
  heartbeatMs: number,
  ended: () => void,
): void {
  const write = (text: string): void => {
    if (response.writableLength > limit('feedBacklogBytes')) response.destroy();
    else response.write(text);
  };
  write('retry: 1000\n\n');
  const textOf = createEventWriter(after);
  // An id within a sequence needs that sequence again, from which the items already seen are left out.
  const afterSeq = after === null ? null : Number.isFinite(after.index) ? Math.max(0, after.seq - 1) : after.seq;
  const unsubscribe = feed.subscribe(filter, afterSeq, (delivery) => {
    const text = textOf(delivery);
    if (text !== '' && !response.destroyed) write(text);
  });
  const heartbeat = setInterval(() => write(': still here\n\n'), heartbeatMs);
  response.on('error', () => response.destroy());
  response.once('close', () => {
    clearInterval(heartbeat);
    unsubscribe();
    ended();
  });
}

/** Deliveries of one listener as text, numbering the items of each sequence and leaving out those at or before `after`. */
function createEventWriter(after: Place | null): (delivery: FeedDelivery) => string {
  let seq = -1;
  let index = -1;
  let seen = after;
  const oneEvent = (event: FeedEvent, next: FeedEvent | undefined): string => {
    if (event.item.kind === 'output') return `event: item\ndata: ${jsonOf(event.item)}\n\n`;
    index = event.seq === seq ? index + 1 : 0;
    seq = event.seq;
    if (seen !== null && (seq < seen.seq || (seq === seen.seq && index <= seen.index))) return '';
    // A delivery holds all items of a sequence, so that the last one here is the last there is.
    const id = next?.seq === seq ? `${seq}.${index}` : String(seq);
    return `event: item\nid: ${id}\ndata: ${jsonOf(event.item)}\n\n`;
  };
  return (delivery) => {
    if (delivery.kind === 'gap') {
      // What the listener saw is of no use any more; it may even be of another journal.
      seen = null;
      return `event: gap\nid: ${delivery.fromSeq}\ndata: ${JSON.stringify({ fromSeq: delivery.fromSeq })}\n\n`;
    }
    return delivery.events.map((event, at) => oneEvent(event, delivery.events[at + 1])).join('');
  };
}

/** The same item goes to every listener: its text is made once. */
const texts = new WeakMap<FeedItem, string>();

function jsonOf(item: FeedItem): string {
  let text = texts.get(item);
  if (text === undefined) {
    text = JSON.stringify(item);
    texts.set(item, text);
  }
  return text;
}
