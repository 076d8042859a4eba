// Where a run's project is on this machine. A directory is used as it is, where the agent was started for that. A bundle is
// fetched, verified, unpacked and set up once, into a directory named by its digest and its set-up, which later batches
// (and later incarnations) use again; the longest unused go when the cache is above its bound, never one in use.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AssayError, limit } from '@assay/protocol';
import type { Digest, Source } from '@assay/protocol';
import { getBlob } from '../blobs/http.ts';
import type { BlobAccess } from '../blobs/http.ts';
import { testEnvironment } from '../execute/test-environment.ts';
import { runSetup } from './setup.ts';
import { unpackBundle, unpackLimits } from './unpack.ts';
import type { UnpackLimits } from './unpack.ts';

export type SourcesOptions = {
  directory: string;
  access: BlobAccess;
  allowDirectories: boolean;
  /** Of the agent; set-up commands get what tests get, without our tokens. */
  env: Readonly<Record<string, string | undefined>>;
  /** Temporary files of set-up commands; also the mark by which a later agent finds what they left running. */
  tmpDir: string;
  cacheBytesMax?: number;
  setupTimeoutMs?: number;
  unpack?: UnpackLimits;
  /** Called before a bundle is removed: nothing may work in its directory any more. */
  leave?: (directory: string) => Promise<void>;
  say: (level: 'info' | 'warning', text: string) => void;
};

/** A project in use; it is not removed before `release`. */
export type Project = { directory: string; release: () => void };

type Bundle = Source & { kind: 'bundle' };
type Entry = { ready: Promise<string>; users: number };

const defaults = { cacheBytesMax: 20 * 1024 * 1024 * 1024, setupTimeoutMs: 1_800_000 };

export class Sources {
  readonly #options: SourcesOptions;
  readonly #entries = new Map<string, Entry>();
  /** Removals in progress: whoever wants the same bundle again waits for its end. */
  readonly #removals = new Map<string, Promise<void>>();
  readonly #abort = new AbortController();

  constructor(options: SourcesOptions) {
    this.#options = options;
  }

