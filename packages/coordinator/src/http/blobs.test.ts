// Blobs on the wire: streamed both ways, whole or not at all, and never served as anything but bytes.
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Digest, ErrorBody, limit } from '@assay/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/http-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const digestOf = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
const urlOf = (digest: string) => `${server.api}/blobs/${digest}`;
const put = (
  digest: string,
  body: Uint8Array<ArrayBuffer> | ReadableStream | string,
  type = 'application/octet-stream',
) =>
  fetch(urlOf(digest), {
    method: 'PUT',
    headers: { 'content-type': type },
    body,
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  } as RequestInit);

test.each([0, 1, 5_000_000])('a blob of %i bytes comes back as it went', async (bytes) => {
  const content = randomBytes(bytes);
  const digest = digestOf(content);
  expect((await fetch(urlOf(digest), { method: 'HEAD' })).status).toBe(404);
  expect((await put(digest, content)).status).toBe(204);
  expect((await put(digest, content)).status).toBe(204);
  const head = await fetch(urlOf(digest), { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes)]);
  const got = await fetch(urlOf(digest));
  expect(Buffer.from(await got.arrayBuffer()).equals(content)).toBe(true);
  expect(got.headers.get('content-type')).toBe('application/octet-stream');
  expect(got.headers.get('x-content-type-options')).toBe('nosniff');
  expect(got.headers.get('content-disposition')).toBe(`attachment; filename="${digest}"`);
  expect(got.headers.get('content-security-policy')).toContain('sandbox');
});

test('a stream without an announced length is stored too', async () => {
  const content = randomBytes(300_000);
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < content.length; at += 10_000) controller.enqueue(content.subarray(at, at + 10_000));
      controller.close();
    },
  });
  expect((await put(digestOf(content), stream)).status).toBe(204);
  expect(await server.blobs.sizeOf(digestOf(content) as Digest)).toBe(300_000);
});

test('content under the name of another is refused and not kept', async () => {
  const digest = digestOf(Buffer.from('announced'));
  const response = await put(digest, 'something else');
  expect(ErrorBody.parse(await response.json()).code).toBe('BLOB_DIGEST_MISMATCH');
  expect(await server.blobs.sizeOf(digest as Digest)).toBeNull();
});

test('another content type is refused', async () => {
  for (const type of ['text/html', 'application/json']) {
    const response = await put(digestOf(Buffer.from('{}')), '{}', type);
    expect([response.status, ErrorBody.parse(await response.json()).code]).toEqual([400, 'BAD_REQUEST']);
  }
});

test('a blob announced as larger than the limit is refused before it is read', async () => {
  const text = await raw(
    `PUT /api/v1/blobs/${'a'.repeat(64)} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\nContent-Length: ${limit('blobBytes') + 1}\r\n\r\n`,
    (got) => got.includes('BODY_TOO_LARGE'),
  );
  expect(text).toContain('HTTP/1.1 413');
});

test('an upload that breaks off is not kept', async () => {
  const content = randomBytes(100_000);
  const digest = digestOf(content);
  const socket = connect(server.port, '127.0.0.1');
  await new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('error', () => undefined);
    socket.write(
      `PUT /api/v1/blobs/${digest} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\nContent-Length: ${content.length}\r\n\r\n`,
    );
    socket.write(content.subarray(0, 50_000), () => socket.destroy());
  });
  expect((await fetch(urlOf(digest), { method: 'HEAD' })).status).toBe(404);
  expect((await put(digest, content)).status).toBe(204);
});

test('a large blob passes through without being held in memory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'assay-http-blobs-'));
  const bytes = 200 * 1024 * 1024;
  const chunk = randomBytes(1024 * 1024);
  const hash = createHash('sha256');
  for (let sent = 0; sent < bytes; sent += chunk.length) hash.update(chunk);
  const digest = hash.digest('hex');
  const own = await startTestServer({ blobDirectory: directory });
  try {
    let sent = 0;
    let peak = 0;
    const before = process.memoryUsage().arrayBuffers;
    const body = new ReadableStream({
      pull(controller) {
        peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
        if (sent === bytes) return controller.close();
        sent += chunk.length;
        controller.enqueue(chunk);
      },
    });
    const init = {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body,
      duplex: 'half',
    } as RequestInit;
    expect((await fetch(`${own.api}/blobs/${digest}`, init)).status).toBe(204);
    let got = 0;
    for await (const part of (await fetch(`${own.api}/blobs/${digest}`)).body ?? []) {
      got += (part as Uint8Array).length;
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    }
    expect(got).toBe(bytes);
    // Both ends of the wire are in this process, and garbage waits for its collection.
    expect(peak).toBeLessThan(bytes / 2);
  } finally {
    await own.stop();
    await rm(directory, { recursive: true, force: true });
  }
});

function raw(request: string, isEnough: (got: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(request));
    let got = '';
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString();
      if (isEnough(got)) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(got));
  });
}
