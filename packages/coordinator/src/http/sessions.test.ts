// Signing in to the dashboard: what the cookie is, what it lets its holder do, what ends it, and whom it does not serve.
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ErrorBody, type Scope, SessionView, SignInCode } from '@assay/protocol';
import { createMemoryAuthority } from '../adapters/authority-memory.ts';
import { startTestServer, type TestServer } from '../testing/http-server.ts';
import { createSessions } from './sessions.ts';

let server: TestServer;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'assay-pages-'));
  await mkdir(join(directory, 'assets'));
  await writeFile(join(directory, 'index.html'), '<!doctype html><title>Assay</title>');
  await writeFile(join(directory, 'assets', 'a-1.js'), 'export {};');
  await writeFile(join(directory, 'secret.txt'), 'not a page');
  server = await startTestServer({ auth: 'tokens', dashboardDir: directory });
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

type Init = { method?: string; headers?: Record<string, string>; json?: unknown };
const call = (path: string, { method, headers, json }: Init = {}) =>
  fetch(`${server.api}${path}`, {
    method: method ?? (json === undefined ? 'GET' : 'POST'),
    headers: { ...headers, ...(json === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
const codeOf = async (response: Response): Promise<string> => ErrorBody.parse(await response.json()).code;

/** A signed-in browser: its cookie and its word. */
async function signedIn(...scopes: Scope[]): Promise<{ cookie: string; csrf: string; set: string }> {
  const response = await call('/session', { json: { token: await server.token(...scopes) } });
  expect(response.status).toBe(200);
  const set = response.headers.get('set-cookie') ?? '';
  const { csrf } = SessionView.parse(await response.json());
  return { cookie: set.split(';')[0] ?? '', csrf: csrf ?? '', set };
}

test('a token becomes a cookie that scripts cannot read and other sites cannot send', async () => {
  const { cookie, csrf, set } = await signedIn('read');
  expect(set).toMatch(new RegExp(`^assay_${server.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`));
  expect((await call('/runs')).status).toBe(401);
  expect((await call('/runs', { headers: { cookie } })).status).toBe(200);
  const me = SessionView.parse(await (await call('/session', { headers: { cookie } })).json());
  expect(me).toEqual({ name: 'read', scopes: ['read'], kind: 'session', csrf });
});

test('a session is no more than its token: its scopes apply, and revoking it ends the session', async () => {
  const { cookie, csrf } = await signedIn('operate');
  const headers = { cookie, 'x-assay-csrf': csrf };
  expect(await codeOf(await call('/workers/w-nobody/drain', { headers, json: { reason: 'x' } }))).toBe('NOT_FOUND');
  expect(await codeOf(await call('/tokens', { headers }))).toBe('FORBIDDEN');
  const own = (await server.authority.list()).find(({ name, isRevoked }) => name === 'operate' && !isRevoked);
  await server.authority.revoke(own?.token ?? '');
  expect((await call('/runs', { headers })).status).toBe(401);
});

test.each<[string, (csrf: string) => Record<string, string>]>([
  ['the word is missing', () => ({})],
  ['the word is wrong', () => ({ 'x-assay-csrf': 'guessed' })],
  ['another origin asks', (csrf) => ({ 'x-assay-csrf': csrf, origin: 'http://127.0.0.1:1' })],
  ['the browser says that another site asks', (csrf) => ({ 'x-assay-csrf': csrf, 'sec-fetch-site': 'same-site' })],
])('nothing is changed with a cookie where %s', async (_what, headersOf) => {
  const { cookie, csrf } = await signedIn('admin');
  const headers = { cookie, ...headersOf(csrf) };
  expect(await codeOf(await call('/workers/w-nobody/drain', { headers, json: { reason: 'x' } }))).toBe('FORBIDDEN');
});

test('signing out ends the session on both sides', async () => {
  const { cookie, csrf } = await signedIn('read');
  const out = await call('/session', { method: 'DELETE', headers: { cookie, 'x-assay-csrf': csrf } });
  expect([out.status, out.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')]);
  expect((await call('/runs', { headers: { cookie } })).status).toBe(401);
});

test('a code signs in once, as whoever made it', async () => {
  const authorization = `Bearer ${await server.token('submit')}`;
  const made = await call('/session/codes', { headers: { authorization }, json: {} });
  const { code } = SignInCode.parse(await made.json());
  const first = await call('/session', { json: { code } });
  expect(SessionView.parse(await first.json())).toMatchObject({ name: 'submit', scopes: ['submit'] });
  expect((await call('/session', { json: { code } })).status).toBe(401);
});

test('wrong tokens, wrong codes and sign-ins from other sites are refused', async () => {
  expect(await codeOf(await call('/session', { json: { token: 'wrong' } }))).toBe('UNAUTHORIZED');
  expect(await codeOf(await call('/session', { json: { code: 'wrong' } }))).toBe('UNAUTHORIZED');
  const json = { token: await server.token('read') };
  const headers = { origin: 'http://elsewhere.example' };
  expect(await codeOf(await call('/session', { json, headers }))).toBe('FORBIDDEN');
});

test('a session that nobody used for twelve hours is over, a code after a minute', async () => {
  const authority = createMemoryAuthority();
  const { secret } = await authority.create('me', ['read']);
  let nowMs = 0;
  const sessions = createSessions(
    authority,
    () => 'assay_1',
    true,
    () => nowMs,
  );
  const { cookie } = sessions.open(secret);
  const headers = { cookie: `other=1; assay_1=${cookie}` };
  nowMs += 12 * 3_600_000;
  expect(sessions.find(headers)?.identity.name).toBe('me');
  nowMs += 12 * 3_600_000 + 1;
  expect(sessions.find(headers)).toBeNull();
  const { code } = sessions.createCode(secret);
  nowMs += 60_001;
  expect(sessions.redeem(code)).toBeNull();
  expect(sessions.header('x')).toMatch(/; Secure/);
});

test('the pages are served under a policy that lets nothing in from elsewhere, and every page address is the page', async () => {
  const html = { accept: 'text/html' };
  for (const path of ['/', '/runs/r-1?tab=cases']) {
    const page = await fetch(`${server.url}${path}`, { headers: html });
    expect([page.status, await page.text()]).toEqual([200, '<!doctype html><title>Assay</title>']);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(page.headers.get('cache-control')).toBe('no-store');
  }
  const script = await fetch(`${server.url}/assets/a-1.js`);
  expect([script.headers.get('content-type'), script.headers.get('cache-control')]).toEqual([
    'text/javascript; charset=utf-8',
    'public, max-age=31536000, immutable',
  ]);
});

test.each(['/assets/nothing.js', '/secret.txt', '/../secret.txt', '/%2e%2e/secret.txt', '/api/v1/nothing'])(
  'nobody gets %s',
  async (path) => {
    expect((await fetch(`${server.url}${path}`)).status).toBe(404);
  },
);
