// The server of a session against those who lie to it: another session's page, a stale page, another host name.
import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { Loopback } from './loopback.ts';

const open: Loopback[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (one) => one.close()));
});
async function start(): Promise<Loopback> {
  const made = await Loopback.start();
  open.push(made);
  return made;
}
const post = async (url: string): Promise<number> =>
  (await fetch(url, { method: 'POST', body: '[{"kind":"done"}]' })).status;

test('results that another session posts, or a stale page of an earlier task, reach nobody', async () => {
  const [mine, other] = [await start(), await start()];
  const heard: unknown[] = [];
  const path = mine.expect('token-of-this-task', (events) => void heard.push(...events));
  expect(await post(other.origin + path)).toBe(410);
  expect(await post(mine.origin + other.expect('token-of-another', () => {}))).toBe(410);
  expect(heard).toEqual([]);
  expect(await post(mine.origin + path)).toBe(200);
  expect(heard).toEqual([{ kind: 'done' }]);
  mine.forget('token-of-this-task');
  expect(await post(mine.origin + path)).toBe(410);
  expect(heard).toHaveLength(1);
});

test('nothing may be cached, a page is isolated unless its own headers decide, and no other host name is answered', async () => {
  const server = await start();
  server.serve([({ pathname }) => (pathname === '/plain' ? { body: 'x', isIsolated: false } : { body: 'x' })]);
  const headersOf = async (path: string) => (await fetch(server.origin + path)).headers;
  expect((await headersOf('/page')).get('cache-control')).toBe('no-store');
  expect((await headersOf('/page')).get('cross-origin-opener-policy')).toBe('same-origin');
  expect((await headersOf('/plain')).get('cross-origin-opener-policy')).toBe(null);
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const { port } = new URL(server.origin);
    request({ host: '127.0.0.1', port, path: '/page', headers: { host: 'evil.example' } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
  expect(status).toBe(421);
});
