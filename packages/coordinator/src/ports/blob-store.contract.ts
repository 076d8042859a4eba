// The contract of BlobStore, run on every adapter.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Digest } from '@assay/protocol';
import { expect, test } from 'vitest';
import type { BlobStore } from './blob-store.ts';

export function digestOf(content: string | Buffer): Digest {
  return createHash('sha256').update(content).digest('hex') as Digest;
}

/** Bytes in several chunks, as they come from a socket. */
export function streamOf(content: string | Buffer, chunkBytes = 7): Readable {
  const bytes = Buffer.from(content);
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) =>
    bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  return Readable.from(chunks, { objectMode: false });
}

async function contentOf(store: BlobStore, digest: Digest): Promise<string | null> {
  const content = await store.open(digest);
  return content ? (await buffer(content)).toString() : null;
}

/** `use` opens an empty store on the given clock and hands it over. */
export function blobStoreContract(
  name: string,
  use: (nowMs: () => number, test: (store: BlobStore) => Promise<void>) => Promise<void>,
): void {
  const contract = (title: string, body: (store: BlobStore, setNowMs: (ms: number) => void) => Promise<void>): void =>
    test(`${name}: ${title}`, () => {
      let now = 1_000_000;
      return use(
        () => now,
        (store) => body(store, (ms) => (now = ms)),
      );
    });
  const text = 'the source of a project, say';
  const digest = digestOf(text);

  contract('what was put is read back whole, and what was not is null', async (store) => {
    expect(await store.sizeOf(digest)).toBeNull();
    expect(await store.open(digest)).toBeNull();
    await store.put(digest, streamOf(text), 1_000);
    expect(await store.sizeOf(digest)).toBe(text.length);
    expect(await contentOf(store, digest)).toBe(text);
  });

  contract('an empty blob is a blob', async (store) => {
    const empty = digestOf('');
    await store.put(empty, streamOf(''), 0);
    expect(await store.sizeOf(empty)).toBe(0);
    expect(await contentOf(store, empty)).toBe('');
  });

  contract('content that has another digest is refused and never seen', async (store) => {
    await expect(store.put(digest, streamOf('something else'), 1_000)).rejects.toMatchObject({
      code: 'BLOB_DIGEST_MISMATCH',
    });
    expect(await store.sizeOf(digest)).toBeNull();
    await store.put(digest, streamOf(text), 1_000);
    expect(await contentOf(store, digest)).toBe(text);
  });

  contract('content over the limit is refused and never seen; as much as the limit is taken', async (store) => {
    await expect(store.put(digest, streamOf(text), text.length - 1)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
    expect(await store.sizeOf(digest)).toBeNull();
    await store.put(digest, streamOf(text), text.length);
    expect(await store.sizeOf(digest)).toBe(text.length);
  });

  contract('a stream that breaks off leaves nothing', async (store) => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from(text.slice(0, 10));
        throw new Error('the link was cut');
      })(),
      { objectMode: false },
    );
    await expect(store.put(digest, broken, 1_000)).rejects.toThrow('the link was cut');
    expect(await store.sizeOf(digest)).toBeNull();
  });

  contract('putting what is there is success, and many may put the same at once', async (store) => {
    const big = Buffer.alloc(300_000, 'abc');
    const name = digestOf(big);
    await Promise.all(Array.from({ length: 8 }, () => store.put(name, streamOf(big, 10_000), big.length)));
    await store.put(name, streamOf(big, 10_000), big.length);
    expect(digestOf((await contentOf(store, name)) ?? '')).toBe(name);
  });

  contract('only what is neither used since nor kept is removed', async (store, setNowMs) => {
    const texts = ['old', 'old but kept', 'read later', 'asked for later', 'put again later', 'new'];
    const [old, kept, read, asked, again, fresh] = texts.map(digestOf) as [
      Digest,
      Digest,
      Digest,
      Digest,
      Digest,
      Digest,
    ];
    for (const one of texts.slice(0, 5)) await store.put(digestOf(one), streamOf(one), 100);
    setNowMs(2_000_000);
    expect(await contentOf(store, read)).toBe('read later');
    expect(await store.sizeOf(asked)).toBe('asked for later'.length);
    await store.put(again, streamOf('put again later'), 100);
    await store.put(fresh, streamOf('new'), 100);
    expect(await store.removeUnused(1_500_000, (one) => one === kept)).toBe('old'.length);
    expect(await store.sizeOf(old)).toBeNull();
    for (const one of [kept, read, asked, again, fresh]) expect(await store.sizeOf(one)).not.toBeNull();
    expect(await store.removeUnused(1_500_000, () => false)).toBe(0);
    expect(await store.removeUnused(9_000_000, () => false)).toBe(texts.slice(1).join('').length);
  });
}
