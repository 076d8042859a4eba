import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { AgentFrame } from '@assay/protocol';
import type { AgentMessage, AttemptRef, Output } from '@assay/protocol';
import { decodeFrame, decodeSummed, encodeFrames, withSum } from './frames.ts';
import { openLink } from './link.ts';
import { LiveOutput } from './live-output.ts';

const ref = { task: 't.0', attempt: 1 } as AttemptRef;
const output = (text: string): AgentMessage => ({ kind: 'output', ...ref, stream: 'stdout', text });
const never = (): never => {
  throw new Error('too large');
};

test('messages go out in order in frames that fit the limits, by bytes and by count', () => {
  const messages = Array.from({ length: 50 }, (_, index) => output(`${index}:${'\u00e9'.repeat(index * 3)}`));
  const limits = { frameBytes: 700, messagesPerFrame: 7 };
  const frames = encodeFrames(messages, never, limits);
  for (const frame of frames) {
    expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(700);
    expect(AgentFrame.parse(JSON.parse(frame)).length).toBeLessThanOrEqual(7);
  }
  expect(frames.flatMap((frame) => JSON.parse(frame) as unknown[])).toEqual(messages);
  expect(frames.length).toBeLessThan(messages.length);
});

test('a message that fits no frame is told, and the others go', () => {
  const told: number[] = [];
  const frames = encodeFrames(
    [output('a'), output('x'.repeat(900)), output('b')],
    (_message, bytes) => told.push(bytes),
    { frameBytes: 500, messagesPerFrame: 10 },
  );
  expect(told).toHaveLength(1);
  expect(frames.flatMap((frame) => (JSON.parse(frame) as Output[]).map((message) => message.text))).toEqual(['a', 'b']);
});

test('a frame is believed only as far as the schema goes, and a bad one says where', () => {
  expect(decodeFrame('[{"kind":"ack","seq":3}]')).toEqual({ kind: 'messages', messages: [{ kind: 'ack', seq: 3 }] });
  expect(decodeFrame('nonsense')).toMatchObject({ kind: 'bad', reason: expect.stringContaining('not JSON') });
  expect(decodeFrame('[{"kind":"ack","seq":-3}]')).toMatchObject({
    kind: 'bad',
    reason: expect.stringContaining('0.seq'),
  });
  expect(decodeFrame('[]').kind).toBe('bad');
});

test('a frame with its sum is believed as it was sent, and not with any one bit turned', () => {
  const summed = withSum('[{"kind":"ack","seq":31}]');
  expect(summed).toMatch(/^[0-9a-f]{8}\[/);
  expect(decodeSummed(summed)).toEqual({ kind: 'messages', messages: [{ kind: 'ack', seq: 31 }] });
  const bytes = Buffer.from(summed);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const turned = Buffer.from(bytes);
    turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(decodeSummed(turned.toString('utf8'))).toEqual({ kind: 'bad', reason: 'a frame changed on its way' });
  }
});

function liveOutput(change: { isWelcome?: () => boolean } = {}) {
  const world = { nowMs: 0, sent: [] as Output[] };
  const live = new LiveOutput({
    charsPerSecond: 1_000,
    burstChars: 2_000,
    nowMs: () => world.nowMs,
    isWelcome: () => true,
    send: (messages) => world.sent.push(...messages),
    ...change,
  });
  return { world, live, text: () => world.sent.map((message) => message.text).join('') };
}

test('live output is gathered into few messages, and nothing of a quiet attempt is left out', () => {
  const { world, live, text } = liveOutput();
  for (let index = 0; index < 100; index += 1) live.add(ref, 'stdout', `${index}\n`);
  live.add(ref, 'stderr', 'oh\n');
  live.end(ref);
  expect(world.sent.map((message) => message.stream)).toEqual(['stdout', 'stderr']);
  expect(text()).toBe(`${Array.from({ length: 100 }, (_, index) => `${index}\n`).join('')}oh\n`);
});

test('live output above the rate is left out, with a marker that counts it', () => {
  const { world, live, text } = liveOutput();
  live.add(ref, 'stdout', 'x'.repeat(5_000));
  live.add(ref, 'stdout', 'y'.repeat(500));
  world.nowMs = 2_000;
  live.add(ref, 'stdout', 'back again');
  live.end(ref);
  expect(text()).toBe(`${'x'.repeat(2_000)}\n[assay: 3500 characters of live output left out]\nback again`);
});

test('live output that nobody could take is forgotten', () => {
  const { world, live } = liveOutput({ isWelcome: () => false });
  live.add(ref, 'stdout', 'x');
  live.end(ref);
  expect(world.sent).toEqual([]);
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const canSkip = !hasOpenssl && process.env['ASSAY_REQUIRE_ALL'] !== '1';
if (canSkip) console.warn('SKIPPED: the TLS test of the link needs openssl');

// Without openssl there is nothing to make a certificate with: skipped, unless everything is required.
test.skipIf(canSkip)('over TLS the coordinator must be signed by an authority that is known or given', async () => {
  const home = mkdtempSync(join(tmpdir(), 'assay-tls-'));
  const [key, cert] = [join(home, 'key.pem'), join(home, 'cert.pem')];
  try {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
      ],
      { stdio: 'ignore' },
    );
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) });
    const sockets = new WebSocketServer({ server, path: '/api/v1/worker' });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    const attempt = (ca: string | null) =>
      new Promise<string>((resolve) => {
        const link = openLink(
          { url, token: 't', ca },
          {
            opened: () => {
              resolve('opened');
              link.close('enough');
            },
            failed: (_code, message) => resolve(message),
            messages: () => undefined,
            badFrame: () => undefined,
            closed: () => undefined,
          },
        );
      });
    expect(await attempt(null)).toMatch(/self.signed|certificate/i);
    expect(await attempt(readFileSync(cert, 'utf8'))).toBe('opened');
    for (const client of sockets.clients) client.terminate();
    sockets.close();
    await new Promise((resolve) => server.close(resolve));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
