// Who may do what, and who is kept away: tokens and scopes, the open coordinator and web pages, guessing, listening.
import { request as plainRequest } from 'node:http';
import { type AssayError, ErrorBody, limit, type Scope } from '@assay/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { exampleSubmission, startTestServer, type TestServer } from '../testing/http-server.ts';
import { createAuthenticator } from './authenticate.ts';
import { createMemoryAuthority } from '../adapters/authority-memory.ts';
import { isLoopbackHost } from './browser-guard.ts';

const digest = 'a'.repeat(64);
const post = (value: unknown) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

type Init = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> };

/** Each kind of call, and a status other than 401 and 403 when it is allowed. */
const calls: Record<string, { path: string; init?: Init }> = {
  health: { path: '/health' },
  read: { path: '/runs' },
  submit: { path: '/runs', init: post(exampleSubmission('who-may-what', 0)) },
  operate: { path: '/workers/w-nobody/drain', init: post({ reason: 'x' }) },
  setAside: { path: '/workers/w-nobody/condition', init: post({ action: 'quarantine', reason: 'x' }) },
  certify: { path: '/workers/w-nobody/certify', init: post({ reason: 'x' }) },
  admin: { path: '/tokens' },
  blobRead: { path: `/blobs/${digest}` },
  blobWrite: {
    path: `/blobs/${digest}`,
    init: { method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, body: 'x' },
  },
};

const table: [scopes: Scope[] | null, allowed: string[]][] = [
  [null, ['health']],
  [['read'], ['health', 'read', 'blobRead']],
  [['submit'], ['health', 'read', 'submit', 'blobRead', 'blobWrite']],
  [['operate'], ['health', 'read', 'operate', 'setAside', 'certify', 'blobRead']],
  [['worker:default'], ['health', 'blobRead', 'blobWrite']],
  [
    ['read', 'operate'],
    ['health', 'read', 'operate', 'setAside', 'certify', 'blobRead'],
  ],
  [['admin'], Object.keys(calls)],
];

describe('with tokens', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ auth: 'tokens' });
  });
  afterAll(() => server.stop());

  const call = (path: string, init: Init = {}, secret?: string) =>
    fetch(`${server.api}${path}`, {
      ...init,
      headers: { ...init.headers, ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }) },
    });

  test.each(table)('the scopes %j may do %j and nothing else', async (scopes, allowed) => {
    const secret = scopes === null ? undefined : await server.token(...scopes);
    for (const [kind, { path, init }] of Object.entries(calls)) {
      const { status } = await call(path, init, secret);
      const isAllowed = status !== 401 && status !== 403;
      expect({ kind, isAllowed, status: isAllowed ? 0 : status }).toEqual({
        kind,
        isAllowed: allowed.includes(kind),
        status: allowed.includes(kind) ? 0 : scopes === null ? 401 : 403,
      });
    }
  });

  test('a revoked token is nobody at once', async () => {
    const admin = await server.token('admin');
    const { token, secret } = (await (
      await call('/tokens', post({ name: 'short', scopes: ['read'] }), admin)
    ).json()) as { token: { token: string }; secret: string };
    expect((await call('/runs', {}, secret)).status).toBe(200);
    expect((await call(`/tokens/${token.token}`, { method: 'DELETE' }, admin)).status).toBe(204);
    const refused = await call('/runs', {}, secret);
    expect([
      refused.status,
      ErrorBody.parse(await refused.json()).code,
      refused.headers.get('www-authenticate'),
    ]).toEqual([401, 'UNAUTHORIZED', 'Bearer']);
  });

  test.each(['Basic YTpi', 'Bearer', 'Bearer ', 'Bearer \u0001', `Bearer ${'x'.repeat(5_000)}`])(
    'the header %j is no token',
    async (authorization) => {
      const response = await call('/runs', { headers: { authorization } }).catch(() => null);
      // fetch itself refuses to send some of these.
      if (response !== null) expect(response.status).toBe(401);
    },
  );

  test('no secret is listed or logged', async () => {
    const secret = await server.token('admin');
    const listed = await (await call('/tokens', {}, secret)).text();
    expect(listed).not.toContain(secret);
    expect(JSON.stringify(server.logged)).not.toContain(secret);
  });

  test.each([
    ['no token', undefined, 401],
    ['a token without a worker scope', 'read', 403],
  ] as const)('the WebSocket refuses %s before the upgrade', async (_what, scope, status) => {
    const headers = scope === undefined ? {} : { authorization: `Bearer ${await server.token(scope)}` };
    expect(await upgradeStatus(server, headers)).toBe(status);
  });
});

