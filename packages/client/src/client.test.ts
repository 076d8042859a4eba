// The client against the real server: every call, what it says when something is wrong, what it repeats, and the feed that
// outlives its connections.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AssayError, type FeedItem, productVersion, type RunId } from '@assay/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleSubmission, startTestServer, type TestServer, unknownRun } from '@assay/coordinator/testing';
import { type ClientError, createClient, type FeedDelivery } from './index.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const client = () => createClient({ url: server.url });
const failing = (promise: Promise<unknown>): Promise<ClientError> =>
  promise.then(
    () => expect.fail('this should have failed'),
    (error: unknown) => error as ClientError,
  );

test('a run is submitted in chunks, read, listed, explained and canceled', async () => {
  const { submitRun, addTasks, readRun, listRuns, listTasks, readTask, explainTask, listCases, cancelRun } = client();
  const { run } = await submitRun(exampleSubmission('by-the-client', 2, false));
  expect(await submitRun(exampleSubmission('by-the-client', 2, false))).toMatchObject({ run, isRepeat: true });
  await addTasks(run, { chunk: 1, tasks: [{ suite: 0, target: 'last.test.ts' }], sealed: true });
  expect((await readRun(run)).tasks.total).toBe(3);
  expect((await listRuns()).runs.map((view) => view.run)).toContain(run);
  const first = await listTasks(run, { limit: 2 });
  const second = await listTasks(run, { limit: 2, ...(first.next === null ? {} : { after: first.next }) });
  expect([...first.tasks, ...second.tasks].map(({ target }) => target)).toEqual([
    'test/0.test.ts',
    'test/1.test.ts',
    'last.test.ts',
  ]);
  expect((await readTask(`${run}.2`)).target).toBe('last.test.ts');
  expect((await explainTask(`${run}.0`)).state).toBe('queued');
  expect((await listCases(run)).cases).toEqual([]);
  expect((await cancelRun(run, { reason: 'enough' })).isCanceled).toBe(true);
});

test('workers, health and tokens have their calls', async () => {
  const own = await startTestServer();
  try {
    const open = createClient({ url: `${own.url}/` });
    expect((await open.health()).version).toBe(productVersion);
    expect(await open.listWorkers()).toEqual({ workers: [] });
    expect((await failing(open.readWorker('w-nobody'))).code).toBe('NOT_FOUND');
    expect((await failing(open.drainWorker('w-nobody', { reason: 'x' }))).code).toBe('NOT_FOUND');
    const { secret } = await open.createToken({ name: 'admin', scopes: ['admin'] });
    expect((await failing(open.listTokens())).code).toBe('UNAUTHORIZED');
    const admin = createClient({ url: own.url, token: secret });
    const reader = await admin.createToken({ name: 'reader', scopes: ['read'] });
    const denied = await failing(createClient({ url: own.url, token: reader.secret }).listTokens());
    expect([denied.code, denied.retryable, denied.next]).toEqual([
      'FORBIDDEN',
      false,
      'Use a token with the scope that the message names.',
    ]);
    expect((await admin.listTokens()).tokens.map(({ name }) => name)).toEqual(['admin', 'reader']);
    await admin.revokeToken(reader.token.token);
    expect((await failing(admin.revokeToken('t-nobody'))).code).toBe('NOT_FOUND');
  } finally {
    await own.stop();
  }
});

test('blobs go up as bytes or as a stream, and come down as a stream', async () => {
  const { hasBlob, uploadBlob, downloadBlob } = client();
  for (const isStream of [false, true]) {
    const content = randomBytes(100_000);
    const digest = createHash('sha256').update(content).digest('hex');
    expect(await hasBlob(digest)).toBe(false);
    await uploadBlob(digest, isStream ? new Blob([content]).stream() : content);
    expect(await hasBlob(digest)).toBe(true);
    const got = await new Response(await downloadBlob(digest)).arrayBuffer();
    expect(Buffer.from(got).equals(content)).toBe(true);
  }
  expect((await failing(downloadBlob('0'.repeat(64)))).code).toBe('NOT_FOUND');
});

