// Reads entries in order across segments, from any thread, over connections of its own.
// What always holds: it returns only durable entries, consecutive from the one asked for; a row whose digest is wrong, a gap
// between rows or a page that SQLite cannot read is JOURNAL_CORRUPT, never skipped.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { JournalDamage } from './damage.ts';
import { listSegments, openForRead, rowDigest, type Row } from './segment-file.ts';

export type ReadLimits = { entriesMax: number; bytesMax: number };

export class SegmentReader {
  readonly #directory: string;
  #open: { first: number; database: DatabaseSync; select: StatementSync } | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Rows from `from` on: at most `entriesMax`, and no more after `bytesMax` (but at least one, where there is one). */
  read(from: number, limits: ReadLimits): Row[] {
    const rows: Row[] = [];
    let bytes = 0;
    let next = from;
    while (rows.length < limits.entriesMax && bytes < limits.bytesMax) {
      const segment = this.#segmentOf(next);
      if (segment === null) break;
      const taken = takeRows(segment.select, next, {
        entriesMax: limits.entriesMax - rows.length,
        bytesMax: limits.bytesMax - bytes,
      });
      if (taken.length === 0) break;
      for (const row of taken) bytes += row.events.length + row.input.length;
      rows.push(...taken);
      next += taken.length;
    }
    return rows;
  }

  close(): void {
    this.#open?.database.close();
    this.#open = null;
  }

  /** The segment that holds, or would hold, the sequence. */
  #segmentOf(seq: number): { select: StatementSync } | null {
    const segment = listSegments(this.#directory).findLast((candidate) => candidate.first <= seq);
    if (segment === undefined) return null;
    if (this.#open?.first === segment.first) return this.#open;
    this.close();
    try {
      const database = openForRead(segment.path);
      const select = database.prepare(
        'SELECT seq, at_ms, events, input, crc FROM entries WHERE seq >= ? ORDER BY seq LIMIT ?',
      );
      this.#open = { first: segment.first, database, select };
    } catch (error) {
      throw new JournalDamage(`${segment.path} cannot be read: ${String(error)}`);
    }
    return this.#open;
  }
}

function takeRows(select: StatementSync, from: number, limits: ReadLimits): Row[] {
  const rows: Row[] = [];
  let bytes = 0;
  try {
    for (const value of select.iterate(from, limits.entriesMax)) {
      const row = checkedRow(value, from + rows.length);
      rows.push(row);
      bytes += row.events.length + row.input.length;
      if (bytes >= limits.bytesMax) break;
    }
  } catch (error) {
    throw error instanceof JournalDamage
      ? error
      : new JournalDamage(`entries from ${from} on cannot be read: ${String(error)}`);
  }
  return rows;
}

function checkedRow(value: Record<string, unknown>, expected: number): Row {
  const row = {
    seq: Number(value['seq']),
    atMs: Number(value['at_ms']),
    events: String(value['events']),
    input: String(value['input']),
  };
  if (row.seq !== expected) throw new JournalDamage(`entry ${expected} is missing; ${row.seq} follows`);
  if (rowDigest(row.seq, row.atMs, row.events, row.input) !== value['crc'])
    throw new JournalDamage(`entry ${row.seq} does not match its digest`);
  return row;
}
