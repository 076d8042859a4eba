// What keeps the state directory from growing for ever: old journal segments and unused blobs go, on a slow timer.
// What always holds: a segment goes only when the older of two snapshots and the results store both have it, so that a damaged
// snapshot still leaves a way to recover; a blob that a live run needs stays.
import type { State } from '@assay/core';
import type { SqliteJournal } from './adapters/journal-sqlite/journal.ts';
import type { Log } from './log.ts';
import type { BlobStore } from './ports/blob-store.ts';
import type { Clock } from './ports/clock.ts';

export type RetentionSettings = {
  /** How long journal entries are kept for history views and replay, and how much of them at most. */
  journalAgeMs: number;
  journalBytes: number;
  /** How long a blob is kept after it was last read or written. */
  blobAgeMs: number;
};
export const retentionDefaults: RetentionSettings = {
  journalAgeMs: 7 * 86_400_000,
  journalBytes: 2 * 1024 ** 3,
  blobAgeMs: 30 * 86_400_000,
};

export type HousekeepingOptions = {
  journal: SqliteJournal;
  blobs: BlobStore;
  clock: Clock;
  state: State;
  resultsSeq: () => number;
  settings: RetentionSettings;
  log: Log;
};

const journalEveryMs = 60_000;
const blobsEveryMs = 6 * 3_600_000;

/** Starts both timers; the returned function ends them. */
export function startHousekeeping(options: HousekeepingOptions): () => void {
  const stopJournal = repeat(options.clock, journalEveryMs, () => void dropOldSegments(options));
  const stopBlobs = repeat(options.clock, blobsEveryMs, () => void removeOldBlobs(options));
  return () => {
    stopJournal();
    stopBlobs();
  };
}

/** Drops what may go now. Resolves to the first sequence that is kept. */
export async function dropOldSegments({
  journal,
  clock,
  resultsSeq,
  settings,
  log,
}: HousekeepingOptions): Promise<number> {
  const [, olderSnapshot] = journal.snapshotSeqs();
  const before = journal.firstSeq();
  if (olderSnapshot !== undefined) {
    const throughSeq = Math.min(olderSnapshot, resultsSeq());
    await journal.dropSegments({
      throughSeq,
      olderThanMs: clock.nowMs() - settings.journalAgeMs,
      bytesMax: settings.journalBytes,
    });
    if (journal.firstSeq() !== before) log.info('old journal entries dropped', { firstSeq: journal.firstSeq() });
  }
  return journal.firstSeq();
}

async function removeOldBlobs({ blobs, clock, state, settings, log }: HousekeepingOptions): Promise<void> {
  const kept = new Set<string>();
  for (const run of state.runs.values()) if (run.spec.source.kind === 'bundle') kept.add(run.spec.source.digest);
  try {
    const bytes = await blobs.removeUnused(clock.nowMs() - settings.blobAgeMs, (digest) => kept.has(digest));
    if (bytes > 0) log.info('unused blobs removed', { bytes });
  } catch (error) {
    log.warn('unused blobs could not be removed', { error });
  }
}

function repeat(clock: Clock, everyMs: number, act: () => void): () => void {
  let cancel = clock.after(everyMs, again);
  function again(): void {
    cancel = clock.after(everyMs, again);
    act();
  }
  return () => cancel();
}
