// Follows the journal from another thread: durable entries from a sequence on, in order, across segments, in bounded batches.
// Why it is told how far it may read: SQLite shows a commit a moment before the loop has told it to anyone; a follower that
// ran ahead could acknowledge what the loop does not know to be durable yet.
// What always holds: each entry is returned once, in order, none left out, none after `wake`'s highest sequence.
import { SegmentReader, type ReadLimits } from '../adapters/journal-sqlite/segment-reader.ts';
import type { JournalEntry } from '../ports/journal.ts';

/** What one batch holds at most: bounds the follower's memory and the time for which it is deaf. */
export const followLimits: ReadLimits = { entriesMax: 5_000, bytesMax: 8 * 1024 * 1024 };

export class JournalFollower {
  readonly #reader: SegmentReader;
  #nextSeq: number;
  #durableSeq = 0;

  /** `directory` holds the segments; the first entry returned is `fromSeq`. */
  constructor(directory: string, fromSeq: number) {
    this.#reader = new SegmentReader(directory);
    this.#nextSeq = fromSeq;
  }

  /** Everything up to `seq` is durable and was told. */
  wake(seq: number): void {
    this.#durableSeq = Math.max(this.#durableSeq, seq);
  }

  /** How many entries wait. */
  behind(): number {
    return Math.max(0, this.#durableSeq - this.#nextSeq + 1);
  }

  /** The next entries, none when it has caught up. Throws JournalDamage. */
  take(limits: ReadLimits = followLimits): JournalEntry[] {
    const entriesMax = Math.min(limits.entriesMax, this.behind());
    if (entriesMax === 0) return [];
    const rows = this.#reader.read(this.#nextSeq, { ...limits, entriesMax });
    this.#nextSeq += rows.length;
    return rows.map((row) => ({
      seq: row.seq,
      atMs: row.atMs,
      input: JSON.parse(row.input) as JournalEntry['input'],
      events: JSON.parse(row.events) as JournalEntry['events'],
    }));
  }

  /** Goes back to `seq`: what was taken from there on is returned again. */
  rewind(seq: number): void {
    this.#nextSeq = seq;
  }

  close(): void {
    this.#reader.close();
  }
}
