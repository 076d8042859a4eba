import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { appendDurably, journalContract, range } from '../../ports/journal.contract.ts';
import { openSqliteJournal, type SqliteJournal, type SqliteJournalOptions } from './journal.ts';
import { listSegments, segmentPath } from './segment-file.ts';

const places: string[] = [];
const journals: SqliteJournal[] = [];

function makePlace(): string {
  const place = mkdtempSync(join(tmpdir(), 'assay-journal-'));
  places.push(place);
  return place;
}

function open(stateDirectory: string, options: Partial<SqliteJournalOptions> = {}): SqliteJournal {
  const journal = openSqliteJournal({ stateDirectory, ...options });
  journals.push(journal);
  return journal;
}

afterEach(async () => {
  for (const journal of journals.splice(0)) await journal.close();
  for (const place of places.splice(0)) rmSync(place, { recursive: true, force: true });
});

journalContract('sqlite', () => {
  const stateDirectory = makePlace();
  return { open: () => openSqliteJournal({ stateDirectory }), remove: async () => undefined };
});

/** What a crash would leave: the files as they are while the journal is open, its log not folded in. */
async function crashImage(batches: number, perBatch: number): Promise<{ place: string; wal: string; path: string }> {
  const live = makePlace();
  const journal = open(live);
  for (let batch = 0; batch < batches; batch += 1)
    await appendDurably(journal, range(batch * perBatch + 1, (batch + 1) * perBatch));
  const place = makePlace();
  cpSync(live, place, { recursive: true });
  const path = segmentPath(join(place, 'journal'), 1);
  return { place, path, wal: `${path}-wal` };
}

/** Bytes of one page of the log with its header. */
const frameBytes = 4096 + 24;

function flip(path: string, at: number): void {
  const byte = readFileSync(path)[at]!;
  const handle = openSync(path, 'r+');
  writeSync(handle, Buffer.from([byte ^ 0xff]), 0, 1, at);
  closeSync(handle);
}

test('what a crash leaves is opened with every acknowledged entry', async () => {
  const { place } = await crashImage(5, 4);
  const notices: string[] = [];
  const journal = open(place, { onNotice: (message) => notices.push(message) });
  expect(journal.lastSeq()).toBe(20);
  expect(await journal.read(1, 100)).toEqual(range(1, 20));
  expect(notices).toEqual([]);
});

test.each([
  ['cut off in its last page', (wal: string) => truncateSync(wal, statSync(wal).size - 100)],
  ['damaged in its last page', (wal: string) => flip(wal, statSync(wal).size - 100)],
  ['damaged in the header of its last page', (wal: string) => flip(wal, statSync(wal).size - frameBytes + 17)],
])('a log that is %s loses the last transaction, which is set aside, and goes on', async (_name, damage) => {
  const { place, wal } = await crashImage(5, 4);
  damage(wal);
  const notices: string[] = [];
  const journal = open(place, { onNotice: (message) => notices.push(message) });
  expect(journal.lastSeq()).toBe(16);
  expect(await journal.read(1, 100)).toEqual(range(1, 16));
  await appendDurably(journal, range(17, 18));
  expect(await journal.read(16, 100)).toEqual(range(16, 18));
  expect(notices).toEqual([expect.stringMatching(/1 pages.*never acknowledged/)]);
  expect(readdirSync(join(place, 'journal')).filter((name) => name.startsWith('set-aside-1-'))).toHaveLength(1);
});

test('a transaction of many pages that is torn in its middle is lost whole', async () => {
  const live = makePlace();
  const journal = open(live);
  await appendDurably(journal, range(1, 2));
  await appendDurably(journal, range(3, 2_000));
  const place = makePlace();
  cpSync(live, place, { recursive: true });
  const wal = `${segmentPath(join(place, 'journal'), 1)}-wal`;
  flip(wal, statSync(wal).size - frameBytes * 5);
  const notices: string[] = [];
  const reopened = open(place, { onNotice: (message) => notices.push(message) });
  expect(await reopened.read(1, 100)).toEqual(range(1, 2));
  expect(notices).toHaveLength(1);
});

test('a damaged page in front of acknowledged transactions is JOURNAL_CORRUPT, and the files stay as they were', async () => {
  const { place, wal, path } = await crashImage(8, 4);
  flip(wal, 32 + frameBytes * 3 + 2_000);
  const before = [readFileSync(wal), readFileSync(path)];
  expect(() => open(place)).toThrow(expect.objectContaining({ code: 'JOURNAL_CORRUPT' }));
  expect([readFileSync(wal), readFileSync(path)]).toEqual(before);
  // And it is not held: the next one is told the same, not that the state is in use.
  expect(() => open(place)).toThrow(expect.objectContaining({ code: 'JOURNAL_CORRUPT' }));
});

