// The policy that is in force, over the wire.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/http-server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer({ auth: 'tokens' });
});
afterEach(() => server.stop());

test('the policy is read as it was last set, with leave to read and not without', async () => {
  const url = `${server.api}/policy`;
  const read = async (): Promise<unknown> =>
    (await fetch(url, { headers: { authorization: `Bearer ${await server.token('read')}` } })).json();
  expect(await read()).toEqual({ weights: {}, quotas: [], pools: {}, keys: {} });
  const policy = {
    weights: { ada: 2 },
    quotas: [{ pool: '*' as const, of: { kind: 'submitter' as const }, slots: 3 }],
    pools: { gpu: { reserved: true } },
    keys: { database: 1 },
  };
  await server.shell.submit({ kind: 'setPolicy', policy, actor: 'op' });
  expect(await read()).toEqual(policy);
  expect((await fetch(url)).status).toBe(401);
});
