// Unpacks a bundle (gzipped tar) that somebody else made. Nothing may land outside the target: not by an absolute path,
// not by `..`, not through a link, and not by a link made first and written through later. Sizes and counts are bounded
// while unpacking, since a small bundle can unpack to a very large tree.
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createReadStream } from 'node:fs';
import { AssayError } from '@assay/protocol';

export type UnpackLimits = { readonly bytesMax: number; readonly entriesMax: number };

export const unpackLimits: UnpackLimits = { bytesMax: 8 * 1024 * 1024 * 1024, entriesMax: 500_000 };

/** What is read of an entry's header. */
export type EntryHeader = { path: string; type: string; linkpath?: string | undefined; size: number };

/** Judges entries in the order of the archive: null, or why the bundle is refused. */
export function createEntryJudge(limits: UnpackLimits = unpackLimits): (entry: EntryHeader) => string | null {
  const symlinks = new Set<string>();
  let bytes = 0;
  let entries = 0;
  return (entry) => {
    entries += 1;
    bytes += entry.size;
    if (entries > limits.entriesMax) return `it has more than ${limits.entriesMax} entries`;
    if (bytes > limits.bytesMax) return `it unpacks to more than ${limits.bytesMax} bytes`;
    const path = inside(entry.path);
    if (path === null) return `entry ${quoted(entry.path)} leaves the project`;
    if (isThroughLink(path, symlinks)) return `entry ${quoted(entry.path)} goes through a symbolic link`;
    switch (entry.type) {
      case 'File':
      case 'OldFile':
      case 'ContiguousFile':
      case 'Directory':
      case 'GNUDumpDir':
        return symlinks.has(path) ? `entry ${quoted(entry.path)} comes a second time, after a link of that name` : null;
      case 'Link': {
        const target = inside(entry.linkpath ?? '');
        return target === null || isThroughLink(target, symlinks)
          ? `hard link ${quoted(entry.path)} leaves the project`
          : null;
      }
      case 'SymbolicLink':
        if (!staysInside(path, entry.linkpath ?? '')) return `symbolic link ${quoted(entry.path)} leaves the project`;
        symlinks.add(path);
        return null;
      default:
        return `entry ${quoted(entry.path)} is a ${entry.type}`;
    }
  };
}

/** Unpacks into an existing, empty directory. Throws SOURCE_UNAVAILABLE with the reason; what was written stays for the caller to remove. */
export async function unpackBundle(
  file: string,
  directory: string,
  limits: UnpackLimits = unpackLimits,
): Promise<void> {
  // Loaded when the first bundle comes: an idle agent does without.
  const { Unpack } = await import('tar');
  const judge = createEntryJudge(limits);
  const refused: string[] = [];
  const unpack = new Unpack({
    cwd: directory,
    strict: true,
    preservePaths: false,
    preserveOwner: false,
    // tar's own bound on depth stays; entries are judged before anything of them is written.
    filter: (path, entry) => {
      if (refused.length > 0) return false;
      const header = entry as { type?: string; linkpath?: string; size?: number };
      const reason = judge({ path, type: header.type ?? 'unknown', linkpath: header.linkpath, size: header.size ?? 0 });
      if (reason !== null) refused.push(reason);
      return reason === null;
    },
  });
  try {
    // The judge's word comes with an entry, in the middle of a chunk: nothing after the refused entry is written.
    await pipeline(createReadStream(file), unpack as unknown as NodeJS.WritableStream);
  } catch (error) {
    throw new AssayError('SOURCE_UNAVAILABLE', `the bundle cannot be unpacked: ${refused[0] ?? String(error)}`);
  }
  if (refused[0] !== undefined) throw new AssayError('SOURCE_UNAVAILABLE', `the bundle is refused: ${refused[0]}`);
}

/** The path with forward slashes and without `.`, or null when it is not a path inside. */
function inside(path: string): string | null {
  if (path === '' || path.includes('\0') || path.includes('\\')) return null;
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return null;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? null : parts.join('/');
}

function isThroughLink(path: string, symlinks: ReadonlySet<string>): boolean {
  for (let parent = posix.dirname(path); parent !== '.'; parent = posix.dirname(parent))
    if (symlinks.has(parent)) return true;
  return false;
}

/**
 * Whether a link's target stays inside wherever other links lead: `..` only in front, and not further up than the
 * link is deep. (With `..` after a name, that name could be a link to somewhere less deep.)
 */
function staysInside(path: string, target: string): boolean {
  if (
    target === '' ||
    target.startsWith('/') ||
    /^[A-Za-z]:/.test(target) ||
    target.includes('\\') ||
    target.includes('\0')
  )
    return false;
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const ups = parts.findIndex((part) => part !== '..');
  const leading = ups === -1 ? parts.length : ups;
  return !parts.slice(leading).includes('..') && leading <= path.split('/').length - 1;
}

function quoted(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}
