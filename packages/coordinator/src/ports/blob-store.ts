// Content-addressed files: source bundles, logs, artefacts. A blob is visible only when whole and verified.
import type { Readable } from 'node:stream';
import type { Digest } from '@assay/protocol';

export interface BlobStore {
  /** Bytes of the blob, or null when it is not there. */
  sizeOf(digest: Digest): Promise<number | null>;
  /** Stores the stream under its digest; BLOB_DIGEST_MISMATCH or BODY_TOO_LARGE otherwise. A blob already there is success. */
  put(digest: Digest, content: Readable, bytesMax: number): Promise<void>;
  /** The content, or null. */
  open(digest: Digest): Promise<Readable | null>;
  /** Removes blobs not read or written since `beforeMs`, except those kept; returns the bytes freed. */
  removeUnused(beforeMs: number, isKept: (digest: Digest) => boolean): Promise<number>;
}
