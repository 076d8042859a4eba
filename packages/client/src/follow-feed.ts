// The live feed as an async iterator that outlives its connections: a broken one is opened again after the last item seen.
// What always holds: items come in order, none twice, none left out without a `gap` before the next. A gap says that
// something may have been missed (the coordinator keeps a bounded past): read the current state, then go on.
import { FeedGap, FeedItem, type FeedEvent } from '@assay/protocol';
import { createParser } from 'eventsource-parser';
import { ClientError, jsonOf, ownError } from './client-error.ts';
import { backOffMs, pause, type Transport } from './transport.ts';

export type FeedDelivery = { kind: 'event'; event: FeedEvent } | { kind: 'gap' };

export type FollowOptions = {
  /** Only this run's items. */
  run?: string;
  /** Everything kept after this journal sequence; absent: only what comes. */
  after?: number;
  /** Ends the iteration, without an error. */
  signal?: AbortSignal;
  /** How long the coordinator may be away before the iteration fails, a minute by default. */
  giveUpAfterMs?: number;
  /** Told when the connection is there, and when it is not: what was missed meanwhile comes after it is there again. */
  onConnection?: (isConnected: boolean) => void;
};

/** Where the listener is: the id to resume after, null while there is none, and the sequence it belongs to. */
type Place = { id: string | null; seq: number };

const eventCharsMax = 64 * 1024 * 1024;
/** The coordinator sends a comment every 10 seconds; longer silence is a dead connection. */
const silentAfterMs = 45_000;

export async function* followFeed(
  transport: Transport,
  options: FollowOptions,
): AsyncGenerator<FeedDelivery, void, void> {
  const place: Place = { id: options.after === undefined ? null : String(options.after), seq: options.after ?? 0 };
  const giveUpAfterMs = options.giveUpAfterMs ?? 60_000;
  let failures = 0;
  let failingSinceMs: number | null = null;
  let wasConnected = false;
  while (!options.signal?.aborted) {
    const isBlind = wasConnected && place.id === null;
    try {
      for await (const delivery of oneConnection(transport, options, place)) {
        if (delivery.kind === 'connected') {
          wasConnected = true;
          options.onConnection?.(true);
          // Nothing was seen that could be resumed after, so something may have been missed.
          if (isBlind) yield { kind: 'gap' };
        } else yield delivery;
        failures = 0;
        failingSinceMs = null;
      }
    } catch (error) {
      if (options.signal?.aborted) return;
      if (error instanceof ClientError && !error.retryable) throw error;
      failingSinceMs ??= Date.now();
      if (Date.now() - failingSinceMs > giveUpAfterMs) throw error;
    }
    options.onConnection?.(false);
    await pause(backOffMs(failures), options.signal).catch(() => undefined);
    failures += 1;
  }
}

async function* oneConnection(
  transport: Transport,
  options: FollowOptions,
  place: Place,
): AsyncGenerator<FeedDelivery | { kind: 'connected' }, void, void> {
  const silence = new AbortController();
  const signal = options.signal === undefined ? silence.signal : AbortSignal.any([options.signal, silence.signal]);
  let watch = setTimeout(() => silence.abort(), silentAfterMs);
  try {
    const response = await transport.response({
      method: 'GET',
      path: '/feed',
      query: { run: options.run, after: place.id ?? undefined },
      headers: { accept: 'text/event-stream' },
      isRepeatable: false,
      isTimed: false,
      signal,
    });
    if (response.body === null) throw ownError('COORDINATOR_UNREACHABLE', 'the feed has no content');
    yield { kind: 'connected' };
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const ready: FeedDelivery[] = [];
    const parser = createEventReader(place, ready);
    try {
      for (;;) {
        // Silence counts only while we listen: the consumer may take its time between two items.
        clearTimeout(watch);
        watch = setTimeout(() => silence.abort(), silentAfterMs);
        const chunk = await reader.read();
        clearTimeout(watch);
        if (chunk.done) return;
        parser.feed(decoder.decode(chunk.value, { stream: true }));
        yield* ready.splice(0);
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  } catch (error) {
    if (error instanceof ClientError) throw error;
    throw ownError(
      'COORDINATOR_UNREACHABLE',
      `the feed broke: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  } finally {
    clearTimeout(watch);
  }
}

/** Puts what a connection says into `ready` and moves `place` along. */
function createEventReader(place: Place, ready: FeedDelivery[]) {
  return createParser({
    maxBufferSize: eventCharsMax,
    onId(id) {
      place.id = id;
      place.seq = Number.parseInt(id, 10);
    },
    onEvent(event) {
      if (event.event === 'gap') {
        if (!FeedGap.safeParse(jsonOf(event.data)).success)
          throw ownError('PROTOCOL_MISMATCH', 'the feed sent a gap that this client does not understand');
        ready.push({ kind: 'gap' });
        return;
      }
      if (event.event !== 'item') return;
      const item = FeedItem.safeParse(jsonOf(event.data));
      if (!item.success)
        throw ownError(
          'PROTOCOL_MISMATCH',
          `the feed sent an item that this client does not understand: ${item.error.issues[0]?.message}`,
        );
      ready.push({ kind: 'event', event: { seq: place.seq, item: item.data } });
    },
    onError(error) {
      // An unknown field is a newer coordinator's; a flood without an end is none.
      if (error.type === 'max-buffer-size-exceeded') throw ownError('PROTOCOL_MISMATCH', error.message);
    },
  });
}
