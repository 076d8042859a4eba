import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Digest } from '@assay/protocol';
import { expect, test } from 'vitest';
import { blobStoreContract, digestOf, streamOf } from '../ports/blob-store.contract.ts';
import { openFileBlobStore } from './blobs-files.ts';

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-blobs-'));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

blobStoreContract('files', (nowMs, body) =>
  withFolder(async (folder) => body(await openFileBlobStore(join(folder, 'blobs'), nowMs))),
);

test('a blob is a file under its digest, and nothing is left in incoming', () =>
  withFolder(async (folder) => {
    const store = await openFileBlobStore(folder);
    const digest = digestOf('content');
    await store.put(digest, streamOf('content'), 100);
    await expect(store.put(digestOf('other'), streamOf('content'), 100)).rejects.toThrow();
    expect(await readFile(join(folder, digest.slice(0, 2), digest), 'utf8')).toBe('content');
    expect(await readdir(join(folder, 'incoming'))).toEqual([]);
  }));

test('a blob that is half received is not there, and what a crash left is removed at the next start', () =>
  withFolder(async (folder) => {
    const store = await openFileBlobStore(folder);
    const digest = digestOf('firstsecond');
    const halfway = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const content = Readable.from(
      (async function* () {
        yield Buffer.from('first');
        halfway.resolve();
        await goOn.promise;
        yield Buffer.from('second');
      })(),
      { objectMode: false },
    );
    const put = store.put(digest, content, 100);
    await halfway.promise;
    expect(await store.sizeOf(digest)).toBeNull();
    expect(await store.open(digest)).toBeNull();
    goOn.resolve();
    await put;
    expect(await store.sizeOf(digest)).toBe(11);
    await writeFile(join(folder, 'incoming', 'left-over'), 'half');
    const again = await openFileBlobStore(folder);
    expect(await readdir(join(folder, 'incoming'))).toEqual([]);
    expect(await again.sizeOf(digest)).toBe(11);
  }));

test('a digest that would lead out of the directory is refused', () =>
  withFolder(async (folder) => {
    const store = await openFileBlobStore(folder);
    for (const bad of ['../../etc/passwd', '', 'A'.repeat(64), `${'a'.repeat(63)}/`]) {
      await expect(store.sizeOf(bad as Digest)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      await expect(store.put(bad as Digest, streamOf('x'), 10)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    }
  }));

test('a directory that cannot be made is BLOBS_UNAVAILABLE', () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, 'file'), '');
    await expect(openFileBlobStore(join(folder, 'file', 'blobs'))).rejects.toMatchObject({ code: 'BLOBS_UNAVAILABLE' });
  }));
