// What is wrong with a request, and how it is said: the bad input table of the HTTP API, against the real server and engine.
import { ErrorBody, errorCatalogue, type ErrorCode, limit } from '@assay/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  exampleSpec,
  exampleSubmission,
  exampleSuite,
  startTestServer,
  type TestServer,
  unknownRun,
} from '../testing/http-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

type Sent = { method?: string; path: string; body?: string; type?: string; headers?: Record<string, string> };
type Bad = Sent & { what: string; code: ErrorCode; says: string };

const json = (value: unknown) => JSON.stringify(value);
const submission = (change: object) => json({ ...exampleSubmission('bad-request', 1), ...change });
const suiteWith = (change: object) => ({ ...exampleSpec, suites: [{ ...exampleSuite, ...change }] });

const bads: Bad[] = [
  { what: 'an unknown route', path: '/nonsense', code: 'NOT_FOUND', says: 'no such route: GET /api/v1/nonsense' },
  {
    what: 'a method that a route does not have',
    method: 'DELETE',
    path: '/runs',
    code: 'NOT_FOUND',
    says: 'no such route',
  },
  { what: 'a malformed path', path: '/runs/%zz', code: 'BAD_REQUEST', says: 'malformed' },
  { what: 'a run id that cannot be one', path: '/runs/..%2f..%2fetc', code: 'BAD_REQUEST', says: 'run: ' },
  { what: 'a path parameter without end', path: `/runs/${'x'.repeat(500)}`, code: 'NOT_FOUND', says: 'too long' },
  { what: 'an unknown query key', path: '/runs?colour=red', code: 'BAD_REQUEST', says: 'colour' },
  { what: 'a page of no rows', path: '/runs?limit=0', code: 'BAD_REQUEST', says: 'limit: ' },
  { what: 'a page of too many rows', path: '/runs?limit=100000', code: 'BAD_REQUEST', says: 'limit: ' },
  { what: 'a cursor that we did not make', path: '/runs?before=banana', code: 'BAD_REQUEST', says: 'cursor' },
  { what: 'a feed place that we did not make', path: '/feed?after=banana', code: 'BAD_REQUEST', says: 'after: ' },
  { what: 'a digest that is none', path: '/blobs/abc', code: 'BAD_REQUEST', says: 'digest: ' },
  {
    what: 'malformed JSON',
    method: 'POST',
    path: '/runs',
    body: '{"idempotencyKey":',
    code: 'BAD_REQUEST',
    says: 'not JSON',
  },
  {
    what: 'JSON that is no object',
    method: 'POST',
    path: '/runs',
    body: '[]',
    code: 'BAD_REQUEST',
    says: 'expected object',
  },
  { what: 'no body', method: 'POST', path: '/runs', code: 'BAD_REQUEST', says: 'expected object' },
  {
    what: 'another content type',
    method: 'POST',
    path: '/runs',
    body: 'a=b',
    type: 'application/x-www-form-urlencoded',
    code: 'BAD_REQUEST',
    says: 'content type',
  },
  {
    what: 'a compressed body',
    method: 'POST',
    path: '/runs',
    body: submission({}),
    headers: { 'content-encoding': 'gzip' },
    code: 'BAD_REQUEST',
    says: 'encoding',
  },
  {
    what: 'an unknown key',
    method: 'POST',
    path: '/runs',
    body: submission({ colour: 'red' }),
    code: 'BAD_REQUEST',
    says: 'colour',
  },
  {
    what: 'an unknown key deep inside',
    method: 'POST',
    path: '/runs',
    body: submission({ run: suiteWith({ colour: 'red' }) }),
    code: 'BAD_REQUEST',
    says: 'run.suites.0: Unrecognized key: "colour"',
  },
  {
    what: 'a key named __proto__',
    method: 'POST',
    path: '/runs',
    body: submission({}).replace('{', '{"__proto__":{"x":1},'),
    code: 'BAD_REQUEST',
    says: '__proto__',
  },
  {
    what: 'a target outside its directory',
    method: 'POST',
    path: '/runs',
    body: submission({ tasks: [{ suite: 0, target: '../x' }] }),
    code: 'BAD_REQUEST',
    says: 'tasks.0.target: must be a relative path',
  },
  {
    what: 'too many tasks',
    method: 'POST',
    path: '/runs',
    body: json(exampleSubmission('bad-request', limit('tasksPerRequest') + 1)),
    code: 'BAD_REQUEST',
    says: 'tasks: Too big',
  },
  {
    what: 'a task of a suite that is not there',
    method: 'POST',
    path: '/runs',
    body: submission({ tasks: [{ suite: 7, target: 'a' }] }),
    code: 'BAD_REQUEST',
    says: 'suite',
  },
  {
    what: 'a suite that fits in no frame',
    method: 'POST',
    path: '/runs',
    body: submission({
      run: suiteWith({
        env: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`V${index}`, 'x'.repeat(32_000)])),
      }),
    }),
    code: 'BODY_TOO_LARGE',
    says: 'suite unit',
  },
  {
    what: 'an oversize body',
    method: 'POST',
    path: '/runs',
    body: `"${'x'.repeat(limit('bodyBytes'))}"`,
    code: 'BODY_TOO_LARGE',
    says: 'larger than the limit',
  },
  {
    what: 'a requirement that is no expression',
    method: 'POST',
    path: '/runs',
    body: submission({ idempotencyKey: 'bad-requirement', run: suiteWith({ requires: 'cpu.count >=' }) }),
    code: 'BAD_REQUIREMENT',
    says: '',
  },
  { what: 'an unknown run', path: `/runs/${unknownRun}`, code: 'NOT_FOUND', says: unknownRun },
  { what: 'tasks of an unknown run', path: `/runs/${unknownRun}/tasks`, code: 'NOT_FOUND', says: unknownRun },
  { what: 'cases of an unknown run', path: `/runs/${unknownRun}/cases`, code: 'NOT_FOUND', says: unknownRun },
  { what: 'the feed of an unknown run', path: `/feed?run=${unknownRun}`, code: 'NOT_FOUND', says: unknownRun },
  {
    what: 'tasks for an unknown run',
    method: 'POST',
    path: `/runs/${unknownRun}/tasks`,
    body: json({ chunk: 1, tasks: [], sealed: true }),
    code: 'NOT_FOUND',
    says: unknownRun,
  },
  {
    what: 'cancelling an unknown run',
    method: 'POST',
    path: `/runs/${unknownRun}/cancel`,
    body: json({ reason: 'x' }),
    code: 'NOT_FOUND',
    says: unknownRun,
  },
  { what: 'an unknown task', path: `/tasks/${unknownRun}.0`, code: 'NOT_FOUND', says: `${unknownRun}.0` },
  {
    what: 'why an unknown task waits',
    path: `/tasks/${unknownRun}.0/explain`,
    code: 'NOT_FOUND',
    says: `${unknownRun}.0`,
  },
  { what: 'an unknown worker', path: '/workers/w-unknown777', code: 'NOT_FOUND', says: 'w-unknown777' },
  {
    what: 'draining an unknown worker',
    method: 'POST',
    path: '/workers/w-unknown777/drain',
    body: json({ reason: 'x' }),
    code: 'NOT_FOUND',
    says: 'w-unknown777',
  },
  {
    what: 'revoking an unknown token',
    method: 'DELETE',
    path: '/tokens/t-unknown777',
    code: 'NOT_FOUND',
    says: 't-unknown777',
  },
  { what: 'a plain request to the WebSocket', path: '/worker', code: 'BAD_REQUEST', says: 'WebSocket' },
];

