// The durable record of everything that happened: the only truth that survives a stop. One writer.
// What always holds: entries are appended with consecutive `seq` from 1; `append` calls back only when the entries are
// durable (in order, all of a batch or none); a reader sees only durable entries; a torn tail (never acknowledged) is
// set aside at open, damage before it is JOURNAL_CORRUPT. Old entries are dropped by whole segments.
import type { Event, Input } from '@assay/core';
import type { AssayError } from '@assay/protocol';

/** One step of the engine: what came in, when, and what followed. */
export type JournalEntry = { seq: number; atMs: number; input: Input; events: Event[] };

/** The engine's whole state after the entry `seq`. */
export type StoredSnapshot = { seq: number; state: string };

export interface Journal {
  /** Sequence of the last durable entry, 0 when empty. */
  lastSeq(): number;
  /** Sequence of the oldest entry kept; `lastSeq() + 1` when there is none. */
  firstSeq(): number;
  /** Appends a batch; may be called again before the first is done. After an error nothing more is accepted. */
  append(entries: JournalEntry[], done: (error: AssayError | null) => void): void;
  /** At most `max` entries from `from` on, in order; fewer where they are large, none only where there are none. */
  read(from: number, max: number): Promise<JournalEntry[]>;
  /** The newest snapshot (before `beforeSeq`, where given) that can be read, or null. */
  latestSnapshot(beforeSeq?: number): Promise<StoredSnapshot | null>;
  /** Keeps a snapshot (the newest two are kept). */
  saveSnapshot(snapshot: StoredSnapshot): Promise<void>;
  close(): Promise<void>;
}
