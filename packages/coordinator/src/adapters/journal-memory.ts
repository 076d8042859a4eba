// The journal in memory: for the simulator and for tests of what stands above it. It loses everything with the process.
// What always holds: the same contract as the real one (ports/journal.contract.ts). Entries are kept as text, so that nobody
// can change what was appended. A batch becomes durable when `schedule` runs its commit, so the caller decides how slow the
// disk is; what was appended and not committed is gone when a new journal is opened over the same disk.
import { AssayError } from '@assay/protocol';
import type { Journal, JournalEntry, StoredSnapshot } from '../ports/journal.ts';

/** What outlives a crash: hand the same disk to the next journal. */
export type MemoryDisk = {
  /** Entries as text, in order; the first has sequence `firstSeq`. */
  readonly entries: string[];
  firstSeq: number;
  /** Newest first. */
  readonly snapshots: StoredSnapshot[];
  /** Set to make every further commit fail, as a full disk does. */
  isFull: boolean;
};

export function emptyDisk(): MemoryDisk {
  return { entries: [], firstSeq: 1, snapshots: [], isFull: false };
}

export type MemoryJournalOptions = { disk?: MemoryDisk; schedule?: (commit: () => void) => void };

export function createMemoryJournal(options: MemoryJournalOptions = {}): Journal {
  const disk = options.disk ?? emptyDisk();
  const schedule = options.schedule ?? queueMicrotask;
  let nextSeq = disk.firstSeq + disk.entries.length;
  let failure: AssayError | null = null;

  function commit(rows: string[], done: (error: AssayError | null) => void): void {
    if (disk.isFull) failure ??= new AssayError('JOURNAL_WRITE_FAILED', 'the disk is full');
    if (failure === null) disk.entries.push(...rows);
    done(failure);
  }

  return {
    lastSeq: () => disk.firstSeq + disk.entries.length - 1,
    firstSeq: () => disk.firstSeq,
    append: (entries, done) => {
      if (entries.length === 0) throw new Error('an empty batch cannot be appended');
      if (failure !== null) return schedule(() => done(failure));
      for (const entry of entries) {
        if (entry.seq !== nextSeq) throw new Error(`entry ${entry.seq} appended where ${nextSeq} is next`);
        nextSeq += 1;
      }
      const rows = entries.map((entry) => JSON.stringify(entry));
      schedule(() => commit(rows, done));
    },
    read: async (from, max) =>
      disk.entries
        .slice(Math.max(0, from - disk.firstSeq), Math.max(0, from - disk.firstSeq) + max)
        .map((row) => JSON.parse(row) as JournalEntry),
    latestSnapshot: async (beforeSeq = Number.MAX_SAFE_INTEGER) =>
      disk.snapshots.find((kept) => kept.seq < beforeSeq) ?? null,
    saveSnapshot: async (snapshot) => {
      disk.snapshots.unshift(snapshot);
      disk.snapshots.length = Math.min(disk.snapshots.length, 2);
    },
    close: async () => {
      failure ??= new AssayError('SHUTTING_DOWN', 'the journal is closed');
    },
  };
}