  /** Throws SOURCE_UNAVAILABLE or SETUP_FAILED. Those who ask for the same source at one time share one preparation. */
  async acquire(source: Source): Promise<Project> {
    if (source.kind === 'directory') return { directory: await this.#directory(source.path), release: () => undefined };
    const key = cacheKey(source);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { ready: this.#prepare(key, source), users: 0 };
      this.#entries.set(key, entry);
    }
    const used = entry;
    used.users += 1;
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      used.users -= 1;
      if (used.users === 0 && this.#entries.get(key) === used) this.#entries.delete(key);
    };
    try {
      return { directory: await used.ready, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Ends fetches and set-ups in progress. */
  close(): void {
    this.#abort.abort();
  }

  async #directory(path: string): Promise<string> {
    if (!this.#options.allowDirectories) {
      throw new AssayError(
        'SOURCE_UNAVAILABLE',
        `this worker takes bundles only: it was not started to use directories such as ${path}`,
      );
    }
    const found = await stat(path).catch((error: unknown) => String(error));
    if (typeof found === 'string')
      throw new AssayError('SOURCE_UNAVAILABLE', `the project's directory is not on this worker: ${found}`);
    if (!found.isDirectory()) throw new AssayError('SOURCE_UNAVAILABLE', `${path} is not a directory`);
    return path;
  }

  async #prepare(key: string, source: Bundle): Promise<string> {
    const home = join(this.#options.directory, key);
    const project = join(home, 'project');
    const marker = join(home, 'ready.json');
    await this.#removals.get(key);
    if (await exists(marker)) {
      await utimes(marker, new Date(), new Date());
      return project;
    }
    // Half of an earlier try: its set-up may have been cut anywhere.
    await rm(home, { recursive: true, force: true });
    await mkdir(project, { recursive: true, mode: 0o700 });
    await mkdir(this.#options.tmpDir, { recursive: true, mode: 0o700 });
    try {
      const bundle = join(home, 'bundle.tgz');
      await this.#fetch(source.digest, bundle);
      await unpackBundle(bundle, project, this.#options.unpack ?? unpackLimits);
      await rm(bundle, { force: true });
      const output = await runSetup({
        directory: project,
        commands: source.setup,
        env: this.#setupEnvironment(),
        timeoutMs: this.#options.setupTimeoutMs ?? defaults.setupTimeoutMs,
        signal: this.#abort.signal,
      });
      await writeFile(join(home, 'setup.log'), output);
      const bytes = await treeBytes(project);
      await writeFile(`${marker}.new`, JSON.stringify({ digest: source.digest, bytes }));
      await rename(`${marker}.new`, marker);
    } catch (error) {
      await rm(home, { recursive: true, force: true }).catch(() => undefined);
      if (error instanceof AssayError) throw error;
      throw new AssayError(
        'SOURCE_UNAVAILABLE',
        `bundle ${source.digest} could not be prepared: ${String(error)}`,
        undefined,
        error,
      );
    }
    await this.#evict().catch((error: unknown) =>
      this.#options.say('warning', `the source cache cannot be cleaned: ${String(error)}`),
    );
    return project;
  }

  #setupEnvironment(): Record<string, string> {
    const { env, tmpDir } = this.#options;
    return { ...testEnvironment({ env: {} }, env), TMPDIR: tmpDir, TMP: tmpDir, TEMP: tmpDir };
  }

  async #fetch(digest: Digest, path: string): Promise<void> {
    const response = await getBlob(this.#options.access, digest, this.#abort.signal);
    const hash = createHash('sha256');
    let bytes = 0;
    const check = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        if (bytes > limit('blobBytes'))
          return done(
            new AssayError('SOURCE_UNAVAILABLE', `bundle ${digest} is larger than ${limit('blobBytes')} bytes`),
          );
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(response, check, createWriteStream(path, { mode: 0o600 }));
    const found = hash.digest('hex');
    if (found !== digest) throw new AssayError('SOURCE_UNAVAILABLE', `bundle ${digest} came with the digest ${found}`);
  }

  /** Removes the longest unused bundles until the rest fits. */
  async #evict(): Promise<void> {
    const bytesMax = this.#options.cacheBytesMax ?? defaults.cacheBytesMax;
    const found: { key: string; usedMs: number; bytes: number }[] = [];
    for (const key of await readdir(this.#options.directory)) {
      const marker = join(this.#options.directory, key, 'ready.json');
      const about = await stat(marker).catch(() => null);
      if (about === null) continue;
      const { bytes } = JSON.parse(await readFile(marker, 'utf8')) as { bytes: number };
      found.push({ key, usedMs: about.mtimeMs, bytes });
    }
    found.sort((a, b) => a.usedMs - b.usedMs || (a.key < b.key ? -1 : 1));
    let total = found.reduce((sum, one) => sum + one.bytes, 0);
    for (const one of found) {
      if (total <= bytesMax) return;
      if (this.#entries.has(one.key)) continue;
      const home = join(this.#options.directory, one.key);
      const removal = (this.#options.leave?.(home) ?? Promise.resolve())
        .then(async () => removeBundle(home))
        .finally(() => this.#removals.delete(one.key));
      this.#removals.set(
        one.key,
        removal.catch(() => undefined),
      );
      await removal;
      total -= one.bytes;
    }
  }
}

/** The marker first: a removal that is cut short must not leave a bundle that looks whole. */
async function removeBundle(home: string): Promise<void> {
  await rm(join(home, 'ready.json'), { force: true });
  await rm(home, { recursive: true, force: true });
}

/** Two runs share a directory when both the content and the set-up are the same. */
function cacheKey(source: Bundle): string {
  const setup = createHash('sha256').update(JSON.stringify(source.setup)).digest('hex').slice(0, 8);
  return `${source.digest}-${setup}`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function treeBytes(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    bytes += await stat(join(entry.parentPath, entry.name)).then(
      (found) => found.size,
      () => 0,
    );
  }
  return bytes;
}
