import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { emptyState } from '@assay/core';
import { createMemoryBlobStore } from './adapters/blobs-memory.ts';
import { openSqliteJournal } from './adapters/journal-sqlite/journal.ts';
import { dropOldSegments, retentionDefaults, startHousekeeping, type HousekeepingOptions } from './housekeeping.ts';
import { silentLog } from './log.ts';
import { appendDurably, range } from './ports/journal.contract.ts';
import { HandClock } from './testing/hand-clock.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Fifty entries in segments of ten; entry n has time 1000 + n, and now is so much later that all are old. */
async function place(resultsSeq: number): Promise<HousekeepingOptions> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'assay-housekeeping-'));
  cleanups.push(() => rmSync(stateDirectory, { recursive: true, force: true }));
  const journal = openSqliteJournal({ stateDirectory, segmentAgeMaxMs: 10 });
  cleanups.push(() => journal.close());
  for (let from = 1; from <= 41; from += 10) await appendDurably(journal, range(from, from + 9));
  const clock = new HandClock();
  clock.ms = retentionDefaults.journalAgeMs * 2;
  return {
    journal,
    blobs: createMemoryBlobStore(),
    clock,
    state: emptyState(),
    resultsSeq: () => resultsSeq,
    settings: retentionDefaults,
    log: silentLog,
  };
}

test('old entries stay while there are not two snapshots, because the one there is may be damaged', async () => {
  const options = await place(50);
  expect(await dropOldSegments(options)).toBe(1);
  await options.journal.saveSnapshot({ seq: 50, state: 'x' });
  expect(await dropOldSegments(options)).toBe(1);
});

test('entries go up to the older snapshot, and not beyond what the results have', async () => {
  const options = await place(28);
  await options.journal.saveSnapshot({ seq: 45, state: 'x' });
  await options.journal.saveSnapshot({ seq: 50, state: 'y' });
  expect(await dropOldSegments(options)).toBe(21);
  expect(await dropOldSegments({ ...options, resultsSeq: () => 50 })).toBe(41);
});

test('young entries stay, unless there are too many', async () => {
  const options = await place(50);
  options.clock = new HandClock();
  await options.journal.saveSnapshot({ seq: 45, state: 'x' });
  await options.journal.saveSnapshot({ seq: 50, state: 'y' });
  expect(await dropOldSegments(options)).toBe(1);
  expect(await dropOldSegments({ ...options, settings: { ...retentionDefaults, journalBytes: 1 } })).toBe(41);
});

test('once stopped no timer is left', async () => {
  const options = await place(0);
  const clock = options.clock as HandClock;
  const stop = startHousekeeping(options);
  expect(clock.timerTimes()).toHaveLength(2);
  stop();
  expect(clock.timerTimes()).toEqual([]);
});