test('an error is an AssayError with what the coordinator said', async () => {
  const error = await failing(client().readRun(unknownRun));
  expect(error).toBeInstanceOf(AssayError);
  expect(error.toBody()).toMatchObject({
    code: 'NOT_FOUND',
    message: `there is no run ${unknownRun}`,
    retryable: false,
  });
});

/** A server that answers as it is told, one answer after the other. */
async function scripted(
  ...answers: ((request: IncomingMessage, response: ServerResponse) => void)[]
): Promise<{ url: string; asked: string[]; close: () => Promise<void> }> {
  const asked: string[] = [];
  const plain: Server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    (answers[Math.min(asked.length, answers.length) - 1] ?? (() => response.destroy()))(request, response);
  });
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise<void>((resolve) => {
      plain.closeAllConnections();
      plain.close(() => resolve());
    });
  return { url: `http://127.0.0.1:${(plain.address() as AddressInfo).port}`, asked, close };
}

const answer =
  (status: number, value: unknown) =>
  (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
const broken = (_request: IncomingMessage, response: ServerResponse): void => {
  response.destroy();
};
const stopping = answer(503, { code: 'SHUTTING_DOWN', message: 'stopping', next: 'Try again.', retryable: true });
const accepted = { run: 'r-aaaaaaaaaa', tasks: 1, isRepeat: false };

test('what may be repeated is, after a broken connection and after a fault that may pass', async () => {
  const flaky = await scripted(broken, stopping, answer(200, accepted));
  expect(await createClient({ url: flaky.url }).submitRun(exampleSubmission('repeated', 1))).toEqual(accepted);
  expect(flaky.asked).toEqual(Array(3).fill('POST /api/v1/runs'));
  await flaky.close();
});

test('what may not be repeated is not', async () => {
  const flaky = await scripted(broken, answer(201, {}));
  expect((await failing(createClient({ url: flaky.url }).createToken({ name: 'once', scopes: ['read'] }))).code).toBe(
    'COORDINATOR_UNREACHABLE',
  );
  expect(flaky.asked).toHaveLength(1);
  await flaky.close();
});

test('a fault that will not pass is told at once', async () => {
  const strict = await scripted(
    answer(400, { code: 'BAD_REQUEST', message: 'no', next: 'Correct it.', retryable: false }),
  );
  expect((await failing(createClient({ url: strict.url }).listRuns())).code).toBe('BAD_REQUEST');
  expect(strict.asked).toHaveLength(1);
  await strict.close();
});

test('nobody there is COORDINATOR_UNREACHABLE, after some tries', async () => {
  const gone = await scripted();
  await gone.close();
  const error = await failing(createClient({ url: gone.url, retriesMax: 1 }).health());
  expect([error.code, error.message]).toEqual([
    'COORDINATOR_UNREACHABLE',
    `${gone.url} cannot be reached: ECONNREFUSED`,
  ]);
});

test('who does not answer is COORDINATOR_UNREACHABLE, once', async () => {
  const silent = await scripted(() => undefined);
  const error = await failing(createClient({ url: silent.url, timeoutMs: 30 }).health());
  expect([error.code, silent.asked.length]).toEqual(['COORDINATOR_UNREACHABLE', 1]);
  await silent.close();
});

test.each([
  [
    'a page that is no coordinator',
    (_request: IncomingMessage, response: ServerResponse): void => void response.writeHead(404).end('<html>'),
    'COORDINATOR_UNREACHABLE',
  ],
  ['an answer of another shape', answer(200, { hello: 'world' }), 'PROTOCOL_MISMATCH'],
  [
    'a redirect',
    (_request: IncomingMessage, response: ServerResponse): void =>
      void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    'COORDINATOR_UNREACHABLE',
  ],
  [
    'a code of a newer coordinator',
    answer(409, { code: 'NEW_CODE', message: 'new', next: 'Look.', retryable: false }),
    'INTERNAL',
  ],
] as const)('%s is a named error', async (_what, act, code) => {
  const other = await scripted(act);
  expect((await failing(createClient({ url: other.url, retriesMax: 0 }).health())).code).toBe(code);
  await other.close();
});

const item = (count: number): FeedItem => ({ kind: 'tasksQueued', atMs: 1, run: 'r-1' as RunId, count, sealed: false });
const countOf = (delivery: FeedDelivery) =>
  delivery.kind === 'gap'
    ? 'gap'
    : delivery.event.item.kind === 'tasksQueued'
      ? `${delivery.event.seq}:${delivery.event.item.count}`
      : delivery.event.item.kind;

test('the feed goes on where it was when its connection breaks, however often', async () => {
  const own = await startTestServer();
  // Every connection through here is cut after a few bytes more than the one before.
  let cutAfter = 60;
  const cutter = createServer((request, response) => {
    let left = (cutAfter += 90);
    const source = new AbortController();
    response.on('close', () => source.abort());
    const relay = async () => {
      const { status, body } = await fetch(`${own.url}${request.url}`, { signal: source.signal });
      response.writeHead(status, { 'content-type': 'text/event-stream' });
      for await (const chunk of body ?? []) {
        const part = (chunk as Uint8Array).subarray(0, left);
        left -= part.length;
        response.write(part, () => (left <= 0 ? response.destroy() : undefined));
      }
    };
    relay().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => cutter.listen(0, '127.0.0.1', resolve));
  for (let seq = 1; seq <= 4; seq += 1) own.feed.publish(seq, [item(1), item(2), item(3)]);
  const got: string[] = [];
  for await (const delivery of createClient({
    url: `http://127.0.0.1:${(cutter.address() as AddressInfo).port}`,
  }).followFeed({ after: 0 })) {
    got.push(countOf(delivery));
    if (got.length === 12) break;
  }
  expect(got).toEqual([1, 2, 3, 4].flatMap((seq) => [`${seq}:1`, `${seq}:2`, `${seq}:3`]));
  expect(cutAfter).toBeGreaterThan(60 + 90 * 2);
  cutter.closeAllConnections();
  await new Promise((resolve) => cutter.close(resolve));
  await own.stop();
});

test('the feed survives a coordinator that is restarted, and says that something may have been missed', async () => {
  const first = await startTestServer();
  first.feed.publish(1, [item(1)]);
  const feed = createClient({ url: first.url }).followFeed({ after: 0 });
  expect(countOf((await feed.next()).value as FeedDelivery)).toBe('1:1');
  await first.stop();
  const next = feed.next();
  const second = await startTestServer({ port: first.port });
  // Its journal starts anew: sequence 1 is nothing that it knows.
  expect(countOf((await next).value as FeedDelivery)).toBe('gap');
  second.feed.publish(1, [item(7)]);
  expect(countOf((await feed.next()).value as FeedDelivery)).toBe('1:7');
  await feed.return();
  await second.stop();
});

test('following ends with its signal, without an error', async () => {
  const stop = new AbortController();
  const feed = client().followFeed({ signal: stop.signal });
  const next = feed.next();
  stop.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});

test('following fails when the token is no good, and when the coordinator stays away', async () => {
  const feed = createClient({ url: server.url, token: 'wrong' }).followFeed({ after: 0 });
  expect((await failing(feed.next())).code).toBe('UNAUTHORIZED');
  const gone = await scripted();
  await gone.close();
  const nobody = createClient({ url: gone.url }).followFeed({ after: 0, giveUpAfterMs: 50 });
  expect((await failing(nobody.next())).code).toBe('COORDINATOR_UNREACHABLE');
});
