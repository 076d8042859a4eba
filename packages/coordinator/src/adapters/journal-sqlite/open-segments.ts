// What is done to the files of a journal before anything is read or written: torn tails are set aside, damage is refused.
import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AssayError } from '@assay/protocol';
import {
  hasEntriesTable,
  listSegments,
  openForAppend,
  readVersion,
  segmentVersion,
  type Segment,
} from './segment-file.ts';
import { listSnapshots } from './snapshot-files.ts';
import { scanWal } from './wal-scan.ts';

export type OpenedSegments = {
  firstSeq: number;
  lastSeq: number;
  /** The segment to go on with; null starts a new one. */
  current: { first: number; openedMs: number } | null;
};

type Extent = { first: number; last: number; openedMs: number };

/** Checks every segment; throws JOURNAL_CORRUPT or JOURNAL_NEWER. `onTorn` hears of each tail that was set aside. */
export function openSegments(journal: string, snapshots: string, onTorn: (message: string) => void): OpenedSegments {
  const extents = listSegments(journal).map((segment) => {
    setTornTailAside(journal, segment, onTorn);
    return extentOf(segment);
  });
  extents.forEach((extent, index) => {
    const next = extents[index + 1];
    if (next !== undefined && extent.last + 1 !== next.first) {
      throw new AssayError('JOURNAL_CORRUPT', `the journal has no entries between ${extent.last} and ${next.first}`);
    }
  });
  const newest = extents.at(-1);
  const lastSeq = newest?.last ?? 0;
  const snapshotSeq = listSnapshots(snapshots)[0] ?? 0;
  if (snapshotSeq > lastSeq) {
    throw new AssayError(
      'JOURNAL_CORRUPT',
      `the journal ends at ${lastSeq}, but a snapshot was taken at ${snapshotSeq}: durable entries are missing`,
    );
  }
  return {
    firstSeq: extents[0]?.first ?? lastSeq + 1,
    lastSeq,
    current: newest === undefined ? null : { first: newest.first, openedMs: newest.openedMs },
  };
}

function setTornTailAside(journal: string, segment: Segment, onTorn: (message: string) => void): void {
  const wal = scanWal(segment.path);
  if (wal.kind === 'clean') return;
  // The files are left exactly as they are: opening them with SQLite would drop what may still be saved.
  if (wal.kind === 'damaged') {
    throw new AssayError(
      'JOURNAL_CORRUPT',
      `page ${wal.frame} of ${segment.path}-wal is damaged, and acknowledged entries stand behind it`,
    );
  }
  onTorn(
    `${wal.frames} pages of a transaction that was never acknowledged were set aside: ${keepAside(journal, segment)}`,
  );
}

/** A copy for whoever wants to look. It matters to nobody's results, so a full disk must not stop the start for it. */
function keepAside(journal: string, segment: Segment): string {
  const prefix = 'set-aside-';
  const aside = join(journal, `${prefix}${segment.first}-${Date.now()}.wal`);
  try {
    for (const name of readdirSync(journal)
      .filter((candidate) => candidate.startsWith(prefix))
      .sort()
      .slice(0, -1))
      rmSync(join(journal, name));
    copyFileSync(`${segment.path}-wal`, aside);
    return aside;
  } catch (error) {
    rmSync(aside, { force: true });
    return `not kept, ${String(error)}`;
  }
}

function extentOf(segment: Segment): Extent {
  try {
    const database = openForAppend(segment.path, 0);
    try {
      const version = readVersion(database);
      if (version > segmentVersion)
        throw new AssayError('JOURNAL_NEWER', `${segment.path} was written by a newer version (format ${version})`);
      if (!hasEntriesTable(database)) return { first: segment.first, last: segment.first - 1, openedMs: Date.now() };
      const row = database.prepare('SELECT min(seq) AS low, max(seq) AS high FROM entries').get();
      const low = row?.['low'];
      if (low === null || low === undefined)
        return { first: segment.first, last: segment.first - 1, openedMs: Date.now() };
      if (Number(low) !== segment.first)
        throw new AssayError('JOURNAL_CORRUPT', `${segment.path} starts at entry ${String(low)}`);
      const at = database.prepare('SELECT at_ms FROM entries WHERE seq = ?').get(segment.first);
      return { first: segment.first, last: Number(row?.['high']), openedMs: Number(at?.['at_ms']) };
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof AssayError) throw error;
    const code = isDamage(error) ? 'JOURNAL_CORRUPT' : 'JOURNAL_WRITE_FAILED';
    throw new AssayError(code, `${segment.path} cannot be opened: ${String(error)}`, undefined, error);
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB; a full disk or a missing permission is no damage. */
function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  return code === 11 || code === 26;
}
