// HTTPS and WSS by giving a certificate and its key. The certificate is made for the test; without openssl it is skipped.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestServer } from '../testing/http-server.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const canSkip = !hasOpenssl && process.env['ASSAY_REQUIRE_ALL'] !== '1';

// Skipped where openssl is not installed: nothing else here can make a certificate.
test.skipIf(canSkip)(
  `the API and the WebSocket are served over TLS${canSkip ? ' (skipped: openssl is not installed)' : ''}`,
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'assay-http-tls-'));
    const file = (name: string) => join(directory, name);
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-days',
        '2',
        '-keyout',
        file('key.pem'),
        '-out',
        file('cert.pem'),
      ],
      { stdio: 'ignore' },
    );
    const tls = { cert: await readFile(file('cert.pem')), key: await readFile(file('key.pem')) };
    await rm(directory, { recursive: true });
    const server = await startTestServer({ tls });
    try {
      expect(server.url).toMatch(/^https:/);
      const status = await new Promise((resolve, reject) => {
        get(`${server.api}/health`, { ca: tls.cert, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on('error', reject);
      });
      expect(status).toBe(200);
      const socket = new WebSocket(`${server.api.replace('https', 'wss')}/worker`, { ca: tls.cert });
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      socket.terminate();
    } finally {
      await server.stop();
    }
  },
);
