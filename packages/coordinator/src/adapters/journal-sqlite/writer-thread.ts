// The thread that owns the disk: appends batches, one durable transaction each, starts new segments and drops old ones.
// Why a thread: a commit waits for the disk, and the loop that steps the engine must not.
// What always holds: batches are written in the order in which they were posted; `durable` is posted only after the
// transaction is synchronised; after the first failure nothing more is written.
// It imports no vocabulary on purpose: it starts in a few milliseconds.
import { closeSync, fsyncSync, openSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import {
  listSegments,
  openForAppend,
  openForRead,
  removeSegment,
  rowDigest,
  segmentBytes,
  segmentPath,
} from './segment-file.ts';

export type WriterSettings = {
  directory: string;
  /** Next sequence to be written. */
  nextSeq: number;
  /** First sequence of the segment to go on with, or null to start a new one. */
  segmentFirst: number | null;
  segmentOpenedMs: number;
  segmentBytesMax: number;
  segmentAgeMaxMs: number;
  /** Upper bound of a segment file's pages, 0 for none: how a test fills a disk. */
  pagesMax: number;
};

/** `rows` is flat: seq, atMs, events, input, and so on; strings cross threads cheaper than objects. */
export type ToWriter =
  | { kind: 'append'; rows: (number | string)[]; atMs: number }
  | { kind: 'drop'; id: number; throughSeq: number; olderThanMs: number; bytesMax: number }
  | { kind: 'close' };
export type FromWriter =
  | { kind: 'durable'; seq: number }
  | { kind: 'failed'; message: string }
  | { kind: 'dropped'; id: number; firstSeq: number; bytes: number; error: string | null }
  | { kind: 'closed' };

if (parentPort === null) throw new Error('writer-thread.ts runs as a worker thread');
const port = parentPort;
const settings = workerData as WriterSettings;
let database: DatabaseSync | null = null;
let insert: StatementSync | null = null;
let openedMs = settings.segmentOpenedMs;
let nextSeq = settings.nextSeq;
let hasFailed = false;

function say(message: FromWriter): void {
  port.postMessage(message);
}

function syncDirectory(): void {
  // Windows cannot open a directory; its file system journals the entry itself.
  if (process.platform === 'win32') return;
  const handle = openSync(settings.directory, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

function openSegment(first: number, atMs: number): void {
  database?.close();
  database = openForAppend(segmentPath(settings.directory, first), settings.pagesMax);
  insert = database.prepare('INSERT INTO entries (seq, at_ms, events, input, crc) VALUES (?, ?, ?, ?, ?)');
  syncDirectory();
  openedMs = atMs;
}

function isSegmentFull(atMs: number): boolean {
  const current = listSegments(settings.directory).at(-1);
  if (current === undefined) return true;
  return segmentBytes(current.path) >= settings.segmentBytesMax || atMs - openedMs >= settings.segmentAgeMaxMs;
}

/** Bytes written since the segment's size was last read: a directory listing for every commit would cost more than the commit. */
let writtenSinceLook = 0;
function maybeRoll(atMs: number): void {
  const isWorthLooking =
    writtenSinceLook * 8 >= settings.segmentBytesMax || atMs - openedMs >= settings.segmentAgeMaxMs;
  if (!isWorthLooking) return;
  writtenSinceLook = 0;
  if (isSegmentFull(atMs)) openSegment(nextSeq, atMs);
}

function append(rows: (number | string)[], atMs: number): void {
  if (database === null) openSegment(nextSeq, atMs);
  else maybeRoll(atMs);
  database!.exec('BEGIN IMMEDIATE');
  for (let at = 0; at < rows.length; at += 4) {
    const [seq, entryAtMs, events, input] = rows.slice(at, at + 4) as [number, number, string, string];
    insert!.run(seq, entryAtMs, events, input, rowDigest(seq, entryAtMs, events, input));
    writtenSinceLook += events.length + input.length;
  }
  database!.exec('COMMIT');
  nextSeq = Number(rows[rows.length - 4]) + 1;
}

/** A segment that cannot be removed is tried again next time: it must not stop the journal. */
function tryDrop(message: Extract<ToWriter, { kind: 'drop' }>): {
  firstSeq: number;
  bytes: number;
  error: string | null;
} {
  try {
    return { ...drop(message), error: null };
  } catch (error) {
    const segments = listSegments(settings.directory);
    return { firstSeq: segments[0]?.first ?? nextSeq, bytes: 0, error: String(error) };
  }
}

/** Drops whole segments, oldest first, that nobody needs and that are old or too many. The newest always stays. */
function drop(message: Extract<ToWriter, { kind: 'drop' }>): { firstSeq: number; bytes: number } {
  const segments = listSegments(settings.directory);
  const sizes = segments.map((segment) => segmentBytes(segment.path));
  let total = sizes.reduce((sum, size) => sum + size, 0);
  let kept = 0;
  while (kept + 1 < segments.length) {
    const segment = segments[kept]!;
    const next = segments[kept + 1]!;
    if (next.first - 1 > message.throughSeq) break;
    if (total <= message.bytesMax && newestMs(segment.path, next.first - 1) >= message.olderThanMs) break;
    removeSegment(segment.path);
    total -= sizes[kept]!;
    kept += 1;
  }
  if (kept > 0) syncDirectory();
  return { firstSeq: segments[kept]?.first ?? nextSeq, bytes: total };
}

function newestMs(path: string, lastSeq: number): number {
  const segment = openForRead(path);
  const row = segment.prepare('SELECT at_ms FROM entries WHERE seq = ?').get(lastSeq);
  segment.close();
  return Number(row?.['at_ms'] ?? 0);
}

function receive(message: ToWriter): void {
  if (message.kind === 'append') {
    append(message.rows, message.atMs);
    say({ kind: 'durable', seq: nextSeq - 1 });
  } else if (message.kind === 'drop') {
    say({ kind: 'dropped', id: message.id, ...tryDrop(message) });
  } else {
    database?.close();
    database = null;
    say({ kind: 'closed' });
    port.close();
  }
}

port.on('message', (message: ToWriter) => {
  if (hasFailed && message.kind !== 'close') return;
  try {
    receive(message);
  } catch (error) {
    // SQLite rolled the transaction back, or will when the file is opened again: it was never acknowledged.
    hasFailed = true;
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
});

if (settings.segmentFirst !== null) {
  try {
    openSegment(settings.segmentFirst, settings.segmentOpenedMs);
  } catch (error) {
    hasFailed = true;
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}
