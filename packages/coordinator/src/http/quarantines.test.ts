// Tests set aside over HTTP: who may, what is answered, and what is refused with a reason.
import { ErrorBody, QuarantineList } from '@assay/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/http-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ auth: 'tokens' });
});
afterAll(() => server.stop());

const flaky = {
  project: 'shop',
  suite: 'unit',
  target: 'a.test.ts',
  path: ['cart', 'adds'],
  mode: 'mute',
  owner: 'ada',
  reason: 'races the clock',
  expiresAtMs: Date.now() + 86_400_000,
  rate: 0.5,
};

async function ask(secret: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${server.api}${path}`, {
    headers: {
      authorization: `Bearer ${secret}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

test('an operator sets a test aside and releases it; a reader sees it with its owner, reason and end, and may not', async () => {
  const [operator, reader] = [await server.token('operate'), await server.token('read')];
  expect((await ask(reader, '/quarantines', flaky)).status).toBe(403);
  const made = QuarantineList.parse((await ask(operator, '/quarantines', flaky)).body);
  expect(made.quarantines).toMatchObject([{ ...flaky, quarantine: 'q-1', passesInRow: 0, passesNeeded: 20 }]);
  expect((await ask(reader, '/quarantines')).body).toEqual(made);
  expect((await ask(reader, '/quarantines/q-1/release', { reason: 'x' })).status).toBe(403);
  expect(await ask(operator, '/quarantines/q-1/release', { reason: 'mended' })).toEqual({
    status: 200,
    body: { quarantines: [] },
  });
  expect((await ask(operator, '/quarantines/q-1/release', { reason: 'mended' })).status).toBe(404);
});

test.each([
  ['no owner', { owner: '  ' }],
  ['an end in the past', { expiresAtMs: 1 }],
  ['one test of a file to be skipped', { mode: 'skip' }],
  ['a word that is not known', { until: 'tomorrow' }],
])('%s is refused', async (_what, change) => {
  const answer = await ask(await server.token('operate'), '/quarantines', { ...flaky, ...change });
  expect(answer.status).toBe(400);
  expect(ErrorBody.parse(answer.body).code).toBe('BAD_REQUEST');
});
