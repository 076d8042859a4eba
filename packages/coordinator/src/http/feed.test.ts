// The live feed on the wire: ids that resume exactly, gaps, slow and too many listeners.
import { connect, type Socket } from 'node:net';
import { type FeedItem, limit, type RunId, type TaskId } from '@assay/protocol';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/http-server.ts';
import { exampleSubmission } from '../testing/http-server.ts';

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function serve(options: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  stops.push(() => server.stop());
  return server;
}

const queued = (count: number, run = 'r-1'): FeedItem => ({
  kind: 'tasksQueued',
  atMs: 1,
  run: run as RunId,
  count,
  sealed: false,
});
const output = (text: string): FeedItem => ({
  kind: 'output',
  atMs: 1,
  run: 'r-1' as RunId,
  task: 'r-1.0' as TaskId,
  attempt: 1,
  stream: 'stdout',
  text,
});

type Heard = { id: string | null; event: string; data: string };

/** Listens until `count` events came, or until `isEnough`, and hangs up. */
async function listen(
  server: TestServer,
  count: number,
  query = '',
  headers: Record<string, string> = {},
): Promise<Heard[]> {
  const stop = new AbortController();
  const response = await fetch(`${server.api}/feed${query}`, { headers, signal: stop.signal });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const heard: Heard[] = [];
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2) ?? null;
      const event = field('event');
      if (event !== null) heard.push({ id: field('id'), event, data: field('data') ?? '' });
    }
    if (heard.length >= count) break;
  }
  stop.abort();
  return heard;
}

test('the last item of a sequence is SEQ, those before it SEQ.INDEX, and each id resumes after itself', async () => {
  const server = await serve();
  server.feed.publish(1, [queued(1), queued(2), queued(3)]);
  server.feed.publish(2, [queued(4)]);
  const all = await listen(server, 4, '?after=0');
  expect(all.map(({ id, data }) => [id, (JSON.parse(data) as { count: number }).count])).toEqual([
    ['1.0', 1],
    ['1.1', 2],
    ['1', 3],
    ['2', 4],
  ]);
  for (const [index, { id }] of all.slice(0, -1).entries()) {
    expect(await listen(server, 3 - index, `?after=${id}`)).toEqual(all.slice(index + 1));
    // A browser repeats its first URL and says in the header where it was.
    expect(await listen(server, 3 - index, '?after=0', { 'last-event-id': id ?? '' })).toEqual(all.slice(index + 1));
  }
});

test('liveness: wherever the connection breaks, every item comes once and in order', async () => {
  const server = await serve();
  const story = fc.array(fc.array(fc.constantFrom('r-1', 'r-2'), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 5,
  });
  let seq = 0;
  await fc.assert(
    fc.asyncProperty(story, fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1 }), async (entries, breaks) => {
      const from = seq;
      let count = 0;
      const sent: number[] = [];
      for (const runs of entries) {
        seq += 1;
        server.feed.publish(
          seq,
          runs.map((run) => queued((count += 1), run)),
        );
        sent.push(...runs.map((_, index) => count - runs.length + index + 1));
      }
      const got: number[] = [];
      let after = String(from);
      for (let turn = 0; got.length < sent.length; turn += 1) {
        const wanted = Math.min(breaks[turn % breaks.length] ?? 1, sent.length - got.length);
        const heard = (await listen(server, wanted, `?after=${after}`)).slice(0, wanted);
        got.push(...heard.map(({ data }) => (JSON.parse(data) as { count: number }).count));
        after = heard.at(-1)?.id ?? after;
      }
      expect(got).toEqual(sent);
    }),
    { numRuns: 25 },
  );
});

test('output reaches who listens and does not move the place to resume at', async () => {
  const server = await serve();
  server.feed.publish(1, [queued(1)]);
  const listening = listen(server, 3, '?after=0');
  await expect.poll(() => (server.feed.publishEphemeral([output('tick')]), settled(listening))).toBe(true);
  const heard = await listening;
  expect(heard[0]?.id).toBe('1');
  expect(heard.slice(1).map(({ id, data }) => [id, (JSON.parse(data) as { text: string }).text])).toEqual([
    [null, 'tick'],
    [null, 'tick'],
  ]);
});

test('what is no longer kept is a gap with a place to go on from', async () => {
  const server = await serve({ feedBytesMax: 400 });
  for (let seq = 1; seq <= 5; seq += 1) server.feed.publish(seq, [queued(seq)]);
  const [gap] = await listen(server, 1, '?after=1');
  expect(gap).toEqual({ event: 'gap', id: '5', data: '{"fromSeq":5}' });
});

test("a run's feed holds that run's items only", async () => {
  const server = await serve();
  const run = await submitted(server);
  const after = server.engine.state.seq;
  server.feed.publish(after + 1, [queued(1), queued(2, run), queued(3)]);
  server.feed.publish(after + 2, [queued(4, run)]);
  const heard = await listen(server, 2, `?run=${run}&after=${after}`);
  expect(heard.map(({ id, data }) => [id, (JSON.parse(data) as { count: number }).count])).toEqual([
    [String(after + 1), 2],
    [String(after + 2), 4],
  ]);
});

test('a silent feed is kept alive by comments, and a listener that hangs up is forgotten', async () => {
  const server = await serve({ timings: { feedHeartbeatMs: 5 } });
  const { socket, received } = await bareListener(server);
  await expect.poll(() => received().split(': still here\n\n').length).toBeGreaterThan(3);
  socket.destroy();
});

test('a listener that does not read is dropped, and the others are not disturbed', async () => {
  const server = await serve({ timings: { feedHeartbeatMs: 10 } });
  const { socket, isClosed } = await bareListener(server, '?after=0');
  socket.pause();
  const text = 'x'.repeat(65_536);
  // More than the socket's own buffers and our limit hold together.
  for (let sent = 0; sent < limit('feedBacklogBytes') * 2; sent += text.length)
    server.feed.publishEphemeral([output(text)]);
  server.feed.publishEphemeral([output('the last straw')]);
  socket.resume();
  await isClosed;
  server.feed.publish(server.engine.state.seq + 1, [queued(9)]);
  expect(await listen(server, 1, '?after=0')).toHaveLength(1);
});

async function submitted(server: TestServer): Promise<string> {
  const response = await fetch(`${server.api}/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(exampleSubmission('for-the-feed', 1)),
  });
  return ((await response.json()) as { run: string }).run;
}

async function bareListener(
  server: TestServer,
  query = '',
): Promise<{ socket: Socket; received: () => string; isClosed: Promise<void> }> {
  const socket = connect(server.port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(-10_000)));
  socket.on('error', () => undefined);
  const isClosed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.write(`GET /api/v1/feed${query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  stops.push(() => void socket.destroy());
  await expect.poll(() => text).toContain('retry:');
  return { socket, received: () => text, isClosed };
}

async function settled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([
    promise.then(() => true),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ]);
}
