// The journal on SQLite: the embedded default. The writing happens in a thread of its own; reading and opening here.
// Layout of the state directory: `lock.sqlite`, `journal/<first seq>.sqlite`, `snapshots/<seq>.json`.
// What always holds: see ports/journal.ts. One append call is one durable transaction; calls are pipelined to the thread.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { AssayError } from '@assay/protocol';
import type { Journal, JournalEntry, StoredSnapshot } from '../../ports/journal.ts';
import { JournalDamage } from './damage.ts';
import { openSegments, type OpenedSegments } from './open-segments.ts';
import type { Row } from './segment-file.ts';
import { SegmentReader } from './segment-reader.ts';
import { listSnapshots, readLatestSnapshot, removeLeftovers, writeSnapshot } from './snapshot-files.ts';
import { lockState, type StateLock } from './state-lock.ts';
import type { FromWriter, ToWriter, WriterSettings } from './writer-thread.ts';
import { startThread } from '../../start-thread.ts';

export type SqliteJournalOptions = {
  stateDirectory: string;
  /** A segment is closed at this size or age. Defaults: 128 MiB, 1 hour. */
  segmentBytesMax?: number;
  segmentAgeMaxMs?: number;
  /** Pages a segment file may have, 0 for no bound: fills a disk in tests. */
  pagesMax?: number;
  /** JOURNAL_TORN and damaged snapshots: what was met and survived. */
  onNotice?: (message: string) => void;
};

export type Retention = { throughSeq: number; olderThanMs: number; bytesMax: number };

export interface SqliteJournal extends Journal {
  readonly journalDirectory: string;
  readonly snapshotDirectory: string;
  /** Text of the events read (by recovery) and appended since it was opened: what the next start would have to fold. */
  eventBytes(): number;
  /** Sequences of the snapshots kept, newest first. */
  snapshotSeqs(): number[];
  /** Drops whole segments that end at or before `throughSeq` and are older, or more, than wanted. Resolves to the bytes kept. */
  dropSegments(retention: Retention): Promise<number>;
}

/** Entries read at once never hold more text than this, so that reading does not stall the loop. */
const readBytesMax = 4 * 1024 * 1024;

type Waiting = { lastSeq: number; done: (error: AssayError | null) => void };

/** Opens the journal of a state directory; throws STATE_IN_USE, JOURNAL_CORRUPT or JOURNAL_NEWER. */
export function openSqliteJournal(options: SqliteJournalOptions): SqliteJournal {
  const journalDirectory = join(options.stateDirectory, 'journal');
  const snapshotDirectory = join(options.stateDirectory, 'snapshots');
  mkdirSync(journalDirectory, { recursive: true, mode: 0o700 });
  mkdirSync(snapshotDirectory, { recursive: true, mode: 0o700 });
  const lock = lockState(options.stateDirectory);
  try {
    removeLeftovers(snapshotDirectory);
    const notice = options.onNotice ?? (() => undefined);
    const opened = openSegments(journalDirectory, snapshotDirectory, notice);
    return new ThreadedJournal({ options, journalDirectory, snapshotDirectory, lock, opened, notice });
  } catch (error) {
    lock.release();
    throw error;
  }
}

type Parts = {
  options: SqliteJournalOptions;
  journalDirectory: string;
  snapshotDirectory: string;
  lock: StateLock;
  opened: OpenedSegments;
  notice: (message: string) => void;
};

class ThreadedJournal implements SqliteJournal {
  readonly journalDirectory: string;
  readonly snapshotDirectory: string;
  readonly #lock: StateLock;
  readonly #notice: (message: string) => void;
  readonly #worker: Worker;
  readonly #reader: SegmentReader;
  readonly #waiting: Waiting[] = [];
  readonly #drops = new Map<number, (bytes: number) => void>();
  #eventBytes = 0;
  #nextDropId = 1;
  #firstSeq: number;
  #durableSeq: number;
  #nextSeq: number;
  #failure: AssayError | null = null;
  #closed: Promise<void> | null = null;

  constructor(parts: Parts) {
    this.journalDirectory = parts.journalDirectory;
    this.snapshotDirectory = parts.snapshotDirectory;
    this.#lock = parts.lock;
    this.#notice = parts.notice;
    this.#firstSeq = parts.opened.firstSeq;
    this.#durableSeq = parts.opened.lastSeq;
    this.#nextSeq = parts.opened.lastSeq + 1;
    this.#reader = new SegmentReader(parts.journalDirectory);
    this.#worker = startWriter(parts);
    this.#worker.on('message', (message: FromWriter) => this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(String(error)));
    this.#worker.on('exit', () => this.#closed === null && this.#fail('the writing thread ended'));
  }

  lastSeq(): number {
    return this.#durableSeq;
  }

  firstSeq(): number {
    return this.#firstSeq;
  }

