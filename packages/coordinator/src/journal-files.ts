// Reads the journal of a state directory whose coordinator is stopped, for those who look at what happened: replay, what-if.
// Changes nothing. Throws where the directory has no journal, or the journal is damaged.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { listSegments } from './adapters/journal-sqlite/segment-file.ts';
import { SegmentReader } from './adapters/journal-sqlite/segment-reader.ts';
import { listSnapshots, readLatestSnapshot } from './adapters/journal-sqlite/snapshot-files.ts';
import type { JournalEntry, StoredSnapshot } from './ports/journal.ts';

export type JournalFiles = {
  /** Where the entries go on from: null is the empty state, before entry 1. */
  readonly snapshot: StoredSnapshot | null;
  readonly entries: JournalEntry[];
};

export function readJournalFiles(stateDirectory: string): JournalFiles {
  const journal = join(stateDirectory, 'journal');
  if (!existsSync(journal)) throw new Error(`${stateDirectory} is not a state directory: it has no journal`);
  const firstSeq = listSegments(journal)[0]?.first ?? 1;
  const snapshot = firstSeq === 1 ? null : oldestSnapshot(join(stateDirectory, 'snapshots'), firstSeq);
  const reader = new SegmentReader(journal);
  try {
    const entries: JournalEntry[] = [];
    let next = (snapshot?.seq ?? 0) + 1;
    for (;;) {
      const rows = reader.read(next, { entriesMax: 2_000, bytesMax: 64 * 1024 * 1024 });
      if (rows.length === 0) return { snapshot, entries };
      for (const { seq, atMs, input, events } of rows)
        entries.push({
          seq,
          atMs,
          input: JSON.parse(input) as JournalEntry['input'],
          events: JSON.parse(events) as JournalEntry['events'],
        });
      next += rows.length;
    }
  } finally {
    reader.close();
  }
}

/** The one from which the most can be followed. */
function oldestSnapshot(directory: string, firstSeq: number): StoredSnapshot {
  const usable = listSnapshots(directory).filter((seq) => seq >= firstSeq - 1);
  const oldest = Math.min(...usable);
  const stored = usable.length === 0 ? null : readLatestSnapshot(directory, oldest + 1, () => undefined);
  if (stored === null) throw new Error(`the journal starts at entry ${firstSeq}, and no snapshot reaches it`);
  return stored;
}
