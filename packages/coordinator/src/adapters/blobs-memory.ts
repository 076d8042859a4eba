// Blobs in memory: for the simulator and for tests.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { AssayError, type Digest } from '@assay/protocol';
import type { BlobStore } from '../ports/blob-store.ts';

export function createMemoryBlobStore(nowMs: () => number = Date.now): BlobStore {
  const blobs = new Map<Digest, { content: Buffer; usedAtMs: number }>();
  const use = (digest: Digest): Buffer | null => {
    const blob = blobs.get(digest);
    if (blob) blob.usedAtMs = nowMs();
    return blob?.content ?? null;
  };
  return {
    sizeOf: async (digest) => use(digest)?.length ?? null,
    async put(digest, content, bytesMax) {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of content as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > bytesMax)
          throw new AssayError('BODY_TOO_LARGE', `the blob ${digest} is larger than ${bytesMax} bytes`);
        chunks.push(chunk);
      }
      const whole = Buffer.concat(chunks);
      if (use(digest)) return;
      const actual = createHash('sha256').update(whole).digest('hex');
      if (actual !== digest) throw new AssayError('BLOB_DIGEST_MISMATCH', `sent as ${digest}, but is ${actual}`);
      blobs.set(digest, { content: whole, usedAtMs: nowMs() });
    },
    async open(digest) {
      const content = use(digest);
      return content ? Readable.from([content], { objectMode: false }) : null;
    },
    async removeUnused(beforeMs, isKept) {
      let freed = 0;
      for (const [digest, { content, usedAtMs }] of blobs) {
        if (usedAtMs >= beforeMs || isKept(digest)) continue;
        blobs.delete(digest);
        freed += content.length;
      }
      return freed;
    },
  };
}
