// The coordinator's disk, and the journal port on it. Entries are kept as text, so that nobody can change what was appended.
// What always holds: a batch is on the disk whole or not at all, in order of its append; who appended hears of it only
// later. A crash keeps everything that was acknowledged and, of the batches under way, the first so many that the disk
// had already taken: the torn tail that recovery sets aside at open is never part of what a reader sees.
import type { Journal, JournalEntry, StoredSnapshot } from '@assay/coordinator/simulation';
import { AssayError } from '@assay/protocol';

type UnderWay = { rows: string[]; done: (error: AssayError | null) => void; cancel: () => void };

export class SimDisk {
  /** Every entry that ever became durable, the first with sequence 1: also those that the journal has dropped. */
  readonly archive: string[] = [];
  firstSeq = 1;
  /** Newest first. */
  snapshots: StoredSnapshot[] = [];
  isFull = false;
  /** Told of every batch at the moment in which it is on the disk. */
  onDurable: (entries: JournalEntry[]) => void = () => undefined;
  underWay: UnderWay[] = [];

  lastSeq(): number {
    return this.archive.length;
  }

  entriesFrom(seq: number, max: number): JournalEntry[] {
    return this.archive.slice(seq - 1, seq - 1 + max).map((row) => JSON.parse(row) as JournalEntry);
  }

  /** Drops entries below `seq` from the journal. */
  dropBelow(seq: number): void {
    this.firstSeq = Math.max(this.firstSeq, Math.min(seq, this.lastSeq() + 1));
  }

  /** The process that wrote is gone. `taken` of its batches under way are on the disk all the same; nobody was told. */
  crash(taken: number): { kept: number; torn: number } {
    const underWay = this.underWay.splice(0);
    for (const { cancel } of underWay) cancel();
    const kept = this.isFull ? [] : underWay.slice(0, taken);
    for (const { rows } of kept) this.write(rows);
    return { kept: kept.length, torn: underWay.length - kept.length };
  }

  write(rows: string[]): void {
    this.archive.push(...rows);
    this.onDurable(rows.map((row) => JSON.parse(row) as JournalEntry));
  }
}

export type SimJournalOptions = {
  disk: SimDisk;
  /** Runs `act` when the disk is done; batches are committed one after the other. */
  schedule: (act: () => void) => () => void;
};

export function openSimJournal({ disk, schedule }: SimJournalOptions): Journal {
  let nextSeq = disk.lastSeq() + 1;
  let failure: AssayError | null = null;

  function commitFirst(): void {
    const { rows, done } = disk.underWay[0]!;
    if (disk.isFull) failure ??= new AssayError('JOURNAL_WRITE_FAILED', 'the disk is full');
    if (failure === null) disk.write(rows);
    disk.underWay.shift();
    if (disk.underWay.length > 0) startFirst();
    done(failure);
  }

  function startFirst(): void {
    disk.underWay[0]!.cancel = schedule(commitFirst);
  }

  return {
    lastSeq: () => disk.lastSeq(),
    firstSeq: () => disk.firstSeq,
    append: (entries, done) => {
      if (entries.length === 0) throw new Error('an empty batch cannot be appended');
      if (failure !== null) return void schedule(() => done(failure));
      for (const entry of entries) {
        if (entry.seq !== nextSeq) throw new Error(`entry ${entry.seq} appended where ${nextSeq} is next`);
        nextSeq += 1;
      }
      disk.underWay.push({ rows: entries.map((entry) => JSON.stringify(entry)), done, cancel: () => undefined });
      if (disk.underWay.length === 1) startFirst();
    },
    read: async (from, max) => disk.entriesFrom(Math.max(from, disk.firstSeq), max),
    latestSnapshot: async (beforeSeq = Number.MAX_SAFE_INTEGER) =>
      disk.snapshots.find((kept) => kept.seq < beforeSeq) ?? null,
    saveSnapshot: async (snapshot) => {
      disk.snapshots = [snapshot, ...disk.snapshots].slice(0, 2);
    },
    close: async () => {
      failure ??= new AssayError('SHUTTING_DOWN', 'the journal is closed');
    },
  };
}
