// Blobs as files named by their content: `ab/ab…` (64 hexadecimal digits) below one directory, `incoming/` beside them.
//
// What always holds: a file under its digest is whole, was hashed while it was written, and is on disk before its name
// appears (write, sync, rename, sync of the directory); what a crash leaves behind is in `incoming/` and is removed at
// the next start. When a blob was last used is its modification time, because many disks are mounted without access
// times. One process uses the directory: the state directory's lock sees to that.
import { createHash, randomUUID } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, utimes, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { AssayError, type Digest } from '@assay/protocol';
import type { BlobStore } from '../ports/blob-store.ts';

export async function openFileBlobStore(directory: string, nowMs: () => number = Date.now): Promise<BlobStore> {
  const incoming = join(directory, 'incoming');
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await rm(incoming, { recursive: true, force: true });
    await mkdir(incoming, { mode: 0o700 });
  } catch (error) {
    throw unavailable(directory, error);
  }
  return new FileBlobStore(directory, incoming, nowMs);
}

class FileBlobStore implements BlobStore {
  readonly #directory: string;
  readonly #incoming: string;
  readonly #nowMs: () => number;
  /** Uses since the last removal, noted before the file is touched: a removal under way must not take what is being used. */
  readonly #usedAtMs = new Map<Digest, number>();

  constructor(directory: string, incoming: string, nowMs: () => number) {
    this.#directory = directory;
    this.#incoming = incoming;
    this.#nowMs = nowMs;
  }

  async sizeOf(digest: Digest): Promise<number | null> {
    const path = this.#pathOf(digest);
    if (!(await this.#touch(digest, path))) return null;
    return (await orAbsent(stat(path)))?.size ?? null;
  }

  async put(digest: Digest, content: Readable, bytesMax: number): Promise<void> {
    const path = this.#pathOf(digest);
    if (await this.#touch(digest, path)) return drain(digest, content, bytesMax);
    const written = join(this.#incoming, randomUUID());
    try {
      const file = await open(written, 'wx', 0o600);
      try {
        await receive(digest, content, bytesMax, file);
        await file.sync();
      } finally {
        await file.close();
      }
      this.#usedAtMs.set(digest, this.#nowMs());
      await utimes(written, this.#nowMs() / 1_000, this.#nowMs() / 1_000);
      await this.#publish(written, digest, path);
    } catch (error) {
      content.destroy();
      await rm(written, { force: true });
      throw isDiskFault(error) ? unavailable(path, error) : error;
    }
  }

  async open(digest: Digest): Promise<Readable | null> {
    const path = this.#pathOf(digest);
    if (!(await this.#touch(digest, path))) return null;
    const file = await orAbsent(open(path, 'r'));
    return file?.createReadStream() ?? null;
  }

  async removeUnused(beforeMs: number, isKept: (digest: Digest) => boolean): Promise<number> {
    let freed = 0;
    for (const folder of await readdir(this.#directory)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      for (const name of await readdir(join(this.#directory, folder))) {
        const digest = name as Digest;
        const path = join(this.#directory, folder, name);
        const found = await orAbsent(stat(path));
        if (!found || found.mtimeMs >= beforeMs || isKept(digest)) continue;
        // From here to the removal nothing else runs: a use is noted before this, or finds no file.
        if ((this.#usedAtMs.get(digest) ?? 0) >= beforeMs) continue;
        unlinkSync(path);
        freed += found.size;
      }
    }
    for (const [digest, usedAtMs] of this.#usedAtMs) if (usedAtMs < beforeMs) this.#usedAtMs.delete(digest);
    return freed;
  }

  #pathOf(digest: Digest): string {
    // The digest becomes a path: checked here too, whoever calls.
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new AssayError('BAD_REQUEST', 'a digest has 64 hexadecimal digits');
    return join(this.#directory, digest.slice(0, 2), digest);
  }

  /** Notes the use of a blob; false where there is none. */
  async #touch(digest: Digest, path: string): Promise<boolean> {
    const atMs = this.#nowMs();
    this.#usedAtMs.set(digest, atMs);
    const isThere = (await orAbsent(utimes(path, atMs / 1_000, atMs / 1_000).then(() => true))) ?? false;
    if (!isThere) this.#usedAtMs.delete(digest);
    return isThere;
  }

  async #publish(written: string, digest: Digest, path: string): Promise<void> {
    const folder = join(this.#directory, digest.slice(0, 2));
    if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) await syncDirectory(this.#directory);
    await rename(written, path);
    await syncDirectory(folder);
  }
}

/** Writes the content to the file, hashing it on its way. */
async function receive(digest: Digest, content: Readable, bytesMax: number, file: FileHandle): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge(digest, bytesMax);
    hash.update(chunk);
    await file.writeFile(chunk);
  }
  const actual = hash.digest('hex');
  if (actual !== digest) throw new AssayError('BLOB_DIGEST_MISMATCH', `sent as ${digest}, but is ${actual}`);
}

/** The content of a blob that is there already is read to its end, so that its sender sees a success and not a reset. */
async function drain(digest: Digest, content: Readable, bytesMax: number): Promise<void> {
  let bytes = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge(digest, bytesMax);
  }
}

function tooLarge(digest: Digest, bytesMax: number): AssayError {
  return new AssayError('BODY_TOO_LARGE', `the blob ${digest} is larger than ${bytesMax} bytes`);
}

async function syncDirectory(path: string): Promise<void> {
  // Windows has no handle of a directory to sync; its file system journals the rename.
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The value, or null where there is no such file. */
async function orAbsent<Value>(value: Promise<Value>): Promise<Value | null> {
  try {
    return await value;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function isDiskFault(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'EPERM', 'EMFILE', 'ENFILE'].includes(codeOf(error) ?? '');
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function unavailable(path: string, cause: unknown): AssayError {
  return new AssayError(
    'BLOBS_UNAVAILABLE',
    `${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
    undefined,
    cause,
  );
}
