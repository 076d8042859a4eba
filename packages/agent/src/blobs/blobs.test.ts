import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AttemptRef, BlobRef, Report } from '@assay/protocol';
import { Outbox } from './outbox.ts';
import { Uploader } from './uploader.ts';

let home: string;
beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'assay-blobs-'))));
afterEach(() => rmSync(home, { recursive: true, force: true }));

const outboxIn = (bytesMax?: number): Outbox =>
  new Outbox({ directory: join(home, 'outbox'), ...(bytesMax === undefined ? {} : { bytesMax }) });

function file(name: string, content: string): { name: string; path: string; truncatedBytes: number } {
  const path = join(home, name);
  writeFileSync(path, content);
  return { name, path, truncatedBytes: 3 };
}

function finished(seq: number, blobs: BlobRef[]): Report {
  const counts = { passed: 1, failed: 0, skipped: 0, todo: 0 };
  const ref = { task: `t.${seq}`, attempt: 1 } as AttemptRef;
  return {
    kind: 'finished',
    seq,
    ...ref,
    outcome: { verdict: 'passed', counts, casesReported: 0, startedAtMs: 0, endedAtMs: 0, costMs: 0, blobs },
  };
}

test('files are moved in under their digest, are known after a restart, and leave when they are sent', async () => {
  const first = outboxIn();
  const taken = await first.take([file('out.log', 'hello'), file('err.log', '')]);
  expect(taken.leftOut).toEqual([]);
  expect(taken.refs[0]).toEqual({
    name: 'out.log',
    digest: createHash('sha256').update('hello').digest('hex'),
    bytes: 5,
    truncatedBytes: 3,
  });
  expect(existsSync(join(home, 'out.log'))).toBe(false);
  const second = outboxIn();
  expect(taken.refs.every((ref) => second.has(ref.digest))).toBe(true);
  second.keepOnly(new Set([taken.refs[0]!.digest]));
  expect(readdirSync(join(home, 'outbox'))).toEqual([taken.refs[0]!.digest]);
  second.remove(taken.refs[0]!.digest, 5);
  expect(readdirSync(join(home, 'outbox'))).toEqual([]);
});

test('what does not fit or cannot be read is left out with the reason, and the rest is kept', async () => {
  const outbox = outboxIn(10);
  mkdirSync(join(home, 'folder'));
  const taken = await outbox.take([
    file('a', '12345678'),
    file('b', '12345'),
    { name: 'c', path: join(home, 'nothing') },
    { name: 'd', path: join(home, 'folder') },
  ]);
  expect(taken.refs.map((ref) => ref.name)).toEqual(['a']);
  expect(taken.leftOut.map((one) => one.name)).toEqual(['b', 'c', 'd']);
  expect(taken.leftOut[0]!.reason).toContain('the bound is 10');
  outbox.remove(taken.refs[0]!.digest, 8);
  expect((await outbox.take([file('b', '12345')])).refs).toHaveLength(1);
});

/** A server that answers a PUT by the script, then 204; and an uploader to it. */
async function uploading(statuses: number[], triesMax = 30) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      seen.push(`${request.method} ${request.url?.slice(-64)}`);
      response.writeHead(statuses.shift() ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const outbox = outboxIn();
  const ready: Report[] = [];
  const waiters: (() => void)[] = [];
  const uploader = new Uploader({
    access: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 't', ca: null },
    outbox,
    ready: (report) => {
      ready.push(report);
      for (const act of waiters.splice(0)) act();
    },
    say: () => undefined,
    retryMs: 5,
    triesMax,
  });
  const untilReady = async (count: number): Promise<void> => {
    while (ready.length < count) await new Promise<void>((resolve) => waiters.push(resolve));
  };
  const stop = async (): Promise<void> => {
    uploader.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { outbox, uploader, ready, seen, untilReady, stop };
}

test('reports become ready in order once their files are there, and nothing is sent without a link', async () => {
  const { outbox, uploader, ready, seen, untilReady, stop } = await uploading([]);
  const { refs } = await outbox.take([file('a', 'one'), file('b', 'two')]);
  const reports = refs.map((ref, seq) => finished(seq, [ref]));
  for (const report of reports) {
    expect(uploader.needs(report)).toBe(true);
    uploader.add(report);
  }
  expect(uploader.needs(finished(9, []))).toBe(false);
  expect(ready).toEqual([]);
  uploader.setConnected(true);
  await untilReady(2);
  expect(ready).toEqual(reports);
  expect(seen).toEqual(refs.map((ref) => `PUT ${ref.digest}`));
  expect(refs.some((ref) => outbox.has(ref.digest))).toBe(false);
  await stop();
});

test('a coordinator in trouble is tried again; one that refuses a file gets the report without it', async () => {
  const { outbox, uploader, ready, seen, untilReady, stop } = await uploading([503, 500, 204, 413]);
  const { refs } = await outbox.take([file('a', 'one'), file('b', 'two')]);
  uploader.setConnected(true);
  uploader.add(finished(0, refs));
  await untilReady(1);
  expect(seen).toHaveLength(4);
  expect(ready[0]).toMatchObject({ outcome: { blobs: [refs[0]] } });
  expect(readdirSync(join(home, 'outbox'))).toEqual([]);
  await stop();
});

test('a result does not wait for ever for a file that the coordinator never takes', async () => {
  const { outbox, uploader, ready, seen, untilReady, stop } = await uploading(
    Array.from({ length: 50 }, () => 507),
    4,
  );
  const { refs } = await outbox.take([file('a', 'one')]);
  uploader.setConnected(true);
  uploader.add(finished(0, refs));
  await untilReady(1);
  expect(seen).toHaveLength(4);
  expect(ready[0]).toMatchObject({ outcome: { verdict: 'passed', blobs: [] } });
  await stop();
});
