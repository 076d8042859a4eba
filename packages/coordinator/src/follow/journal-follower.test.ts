import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openSqliteJournal, type SqliteJournal } from '../adapters/journal-sqlite/journal.ts';
import { appendDurably, range } from '../ports/journal.contract.ts';
import { JournalFollower } from './journal-follower.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A journal of many small segments. */
function open(): SqliteJournal {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'assay-follow-'));
  closers.push(() => rmSync(stateDirectory, { recursive: true, force: true }));
  const journal = openSqliteJournal({ stateDirectory, segmentAgeMaxMs: 10 });
  closers.push(() => journal.close());
  return journal;
}

function follow(journal: SqliteJournal, fromSeq: number): JournalFollower {
  const follower = new JournalFollower(journal.journalDirectory, fromSeq);
  closers.push(() => follower.close());
  return follower;
}

const limits = { entriesMax: 7, bytesMax: 1e9 };

test('it returns what it was told of, in order across segments, each once, and no more', async () => {
  const journal = open();
  for (let from = 1; from <= 91; from += 10) await appendDurably(journal, range(from, from + 9));
  const follower = follow(journal, 4);
  expect(follower.take(limits)).toEqual([]);
  follower.wake(25);
  const got = [
    ...follower.take(limits),
    ...follower.take(limits),
    ...follower.take(limits),
    ...follower.take(limits),
    ...follower.take(limits),
  ];
  expect(got).toEqual(range(4, 25));
  expect(follower.behind()).toBe(0);
  follower.wake(100);
  expect(follower.take({ entriesMax: 1_000, bytesMax: 1e9 })).toEqual(range(26, 100));
});

test('it follows a journal that goes on, into segments that were made later', async () => {
  const journal = open();
  const follower = follow(journal, 1);
  const got = [];
  for (let from = 1; from <= 191; from += 10) {
    await appendDurably(journal, range(from, from + 9));
    follower.wake(from + 9);
    if (from % 30 === 1) got.push(...follower.take({ entriesMax: 1_000, bytesMax: 1e9 }));
  }
  got.push(...follower.take({ entriesMax: 1_000, bytesMax: 1e9 }));
  expect(got).toEqual(range(1, 200));
});

test('after going back it returns the same again', async () => {
  const journal = open();
  await appendDurably(journal, range(1, 30));
  const follower = follow(journal, 1);
  follower.wake(30);
  expect(follower.take(limits)).toEqual(range(1, 7));
  follower.rewind(3);
  expect(follower.take(limits)).toEqual(range(3, 9));
});

test('a batch is bounded by bytes as well, and holds one entry at least', async () => {
  const journal = open();
  await appendDurably(journal, range(1, 30));
  const follower = follow(journal, 1);
  follower.wake(30);
  expect(follower.take({ entriesMax: 100, bytesMax: 1 })).toEqual(range(1, 1));
  expect(follower.take({ entriesMax: 100, bytesMax: 300 }).length).toBeLessThan(6);
});

test('it goes on where old segments were dropped behind it', async () => {
  const journal = open();
  for (let from = 1; from <= 41; from += 10) await appendDurably(journal, range(from, from + 9));
  const follower = follow(journal, 1);
  follower.wake(50);
  follower.take({ entriesMax: 23, bytesMax: 1e9 });
  await journal.dropSegments({ throughSeq: 23, olderThanMs: 1e15, bytesMax: 0 });
  expect(journal.firstSeq()).toBe(21);
  expect(follower.take({ entriesMax: 100, bytesMax: 1e9 })).toEqual(range(24, 50));
});
