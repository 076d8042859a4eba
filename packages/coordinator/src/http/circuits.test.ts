// Circuits over the wire: orders of people, who may give them, and what is told of them.
import { CircuitList, CircuitView, type FeedItem } from '@assay/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/http-server.ts';

let server: TestServer;
let operate: string;
beforeEach(async () => {
  server = await startTestServer({ auth: 'tokens' });
  operate = await server.token('operate');
});
afterEach(() => server.stop());

async function ask(
  path: string,
  options: { token?: string; body?: object } = {},
): Promise<{ status: number; body: unknown }> {
  const { token = operate, body } = options;
  const response = await fetch(`${server.api}${path}`, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}
const force = (circuit: string, body: object): ReturnType<typeof ask> =>
  ask(`/circuits/${encodeURIComponent(circuit)}/force`, { body });

test('a circuit is forced, shown, released and reset, with who and why in its history and the feed', async () => {
  const fed: FeedItem[] = [];
  server.feed.subscribe({ run: null }, null, (delivery) => {
    if (delivery.kind === 'events') fed.push(...delivery.events.map(({ item }) => item));
  });
  expect(CircuitList.parse((await ask('/circuits')).body)).toEqual({ circuits: [] });
  const forced = await force('task:@acme/shop/unit tests', { to: 'open', reason: 'the fixtures are rebuilt' });
  expect(forced.status).toBe(200);
  expect(CircuitView.parse(forced.body)).toMatchObject({
    circuit: 'task:@acme/shop/unit tests',
    scope: { kind: 'task', project: '@acme/shop', suite: 'unit tests' },
    state: 'forcedOpen',
    untilMs: null,
    actor: 'operate',
    reason: 'the fixtures are rebuilt',
    // Nothing was measured: nothing is claimed.
    health: null,
    calls: 0,
  });
  const path = `/circuits/${encodeURIComponent('task:@acme/shop/unit tests')}`;
  expect((await ask(`${path}/release`, { body: { reason: 'built' } })).body).toMatchObject({ state: 'halfOpen' });
  const reset = CircuitView.parse((await ask(`${path}/reset`, { body: { reason: 'seen' } })).body);
  expect(reset.state).toBe('closed');
  expect(reset.history).toMatchObject([
    { from: 'closed', to: 'forcedOpen', actor: 'operate', reason: 'the fixtures are rebuilt', evidence: [] },
    { from: 'forcedOpen', to: 'halfOpen', actor: 'operate', reason: 'built' },
    { from: 'halfOpen', to: 'closed', actor: 'operate', reason: 'seen' },
  ]);
  const seqs = reset.history.map(({ seq }) => seq ?? 0);
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  expect(seqs[0]).toBeGreaterThan(0);
  expect(fed.filter(({ kind }) => kind === 'circuitMoved')).toMatchObject([
    { to: 'forcedOpen', actor: 'operate', reason: 'the fixtures are rebuilt' },
    { to: 'halfOpen' },
    { to: 'closed' },
  ]);
});

test('a circuit that is forced for a time says until when', async () => {
  const before = Date.now();
  const { body } = await force('dependency:db', { to: 'open', forMs: 60_000, reason: 'maintenance' });
  const { untilMs } = CircuitView.parse(body);
  expect(untilMs).toBeGreaterThanOrEqual(before + 60_000 - 1);
  expect(untilMs).toBeLessThanOrEqual(Date.now() + 60_000);
});

test('the list is filtered by state, kind and worker', async () => {
  await force('dependency:db', { to: 'open', reason: 'a' });
  await force('task:shop/unit', { to: 'metricsOnly', reason: 'b' });
  const names = async (query: string): Promise<string[]> =>
    CircuitList.parse((await ask(`/circuits${query}`)).body).circuits.map(({ circuit }) => circuit);
  expect(await names('')).toEqual(['dependency:db', 'task:shop/unit']);
  expect(await names('?state=metricsOnly')).toEqual(['task:shop/unit']);
  expect(await names('?kind=dependency')).toEqual(['dependency:db']);
  expect(await names('?worker=w-1')).toEqual([]);
  expect((await ask('/circuits?state=ajar')).status).toBe(400);
});

test('an order needs the scope operate, a reason, and something to be about', async () => {
  const read = await server.token('read');
  const body = { to: 'open', reason: 'because' };
  expect((await ask('/circuits/dependency%3Adb/force', { token: read, body })).status).toBe(403);
  expect((await force('dependency:db', { to: 'open' })).status).toBe(400);
  expect((await force('dependency:db', { to: 'open', reason: '' })).status).toBe(400);
  expect((await force('nothing at all', body)).body).toMatchObject({ code: 'BAD_REQUEST' });
  expect((await force('worker:w-nobody', body)).status).toBe(404);
  expect((await ask('/circuits/dependency%3Adb')).status).toBe(404);
  expect((await ask('/circuits/dependency%3Adb/reset', { body: { reason: 'x' } })).status).toBe(404);
});