function send({ method = 'GET', path, body, type = 'application/json', headers = {} }: Sent): Promise<Response> {
  return fetch(`${server.api}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': type }), ...headers },
    ...(body === undefined ? {} : { body }),
  });
}

test.each(bads)('$what is $code', async ({ code, says, ...sent }) => {
  const response = await send(sent);
  const body = ErrorBody.parse(await response.json());
  expect({ code: body.code, status: response.status }).toEqual({ code, status: errorCatalogue[code].status });
  expect([body.message, ...(body.details ?? [])].join('\n')).toContain(says);
  expect(response.headers.get('content-type')).toContain('application/json');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
});

test('a duplicated submission is answered with the run that it made the first time, another content is refused', async () => {
  const body = json(exampleSubmission('once-and-again', 3));
  const answers = await Promise.all([
    send({ method: 'POST', path: '/runs', body }),
    send({ method: 'POST', path: '/runs', body }),
  ]);
  const [first, second] = (await Promise.all(answers.map((answer) => answer.json()))) as {
    run: string;
    tasks: number;
    isRepeat: boolean;
  }[];
  expect(second).toEqual({ run: first?.run, tasks: 3, isRepeat: true });
  expect(first?.isRepeat).toBe(false);
  const other = await send({ method: 'POST', path: '/runs', body: json(exampleSubmission('once-and-again', 4)) });
  expect(ErrorBody.parse(await other.json()).code).toBe('IDEMPOTENCY_MISMATCH');
});

test('a repeated chunk is accepted once, and a sealed run takes no more', async () => {
  const { run } = (await (
    await send({ method: 'POST', path: '/runs', body: json(exampleSubmission('in-chunks', 2, false)) })
  ).json()) as { run: string };
  const chunk = json({ chunk: 1, tasks: [{ suite: 0, target: 'c' }], sealed: true });
  for (let time = 0; time < 2; time += 1) {
    const answer = await send({ method: 'POST', path: `/runs/${run}/tasks`, body: chunk });
    expect(await answer.json()).toMatchObject({ run, isRepeat: time === 1 });
  }
  const late = await send({
    method: 'POST',
    path: `/runs/${run}/tasks`,
    body: json({ chunk: 2, tasks: [{ suite: 0, target: 'd' }], sealed: true }),
  });
  expect(ErrorBody.parse(await late.json()).code).toBe('RUN_SEALED');
  const page = (await (await send({ path: `/runs/${run}/tasks` })).json()) as { tasks: { target: string }[] };
  expect(page.tasks.map(({ target }) => target)).toEqual(['test/0.test.ts', 'test/1.test.ts', 'c']);
});

test("a request keeps its caller's id, unless that is no plain word", async () => {
  const idOf = async (id: string) =>
    (await send({ path: '/health', headers: { 'x-request-id': id } })).headers.get('x-request-id');
  expect(await idOf('build-7')).toBe('build-7');
  expect(await idOf('a b')).toMatch(/^[0-9a-f-]{36}$/);
});