test.each([
  ['a changed row', "UPDATE entries SET events = replace(events, 'linksReset', 'linksreset') WHERE seq = 3"],
  ['a missing row', 'DELETE FROM entries WHERE seq = 3'],
])('%s is JOURNAL_CORRUPT when it is read', async (_name, sql) => {
  const place = makePlace();
  const first = open(place);
  await appendDurably(first, range(1, 5));
  await first.close();
  const database = new DatabaseSync(segmentPath(first.journalDirectory, 1));
  database.exec(sql);
  database.close();
  await expect(open(place).read(1, 10)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
});

test('a file that is no database any more is JOURNAL_CORRUPT', async () => {
  const place = makePlace();
  const first = open(place);
  await appendDurably(first, range(1, 5));
  await first.close();
  writeFileSync(segmentPath(first.journalDirectory, 1), Buffer.alloc(20_000, 7));
  expect(() => open(place)).toThrow(expect.objectContaining({ code: 'JOURNAL_CORRUPT' }));
});

test('a segment of a newer version is refused by its name', async () => {
  const place = makePlace();
  const first = open(place);
  await appendDurably(first, range(1, 5));
  await first.close();
  const database = new DatabaseSync(segmentPath(first.journalDirectory, 1));
  database.exec('PRAGMA user_version = 9');
  database.close();
  expect(() => open(place)).toThrow(expect.objectContaining({ code: 'JOURNAL_NEWER' }));
});

test('a journal that ends before its own snapshot has lost durable entries', async () => {
  const place = makePlace();
  const first = open(place);
  await appendDurably(first, range(1, 5));
  await first.saveSnapshot({ seq: 5, state: 'x' });
  await first.close();
  rmSync(segmentPath(first.journalDirectory, 1));
  expect(() => open(place)).toThrow(expect.objectContaining({ code: 'JOURNAL_CORRUPT' }));
});

test('a damaged snapshot is passed over for the older one, and said', async () => {
  const place = makePlace();
  const notices: string[] = [];
  const journal = open(place, { onNotice: (message) => notices.push(message) });
  await appendDurably(journal, range(1, 9));
  await journal.saveSnapshot({ seq: 4, state: 'older' });
  await journal.saveSnapshot({ seq: 8, state: 'newer' });
  flip(join(journal.snapshotDirectory, '0000000000000008.json'), 100);
  expect(await journal.latestSnapshot()).toEqual({ seq: 4, state: 'older' });
  expect(notices).toHaveLength(1);
});

test('what a crash in the middle of a snapshot leaves is gone after the next start', async () => {
  const place = makePlace();
  const journal = open(place);
  await appendDurably(journal, range(1, 8));
  for (const seq of [2, 4]) await journal.saveSnapshot({ seq, state: `at ${seq}` });
  const files = journal.snapshotDirectory;
  // The third was named, the fourth is half written, and the crash came before anything was removed.
  copyFileSync(join(files, '0000000000000004.json'), join(files, '0000000000000006.json'));
  writeFileSync(join(files, '0000000000000008.json.1234.part'), '{"seq":8');
  await journal.close();
  open(place);
  expect(readdirSync(files).toSorted()).toEqual(['0000000000000004.json', '0000000000000006.json']);
});

test('a second journal on the same state directory is refused until the first is closed', async () => {
  const place = makePlace();
  const first = open(place);
  expect(() => open(place)).toThrow(expect.objectContaining({ code: 'STATE_IN_USE' }));
  await first.close();
  expect(open(place).lastSeq()).toBe(0);
});

test('segments end by size; reading crosses them, also after opening again', async () => {
  const place = makePlace();
  const journal = open(place, { segmentBytesMax: 64 * 1024 });
  for (let from = 1; from <= 2_000; from += 100) await appendDurably(journal, range(from, from + 99));
  expect(listSegments(journal.journalDirectory).length).toBeGreaterThan(3);
  expect(await journal.read(1, 5_000)).toEqual(range(1, 2_000));
  await journal.close();
  const again = open(place, { segmentBytesMax: 64 * 1024 });
  expect(again.lastSeq()).toBe(2_000);
  expect(await again.read(990, 20)).toEqual(range(990, 1_009));
});

test('segments end by age, by the time of the entries', async () => {
  const journal = open(makePlace(), { segmentAgeMaxMs: 10 });
  for (let from = 1; from <= 41; from += 10) await appendDurably(journal, range(from, from + 9));
  expect(listSegments(journal.journalDirectory).map((segment) => segment.first)).toEqual([1, 11, 21, 31, 41]);
});

test('whole old segments are dropped, only up to where they are not needed, and never the newest', async () => {
  const place = makePlace();
  const journal = open(place, { segmentAgeMaxMs: 10 });
  for (let from = 1; from <= 41; from += 10) await appendDurably(journal, range(from, from + 9));
  await journal.dropSegments({ throughSeq: 25, olderThanMs: 1e15, bytesMax: 1e15 });
  expect(journal.firstSeq()).toBe(21);
  expect(await journal.read(21, 5)).toEqual(range(21, 25));
  // Entry n has time 1000 + n: everything is younger than that, and there is room.
  await journal.dropSegments({ throughSeq: 50, olderThanMs: 1_000, bytesMax: 1e15 });
  expect(journal.firstSeq()).toBe(21);
  await journal.dropSegments({ throughSeq: 50, olderThanMs: 1_000, bytesMax: 0 });
  expect(journal.firstSeq()).toBe(41);
  await appendDurably(journal, range(51, 51));
  await journal.close();
  const again = open(place);
  expect([again.firstSeq(), again.lastSeq()]).toEqual([41, 51]);
});

test('when the disk takes no more, the append fails by name, what was acknowledged stays, and nothing more is taken', async () => {
  const place = makePlace();
  const journal = open(place, { pagesMax: 30 });
  await appendDurably(journal, range(1, 100));
  await expect(appendDurably(journal, range(101, 5_000))).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
  await expect(appendDurably(journal, range(5_001, 5_001))).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
  await journal.close();
  expect(existsSync(segmentPath(journal.journalDirectory, 1))).toBe(true);
  const again = open(place);
  expect(again.lastSeq()).toBe(100);
  await appendDurably(again, range(101, 101));
});
