// One segment of the journal: an SQLite file named by the first sequence it holds, and the shape of its rows.
// Why segments: old entries are dropped by deleting a file, which costs nothing, and damage stays in one file.
// What always holds: `events` stands before `input` in a row, so that a fold reads past no input; `crc` covers the row, so
// that a page that was damaged without breaking SQLite's own structures is still noticed.
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';

/** Written to `user_version`: a newer one is refused, not guessed at. */
export const segmentVersion = 1;
const namePattern = /^(\d{16})\.sqlite$/;
/** What SQLite keeps of one file beside it. */
const companions = ['', '-wal', '-shm'];

export type Segment = { readonly first: number; readonly path: string };

/** A row as it crosses between threads and to the disk. */
export type Row = { seq: number; atMs: number; events: string; input: string };

export function segmentPath(directory: string, first: number): string {
  return join(directory, `${String(first).padStart(16, '0')}.sqlite`);
}

/** The segments of a directory, oldest first. */
export function listSegments(directory: string): Segment[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .flatMap((name) => {
      const match = namePattern.exec(name);
      return match ? [{ first: Number(match[1]), path: join(directory, name) }] : [];
    })
    .sort((a, b) => a.first - b.first);
}

export function segmentBytes(path: string): number {
  return companions.reduce((sum, end) => sum + (statSync(path + end, { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** Removes a segment; the file itself goes last, so that a crash in between leaves a segment and not a stray log. */
export function removeSegment(path: string): void {
  for (const end of companions.toReversed()) rmSync(path + end, { force: true });
}

export function rowDigest(seq: number, atMs: number, events: string, input: string): number {
  return crc32(input, crc32(events, crc32(`${seq} ${atMs}`)));
}

/** Opens a segment to append to, making it where it is new. Every commit is on the disk when it returns. */
export function openForAppend(path: string, pagesMax: number): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000');
  // A larger log is folded into the file less often: fewer pauses for the same durability. 4,000 pages are 16 MB.
  database.exec('PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384');
  if (pagesMax > 0) database.exec(`PRAGMA max_page_count = ${pagesMax}`);
  database.exec(`
    CREATE TABLE IF NOT EXISTS entries (
      seq INTEGER PRIMARY KEY, at_ms REAL NOT NULL, events TEXT NOT NULL, input TEXT NOT NULL, crc INTEGER NOT NULL
    ) STRICT`);
  if (readVersion(database) === 0) database.exec(`PRAGMA user_version = ${segmentVersion}`);
  return database;
}

/** Opens a segment to read from; it sees only what is durable, because SQLite shows a commit after it synchronised it. */
export function openForRead(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true });
  database.exec('PRAGMA busy_timeout = 5000; PRAGMA cache_size = -8192; PRAGMA mmap_size = 268435456');
  return database;
}

export function readVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

export function hasEntriesTable(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'entries'").get() !== undefined;
}