describe('open on loopback', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  const host = () => `127.0.0.1:${server.port}`;
  const evil: [what: string, headers: Record<string, string>][] = [
    ['a page that names this address', { origin: 'https://evil.example' }],
    ['a page of another port here', { origin: 'http://127.0.0.1:1' }],
    ['a sandboxed page', { origin: 'null' }],
    ['a host name that was pointed here', { host: 'evil.example' }],
    ['a host name that looks like an address', { host: '127.0.0.1.evil.example' }],
    ['a host name ending in localhost', { host: 'evil-localhost' }],
    ['an image on a page elsewhere', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['a frame of another port here', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate' }],
  ];

  test.each(evil)('%s is refused, by the API and by the WebSocket', async (_what, headers) => {
    for (const path of ['/api/v1/health', '/api/v1/runs', '/api/v1/feed', '/api/v1/nonsense']) {
      expect(await statusOf(server, path, { host: host(), ...headers })).toBe(403);
    }
    expect(await upgradeStatus(server, headers)).toBe(403);
  });

  test.each([
    {},
    { host: 'localhost' },
    { host: '[::1]:80' },
    { origin: 'http://localhost:9', host: 'localhost:9' },
    { 'sec-fetch-site': 'same-origin' },
  ])('%j is from here', async (headers) => {
    expect(await statusOf(server, '/api/v1/runs', { host: host(), ...headers })).toBe(200);
  });

  test('an offered token that is wrong is refused, even where none is needed', async () => {
    expect(await statusOf(server, '/api/v1/runs', { host: host(), authorization: 'Bearer wrong' })).toBe(401);
  });

  test('the first token must be an administrator, and from then on everybody needs one', async () => {
    const own = await startTestServer();
    try {
      const create = async (scopes: Scope[]) => fetch(`${own.api}/tokens`, post({ name: 'first', scopes }));
      expect(ErrorBody.parse(await (await create(['worker:default'])).json()).code).toBe('CONFLICT');
      expect((await fetch(`${own.api}/runs`)).status).toBe(200);
      const { secret } = (await (await create(['admin'])).json()) as { secret: string };
      expect((await fetch(`${own.api}/runs`)).status).toBe(401);
      expect((await fetch(`${own.api}/runs`, { headers: { authorization: `Bearer ${secret}` } })).status).toBe(200);
    } finally {
      await own.stop();
    }
  });
});

test.each(['0.0.0.0', '::', '192.0.2.1', 'lab.example', '127.0.0.1.example'])(
  'listening on %s without tokens is refused',
  async (host) => {
    for (const auth of ['tokens', 'loopbackOpen'] as const) {
      const error = await startTestServer({ host, auth }).then(
        () => null,
        (caught: unknown) => caught,
      );
      expect((error as AssayError).code).toBe('LISTEN_NOT_LOOPBACK');
    }
  },
);

test('loopback hosts are those that can only be this machine', () => {
  expect(['localhost', 'LOCALHOST', '127.0.0.1', '127.9.9.9', '::1'].filter((host) => !isLoopbackHost(host))).toEqual(
    [],
  );
  expect(
    ['0.0.0.0', '::', '', 'localhost.evil.example', '127.1', '128.0.0.1', '::2', '10.0.0.1'].filter(isLoopbackHost),
  ).toEqual([]);
});

test('guessing is slowed by address, without keeping known tokens waiting, and a minute ends it', async () => {
  let nowMs = 0;
  const authority = createMemoryAuthority(() => nowMs);
  const known = (await authority.create('known', ['read'])).secret;
  const fresh = (await authority.create('fresh', ['read'])).secret;
  const authenticator = createAuthenticator(authority, 'tokens', () => nowMs);
  const codeOf = (secret: string, address = '192.0.2.1') => {
    try {
      return authenticator.identify({ authorization: `Bearer ${secret}` }, address).name;
    } catch (error) {
      return (error as AssayError).code;
    }
  };
  expect(codeOf(known)).toBe('known');
  for (let guess = 0; guess < limit('authFailuresPerMinute'); guess += 1)
    expect(codeOf(`guess-${guess}`)).toBe('UNAUTHORIZED');
  expect(codeOf('guess')).toBe('TOO_MANY_REQUESTS');
  expect(codeOf(fresh)).toBe('TOO_MANY_REQUESTS');
  expect(codeOf(known)).toBe('known');
  expect(codeOf(fresh, '192.0.2.2')).toBe('fresh');
  nowMs += 60_001;
  expect(codeOf('guess')).toBe('UNAUTHORIZED');
});

/** fetch sets Host and Origin itself; this sends what it is told. */
function statusOf(server: TestServer, path: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = plainRequest({ host: '127.0.0.1', port: server.port, path, headers, agent: false }, (response) => {
      resolve(response.statusCode);
      response.destroy();
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** The status that answers an upgrade; 101 where it is granted. */
function upgradeStatus(server: TestServer, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/v1/worker`, { headers });
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode);
      response.resume();
      socket.terminate();
    });
    socket.on('open', () => {
      resolve(101);
      socket.terminate();
    });
    socket.on('error', (error) =>
      error.message.includes('before the connection was established') ? undefined : reject(error),
    );
  });
}
