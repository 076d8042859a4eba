// The worker's WebSocket against the real engine: the ordinary story, and everything that ends a link.
import { readFileSync } from 'node:fs';
import {
  type AgentMessage,
  CoordinatorFrame,
  type CoordinatorMessage,
  frameSum,
  limit,
  protocolVersion,
  type RunId,
} from '@assay/protocol';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { exampleSubmission, startTestServer, type TestServer } from '../testing/http-server.ts';
import { closeCodes } from './link-websocket.ts';
import { sumOf } from './worker-frame.ts';

type Golden = { value: [{ kind: 'hello'; profileDigest: string; [key: string]: unknown }] };
const golden = JSON.parse(
  readFileSync(new URL('../../../protocol/fixtures/agent-hello.json', import.meta.url), 'utf8'),
) as Golden;
const helloWith = (change: object = {}) => ({
  ...golden.value[0],
  protocolVersion,
  held: [],
  nextReportSeq: 0,
  ...change,
});

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function serve(options: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  stops.push(() => server.stop());
  return server;
}

/** A bare agent: sends what it is told and keeps what it hears. */
async function join(server: TestServer, secret?: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(`${server.api.replace('http', 'ws')}/worker`, {
    headers: { ...headers, ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }) },
  });
  let granted: string | string[] | undefined;
  socket.on('upgrade', (response) => (granted = response.headers[frameSum.header]));
  const heard: CoordinatorMessage[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const look of waiting) look();
  };
  let closed: { code: number; reason: string } | null = null;
  socket.on('message', (data: Buffer) => {
    const text = data.toString();
    if (granted !== undefined) expect(text.slice(0, frameSum.chars)).toBe(sumOf(text.slice(frameSum.chars)));
    heard.push(...CoordinatorFrame.parse(JSON.parse(granted === undefined ? text : text.slice(frameSum.chars))));
    wake();
  });
  socket.on('close', (code, reason) => {
    closed = { code, reason: reason.toString() };
    wake();
  });
  const isClosed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('error', () => undefined);
  stops.push(async () => {
    socket.terminate();
    await isClosed;
  });
  return {
    socket,
    heard,
    isClosed,
    granted: () => granted,
    send: (messages: unknown) => socket.send(JSON.stringify(messages)),
    /** The first message of a kind, now or later. */
    hear<Kind extends CoordinatorMessage['kind']>(kind: Kind): Promise<Extract<CoordinatorMessage, { kind: Kind }>> {
      return new Promise((resolve, reject) => {
        const look = () => {
          const found = heard.find((message) => message.kind === kind);
          if (found === undefined && closed === null) return;
          waiting.delete(look);
          if (found === undefined)
            reject(
              new Error(`closed (${closed?.code} ${closed?.reason}) before ${kind}, after ${JSON.stringify(heard)}`),
            );
          else resolve(found as Extract<CoordinatorMessage, { kind: Kind }>);
        };
        waiting.add(look);
        look();
      });
    },
  };
}

