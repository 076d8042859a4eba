// The project as it travels to a fleet: a gzipped tar of what git would know (tracked and untracked, not ignored), or of everything
// but node_modules where there is no git. The same content gives the same digest on every machine and day: entries are sorted, and
// owners and times left out, so that an unchanged project is not sent twice.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, lstatSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AssayError, type Digest, limit } from '@assay/protocol';
import { glob } from 'tinyglobby';
import { askGit } from './git.ts';

const listingBytesMax = 256 * 1024 * 1024;

export type Bundle = { path: string; digest: Digest; bytes: number; files: number };

/** Writes the bundle of a project to `path`. */
export async function makeBundle(projectDir: string, exclude: readonly string[], path: string): Promise<Bundle> {
  const files = (await listFiles(projectDir))
    .filter((file) => !exclude.some((pattern) => matchesGlob(file, pattern)))
    .toSorted();
  if (files.length === 0) throw new AssayError('PROJECT_UNREADABLE', `${projectDir} has no files to send.`);
  // Runs on this machine's own workers send nothing, and need not load it.
  const { create } = await import('tar');
  const stream = create(
    { cwd: projectDir, gzip: { level: 6 }, portable: true, noDirRecurse: true, mtime: new Date(0) },
    files,
  );
  await pipeline(stream, createWriteStream(path));
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  if (bytes > limit('blobBytes')) {
    throw new AssayError(
      'BODY_TOO_LARGE',
      `The project packs to ${bytes} bytes; the limit is ${limit('blobBytes')}. Leave files out with bundle.exclude.`,
    );
  }
  return { path, digest: hash.digest('hex') as Digest, bytes, files: files.length };
}

async function listFiles(projectDir: string): Promise<string[]> {
  const listed = await gitFiles(projectDir);
  const files =
    listed ??
    (await glob('**', {
      cwd: projectDir,
      dot: true,
      onlyFiles: true,
      followSymbolicLinks: false,
      ignore: ['**/node_modules/**', '**/.git/**', '**/__pycache__/**', '**/.venv/**'],
    }));
  return files.filter((file) => existsAsFile(join(projectDir, file)));
}

/** Null where the directory is not in a git work tree, or there is no git. */
async function gitFiles(projectDir: string): Promise<string[] | null> {
  const question = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = await askGit(projectDir, question, { outputBytesMax: listingBytesMax }).catch(() => null);
  return listed === null ? null : [...new Set(listed.split('\0').filter((file) => file !== ''))];
}

function existsAsFile(path: string): boolean {
  try {
    const stat = lstatSync(path);
    return stat.isFile() || stat.isSymbolicLink();
  } catch {
    return false;
  }
}

/** The set-up that a project's lock files ask for, where its configuration names none. */
export function defaultSetup(projectDir: string): string[][] {
  const has = (name: string): boolean => existsSync(join(projectDir, name));
  if (has('package-lock.json')) return [['npm', 'ci']];
  if (has('pnpm-lock.yaml')) return [['pnpm', 'install', '--frozen-lockfile']];
  if (has('yarn.lock')) return [['yarn', 'install', '--immutable']];
  return [];
}
