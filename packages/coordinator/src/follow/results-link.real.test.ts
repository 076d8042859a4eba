// The results thread as it is: a real thread over a real journal and a real DuckDB file, which dies and is started again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import type { AssayError } from '@assay/protocol';
import { openSqliteJournal } from '../adapters/journal-sqlite/journal.ts';
import { segmentPath } from '../adapters/journal-sqlite/segment-file.ts';
import { appendDurably, range } from '../ports/journal.contract.ts';
import { openResults } from './results-link.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

test('a thread that dies of a damaged entry is said, and another goes on where the store is once it can be read', async () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'assay-results-'));
  cleanups.push(() => rmSync(stateDirectory, { recursive: true, force: true }));
  const journal = openSqliteJournal({ stateDirectory });
  cleanups.push(() => journal.close());
  await appendDurably(journal, range(1, 20));

  const acknowledged: number[] = [];
  const troubles: (AssayError | null)[] = [];
  let news = Promise.withResolvers<void>();
  const heard = (): void => {
    news.resolve();
    news = Promise.withResolvers();
  };
  const link = openResults({
    journalDirectory: journal.journalDirectory,
    resultsFile: join(stateDirectory, 'results.duckdb'),
    firstSeq: () => journal.firstSeq(),
    gatherMs: 1,
    acknowledged: (seq) => {
      acknowledged.push(seq);
      heard();
    },
    onTrouble: (error) => {
      troubles.push(error);
      heard();
    },
  });
  cleanups.push(async () => void (await link.close(5_000)));
  expect(await link.opened()).toBe(0);
  expect(await link.store.readRun('r-none')).toBe(null);
  link.durable(10);
  while (acknowledged.at(-1) !== 10) await news.promise;

  const segment = new DatabaseSync(segmentPath(journal.journalDirectory, 1));
  cleanups.push(() => segment.close());
  segment.exec('UPDATE entries SET at_ms = at_ms + 1 WHERE seq = 15');
  link.durable(20);
  while (troubles.length === 0) await news.promise;
  expect(troubles[0]).toMatchObject({
    code: 'RESULTS_UNAVAILABLE',
    message: expect.stringMatching(/entry 15 does not match/),
  });
  expect(link.error()).toMatch(/RESULTS_UNAVAILABLE/);
  expect(link.appliedSeq()).toBe(10);

  segment.exec('UPDATE entries SET at_ms = at_ms - 1 WHERE seq = 15');
  while (acknowledged.at(-1) !== 20) await news.promise;
  expect(link.error()).toBe(null);
  expect(await link.store.readRun('r-none')).toBe(null);
  expect(acknowledged).toEqual([10, 20]);
});

test('a copy that is put back while entries arrive is followed from where it ends, to the end of the journal', async () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'assay-results-'));
  cleanups.push(() => rmSync(stateDirectory, { recursive: true, force: true }));
  const journal = openSqliteJournal({ stateDirectory });
  cleanups.push(() => journal.close());
  await appendDurably(journal, range(1, 30));
  let appliedSeq = 0;
  let news = Promise.withResolvers<void>();
  const link = openResults({
    journalDirectory: journal.journalDirectory,
    resultsFile: join(stateDirectory, 'results.duckdb'),
    firstSeq: () => journal.firstSeq(),
    gatherMs: 1,
    acknowledged: (seq) => {
      appliedSeq = seq;
      news.resolve();
      news = Promise.withResolvers();
    },
    onTrouble: () => undefined,
  });
  cleanups.push(async () => void (await link.close(5_000)));
  const reach = async (seq: number): Promise<void> => {
    while (appliedSeq !== seq) await news.promise;
  };
  link.durable(10);
  await reach(10);
  expect(await link.store.backup({ name: 'ten' })).toMatchObject({ appliedSeq: 10 });
  link.durable(20);
  await reach(20);
  appliedSeq = 0;
  expect(await link.store.restore({ name: 'ten' })).toMatchObject({ appliedSeq: 10 });
  link.durable(30);
  await reach(30);
  expect(link.appliedSeq()).toBe(30);
  expect(await link.store.appliedSeq()).toBe(30);
});