async function submit(server: TestServer, key: string, tasks: number): Promise<RunId> {
  const response = await fetch(`${server.api}/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(exampleSubmission(key, tasks)),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { run: RunId }).run;
}

const report = (body: object) => ({ kind: 'report', report: body }) as AgentMessage;

test('a worker joins, is given a task, reports it, and the run settles', async () => {
  const server = await serve();
  const worker = await join(server);
  worker.send([helloWith({ slots: 1 })]);
  const welcome = await worker.hear('welcome');
  expect(welcome).toMatchObject({ ackedSeq: -1, abandon: [] });
  const run = await submit(server, 'whole-story', 1);
  const assign = await worker.hear('assign');
  expect(assign.run).toBe(run);
  const [task] = assign.tasks;
  const ref = { task: task?.task, attempt: task?.attempt };
  worker.send([report({ kind: 'started', seq: 0, ...ref, atMs: Date.now() })]);
  worker.send([
    report({ kind: 'cases', seq: 1, ...ref, from: 0, cases: [{ path: ['works'], status: 'passed', durationMs: 1 }] }),
    report({
      kind: 'finished',
      seq: 2,
      ...ref,
      outcome: {
        verdict: 'passed',
        counts: { passed: 1, failed: 0, skipped: 0, todo: 0 },
        casesReported: 1,
        startedAtMs: 1,
        endedAtMs: 2,
        costMs: 1,
      },
    }),
  ]);
  await expect
    .poll(() => worker.heard.flatMap((message) => (message.kind === 'ack' ? [message.seq] : [])).at(-1))
    .toBe(2);
  const view = (await (await fetch(`${server.api}/runs/${run}`)).json()) as {
    state: string;
    verdict: string;
    cases: { passed: number };
  };
  expect(view).toMatchObject({ state: 'settled', verdict: 'passed', cases: { passed: 1 } });
  const { workers } = (await (await fetch(`${server.api}/workers`)).json()) as {
    workers: { name: string; state: string }[];
  };
  expect(workers).toMatchObject([{ name: 'lab-1', state: 'ready' }]);
  const explain = async () =>
    (await (await fetch(`${server.api}/tasks/${ref.task}/explain`)).json()) as { summary: string; placement: object };
  expect(server.shell.views.run(run)).not.toBeNull();
  const whyLive = await explain();
  // Once its rows are stored the run leaves the engine, and every route answers as before.
  const live = await Promise.all(
    ['', '/tasks', `/cases`].map(async (path) => (await fetch(`${server.api}/runs/${run}${path}`)).status),
  );
  await server.catchUp();
  expect(server.shell.views.run(run)).toBeNull();
  const stored = await Promise.all(
    ['', '/tasks', `/cases`].map(
      async (path) => (await fetch(`${server.api}/runs/${run}${path}`)).json() as Promise<Record<string, unknown>>,
    ),
  );
  expect(live).toEqual([200, 200, 200]);
  expect(stored[0]).toMatchObject({ run, state: 'settled', verdict: 'passed' });
  expect(stored[1]).toMatchObject({ tasks: [{ task: ref.task, verdict: 'passed' }], next: null });
  expect(stored[2]).toMatchObject({ cases: [{ task: ref.task, isFinal: true }], next: null });
  const whyStored = await explain();
  expect(whyLive.summary).toContain('Settled as passed on lab-1');
  expect(whyStored.summary).toContain('settled as passed by attempt 1 on lab-1');
  // Why it was placed there is said of a settled task too, and the same wherever it is read.
  expect(whyLive.placement).toEqual({
    worker: golden.value[0].worker,
    atMs: expect.any(Number),
    rule: 'longest expected first, where it is expected to finish first',
    fittingWorkers: 1,
    freeWorkers: 1,
    expectedMs: task?.expectedMs,
    batch: 1,
  });
  expect(whyStored.placement).toEqual(whyLive.placement);
});

type Ending = { what: string; frames: (string | Buffer | object)[]; code: string | null; close: number; says: string };
const started = report({ kind: 'started', seq: 0, task: 'r-a.0' as never, attempt: 1, atMs: 1 });
const endings: Ending[] = [
  { what: 'a frame that is no JSON', frames: ['{'], code: 'BAD_FRAME', close: closeCodes.badFrame, says: 'not JSON' },
  {
    what: 'a frame that is no array',
    frames: [{ kind: 'heartbeat', atMs: 1 }],
    code: 'BAD_FRAME',
    close: closeCodes.badFrame,
    says: 'expected array',
  },
  { what: 'an empty frame', frames: [[]], code: 'BAD_FRAME', close: closeCodes.badFrame, says: 'Too small' },
  {
    what: 'a binary frame',
    frames: [Buffer.from([1, 2, 3])],
    code: 'BAD_FRAME',
    close: closeCodes.badFrame,
    says: 'binary',
  },
  {
    what: 'reports before hello',
    frames: [[started]],
    code: 'BAD_FRAME',
    close: closeCodes.badFrame,
    says: 'before hello',
  },
  {
    what: 'a hello with an unknown key',
    frames: [[helloWith({ mood: 'fine' })]],
    code: 'BAD_FRAME',
    close: closeCodes.badFrame,
    says: 'mood',
  },
  {
    what: 'another protocol version',
    frames: [[helloWith({ protocolVersion: 99, newThing: true })]],
    code: 'PROTOCOL_MISMATCH',
    close: closeCodes.refused,
    says: 'version 2, the worker version 99',
  },
  {
    what: 'a second hello',
    frames: [[helloWith()], [helloWith()]],
    code: 'BAD_FRAME',
    close: closeCodes.badFrame,
    says: 'second hello',
  },
  {
    what: 'a malformed report after the welcome',
    frames: [[helloWith()], [{ kind: 'report', report: { kind: 'started' } }]],
    code: 'BAD_FRAME',
    close: closeCodes.badFrame,
    says: 'report.',
  },
  {
    what: 'too many messages in one frame',
    frames: [Array.from({ length: limit('messagesPerFrame') + 1 }, () => ({ kind: 'heartbeat', atMs: 1 }))],
    code: 'BAD_FRAME',
    close: closeCodes.badFrame,
    says: 'Too big',
  },
  {
    what: 'an oversized frame',
    frames: [[helloWith()], 'x'.repeat(limit('frameBytes') + frameSum.chars + 1)],
    code: null,
    close: 1009,
    says: '',
  },
];

test.each(endings)('$what ends the link', async ({ frames, code, close, says }) => {
  const server = await serve();
  const worker = await join(server);
  for (const [index, frame] of frames.entries()) {
    if (index > 0) await worker.hear('welcome');
    worker.socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }
  if (code !== null) {
    const refused = await worker.hear('refused');
    expect(refused).toMatchObject({ code, isFinal: code === 'PROTOCOL_MISMATCH' });
    expect(refused.message).toContain(says);
  }
  expect((await worker.isClosed).code).toBe(close);
  await expect.poll(() => server.shell.views.workers().filter(({ state }) => state === 'ready')).toEqual([]);
});

test('an agent that asks for sums is granted them, its frames are held against theirs, and one that changed ends the link', async () => {
  const server = await serve();
  const worker = await join(server, undefined, { [frameSum.header]: frameSum.kind });
  expect(worker.granted()).toBe(frameSum.kind);
  const hello = JSON.stringify([helloWith()]);
  worker.socket.send(sumOf(hello) + hello);
  await worker.hear('welcome');
  const said = JSON.stringify([{ kind: 'heartbeat', atMs: 1_234 }]);
  worker.socket.send(sumOf(said) + said.replace('1234', '1235'));
  expect(await worker.hear('refused')).toMatchObject({ code: 'BAD_FRAME', isFinal: false });
  expect((await worker.isClosed).code).toBe(closeCodes.badFrame);
  const plain = await join(server);
  expect(plain.granted()).toBeUndefined();
});

test('who says nothing is disconnected in time', async () => {
  const server = await serve({ timings: { helloDeadlineMs: 20 } });
  const worker = await join(server);
  expect(await worker.isClosed).toEqual({ code: closeCodes.noHello, reason: 'BAD_FRAME: no hello came in time' });
});

test('a token serves its own pool and no other', async () => {
  const server = await serve({ auth: 'tokens' });
  const stranger = await join(server, await server.token('worker:other'));
  stranger.send([helloWith()]);
  expect(await stranger.hear('refused')).toMatchObject({ code: 'POOL_FORBIDDEN', isFinal: true });
  const own = await join(server, await server.token('worker:default'));
  own.send([helloWith()]);
  await own.hear('welcome');
});

test('a worker id belongs to the token that first joined with it', async () => {
  const server = await serve({ auth: 'tokens' });
  const first = await join(server, await server.token('worker:default'));
  first.send([helloWith()]);
  await first.hear('welcome');
  const thief = await join(server, await server.token('worker:default'));
  thief.send([helloWith({ incarnation: 'i-2' })]);
  expect(await thief.hear('refused')).toMatchObject({ code: 'WORKER_ID_TAKEN', isFinal: true });
});

test("the capability class is ours to say: a worker's own digest counts for nothing", async () => {
  const server = await serve();
  const honest = await join(server);
  honest.send([helloWith({ worker: 'w-honest' })]);
  await honest.hear('welcome');
  const liar = await join(server);
  liar.send([helloWith({ worker: 'w-liar', profileDigest: 'f'.repeat(32) })]);
  await liar.hear('welcome');
  const digests = server.shell.views.workers().map(({ profileDigest }) => profileDigest);
  expect(digests).toHaveLength(2);
  expect(new Set(digests).size).toBe(1);
  expect(digests[0]).toMatch(/^[0-9a-f]{32}$/);
});

test('a worker that says goodbye is gone, and its link is closed from here', async () => {
  const server = await serve();
  const worker = await join(server);
  worker.send([helloWith()]);
  await worker.hear('welcome');
  worker.send([{ kind: 'goodbye', reason: 'done' }]);
  expect((await worker.isClosed).code).toBe(closeCodes.ended);
});

test('frames sent before the welcome wait for it and are not lost', async () => {
  const server = await serve();
  const worker = await join(server);
  worker.send([helloWith()]);
  worker.send([report({ kind: 'draining', seq: 0, reason: 'SIGTERM' })]);
  await worker.hear('welcome');
  await expect.poll(() => server.shell.views.workers().map(({ state }) => state)).toEqual(['draining']);
});

test('stopping the server ends every link with a word', async () => {
  const server = await startTestServer();
  const worker = await join(server);
  await server.stop();
  expect(await worker.isClosed).toEqual({ code: closeCodes.stopping, reason: 'the coordinator is stopping' });
});