  append(entries: JournalEntry[], done: (error: AssayError | null) => void): void {
    if (entries.length === 0) throw new Error('an empty batch cannot be appended');
    const failure =
      this.#failure ?? (this.#closed === null ? null : new AssayError('SHUTTING_DOWN', 'the journal is closed'));
    if (failure !== null) return queueMicrotask(() => done(failure));
    // Text is made here and now: the entries' objects belong to the engine, which goes on.
    const rows: (number | string)[] = [];
    for (const entry of entries) {
      if (entry.seq !== this.#nextSeq) throw new Error(`entry ${entry.seq} appended where ${this.#nextSeq} is next`);
      this.#nextSeq += 1;
      const events = JSON.stringify(entry.events);
      rows.push(entry.seq, entry.atMs, events, JSON.stringify(entry.input));
      this.#eventBytes += events.length;
    }
    this.#waiting.push({ lastSeq: this.#nextSeq - 1, done });
    this.#post({ kind: 'append', rows, atMs: entries[0]!.atMs });
  }

  async read(from: number, max: number): Promise<JournalEntry[]> {
    try {
      const rows = this.#reader.read(from, { entriesMax: max, bytesMax: readBytesMax });
      for (const row of rows) this.#eventBytes += row.events.length;
      return rows.map(entryOf);
    } catch (error) {
      if (error instanceof JournalDamage) throw new AssayError('JOURNAL_CORRUPT', error.message, undefined, error);
      throw error;
    }
  }

  async latestSnapshot(beforeSeq = Number.MAX_SAFE_INTEGER): Promise<StoredSnapshot | null> {
    return readLatestSnapshot(this.snapshotDirectory, beforeSeq, this.#notice);
  }

  async saveSnapshot(snapshot: StoredSnapshot): Promise<void> {
    writeSnapshot(this.snapshotDirectory, snapshot);
  }

  eventBytes(): number {
    return this.#eventBytes;
  }

  snapshotSeqs(): number[] {
    return listSnapshots(this.snapshotDirectory);
  }

  dropSegments(retention: Retention): Promise<number> {
    if (this.#failure !== null || this.#closed !== null) return Promise.resolve(0);
    const id = this.#nextDropId++;
    return new Promise((resolve) => {
      this.#drops.set(id, resolve);
      this.#post({ kind: 'drop', id, ...retention });
    });
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      // The writer is the last to let the files go, and leaves no log behind: a reader that only reads could not fold it in.
      this.#reader.close();
      this.#worker.once('exit', () => {
        this.#lock.release();
        for (const drop of this.#drops.values()) drop(0);
        resolve();
      });
      this.#post({ kind: 'close' });
    });
    return this.#closed;
  }

  #post(message: ToWriter): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWriter): void {
    if (message.kind === 'durable') {
      this.#durableSeq = message.seq;
      while (this.#waiting[0] !== undefined && this.#waiting[0].lastSeq <= message.seq)
        this.#waiting.shift()!.done(null);
    } else if (message.kind === 'failed') {
      this.#fail(message.message);
    } else if (message.kind === 'dropped') {
      this.#firstSeq = message.firstSeq;
      if (message.error !== null) this.#notice(`old journal segments could not be dropped: ${message.error}`);
      this.#drops.get(message.id)?.(message.bytes);
      this.#drops.delete(message.id);
    }
  }

  #fail(reason: string): void {
    if (this.#failure !== null) return;
    this.#failure = new AssayError(
      'JOURNAL_WRITE_FAILED',
      `the journal in ${this.journalDirectory} could not be written: ${reason}`,
    );
    for (const waiting of this.#waiting.splice(0)) waiting.done(this.#failure);
    for (const drop of this.#drops.values()) drop(0);
    this.#drops.clear();
  }
}

function startWriter(parts: Parts): Worker {
  const settings: WriterSettings = {
    directory: parts.journalDirectory,
    nextSeq: parts.opened.lastSeq + 1,
    segmentFirst: parts.opened.current?.first ?? null,
    segmentOpenedMs: parts.opened.current?.openedMs ?? 0,
    segmentBytesMax: parts.options.segmentBytesMax ?? 128 * 1024 * 1024,
    segmentAgeMaxMs: parts.options.segmentAgeMaxMs ?? 3_600_000,
    pagesMax: parts.options.pagesMax ?? 0,
  };
  return startThread(new URL('writer-thread.ts', import.meta.url), { workerData: settings, name: 'journal' });
}

/** A row as an entry. The text is ours: it was written by `append` and its digest was checked. */
export function entryOf(row: Row): JournalEntry {
  return {
    seq: row.seq,
    atMs: row.atMs,
    input: JSON.parse(row.input) as JournalEntry['input'],
    events: JSON.parse(row.events) as JournalEntry['events'],
  };
}
