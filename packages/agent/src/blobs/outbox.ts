// Files of finished attempts on their way to the coordinator. A file is moved in under its digest; it is in the folder as
// long as the coordinator does not have it, so that an agent that was killed knows what is left to send.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { copyFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { limit } from '@assay/protocol';
import type { BlobRef, Digest } from '@assay/protocol';

/** A file of an attempt as its execution left it. */
export type AttemptFile = {
  readonly name: string;
  readonly path: string;
  readonly truncatedBytes?: number;
  readonly says?: string;
};

export type OutboxOptions = {
  directory: string;
  /** Bytes that may wait; a file above it is left out, and the outcome says so. */
  bytesMax?: number;
};

export type Taken = { refs: BlobRef[]; leftOut: { name: string; reason: string }[] };

export class Outbox {
  readonly #directory: string;
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(options: OutboxOptions) {
    this.#directory = options.directory;
    this.#bytesMax = options.bytesMax ?? 2 * 1024 * 1024 * 1024;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#directory)) {
      if (name.length === 64) this.#bytes += statSync(this.pathOf(name as Digest)).size;
      else rmSync(join(this.#directory, name), { force: true });
    }
  }

  pathOf(digest: Digest): string {
    return join(this.#directory, digest);
  }

  /** Whether the coordinator may still lack it. */
  has(digest: Digest): boolean {
    return existsSync(this.pathOf(digest));
  }

  /** Moves the files in. One that cannot be read or does not fit is left out with the reason; it never throws. */
  async take(files: readonly AttemptFile[]): Promise<Taken> {
    const taken: Taken = { refs: [], leftOut: [] };
    for (const file of files) {
      try {
        const { size } = await stat(file.path);
        if (size > limit('blobBytes')) throw new Error(`${size} bytes are above the limit of one blob`);
        if (this.#bytes + size > this.#bytesMax)
          throw new Error(`${this.#bytes} bytes wait already, the bound is ${this.#bytesMax}`);
        if (taken.refs.length >= 100) throw new Error('an attempt keeps at most 100 files');
        const digest = await digestOf(file.path);
        if (!this.has(digest)) {
          await move(file.path, this.pathOf(digest));
          this.#bytes += size;
        }
        taken.refs.push({
          name: file.name.slice(0, 300),
          digest,
          bytes: size,
          truncatedBytes: file.truncatedBytes ?? 0,
          ...(file.says === undefined ? {} : { says: file.says.slice(0, 300) }),
        });
      } catch (error) {
        taken.leftOut.push({ name: file.name, reason: error instanceof Error ? error.message : String(error) });
      }
    }
    return taken;
  }

  /** The coordinator has it, or never will. */
  remove(digest: Digest, bytes: number): void {
    if (!this.has(digest)) return;
    rmSync(this.pathOf(digest), { force: true });
    this.#bytes -= bytes;
  }

  /** Removes what no report names any more: left by an agent that was killed between the file and its report. */
  keepOnly(named: ReadonlySet<string>): void {
    for (const name of readdirSync(this.#directory)) {
      if (!named.has(name)) this.remove(name as Digest, statSync(join(this.#directory, name)).size);
    }
  }
}

async function digestOf(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex') as Digest;
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    // The scratch directory may be on another disk. Renamed at the end, so that the name is never on half a file.
    await copyFile(from, `${to}.part`);
    await rename(`${to}.part`, to);
    await rm(from, { force: true });
  }
}
