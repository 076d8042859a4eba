// Importing over the wire: once for the same content, whole or not at all, and a project that is erased.
import { RunAccepted } from '@assay/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/http-server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer({ auth: 'tokens' });
});
afterEach(() => server.stop());

async function post(path: string, body: unknown, scope: 'submit' | 'admin' | 'read' = 'submit') {
  const response = await fetch(`${server.api}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await server.token(scope)}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const sample = { path: ['group', 'adds'], status: 'passed', durationMs: 3 };
const content = {
  project: 'elsewhere',
  suites: [{ name: 'unit', format: 'junit' }],
  tasks: [{ suite: 0, target: 'a.test.ts', cases: [sample] }],
  startedAtMs: null,
};

test('the same content is the same run, before and after its rows are stored, whoever sends it and by what name', async () => {
  const first = await post('/imports', { name: 'nightly', labels: { branch: 'main' }, content });
  expect(first.status).toBe(200);
  expect(RunAccepted.parse(first.body)).toMatchObject({ tasks: 1, isRepeat: false });
  expect((await post('/imports', { name: 'again', labels: {}, content })).body).toEqual({
    ...first.body,
    isRepeat: true,
  });
  await server.catchUp();
  const third = await post('/imports', { name: 'again', labels: {}, content }, 'admin');
  expect(third.body).toEqual({ ...first.body, isRepeat: true });
  const { run } = RunAccepted.parse(first.body);
  expect(await server.results.readRun(run)).toMatchObject({ name: 'nightly', state: 'settled', verdict: 'passed' });
  const other = await post('/imports', { name: 'x', labels: {}, content: { ...content, startedAtMs: 5 } });
  expect(other.body['run']).not.toBe(run);
});

test('what breaks the contract in one place comes in at none', async () => {
  const bad = {
    ...content,
    tasks: [...content.tasks, { suite: 0, target: 'b', cases: [{ ...sample, status: 'fine' }] }],
  };
  expect(await post('/imports', { name: 'x', labels: {}, content: bad })).toMatchObject({
    status: 400,
    body: { code: 'BAD_REQUEST' },
  });
  await server.catchUp();
  expect((await server.results.listRuns({ limit: 10 })).runs).toEqual([]);
  expect((await post('/imports', { name: 'x', labels: {}, content }, 'read')).status).toBe(403);
});

test('erasing a project takes an administrator, and takes its runs alone', async () => {
  await post('/imports', { name: 'x', labels: {}, content });
  await post('/imports', { name: 'x', labels: {}, content: { ...content, project: 'kept' } });
  expect((await post('/projects/erase', { project: 'elsewhere' })).status).toBe(403);
  expect((await post('/projects/erase', { project: 'elsewhere' }, 'admin')).body).toEqual({
    project: 'elsewhere',
    seq: 3,
  });
  await server.catchUp();
  expect((await server.results.listRuns({ limit: 10 })).runs.map(({ project }) => project)).toEqual(['kept']);
});
