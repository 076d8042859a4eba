import { expect, test } from 'vitest';
import { appendDurably, journalContract, range } from '../ports/journal.contract.ts';
import { createMemoryJournal, emptyDisk } from './journal-memory.ts';

journalContract('memory', () => {
  const disk = emptyDisk();
  return { open: () => createMemoryJournal({ disk }), remove: async () => undefined };
});

test('what was appended and never committed is gone after a crash', async () => {
  const disk = emptyDisk();
  const commits: (() => void)[] = [];
  const first = createMemoryJournal({ disk, schedule: (commit) => commits.push(commit) });
  first.append(range(1, 2), () => undefined);
  first.append(range(3, 4), () => undefined);
  commits[0]!();
  const second = createMemoryJournal({ disk });
  expect(second.lastSeq()).toBe(2);
  await appendDurably(second, range(3, 3));
  expect(await second.read(1, 10)).toEqual(range(1, 3));
});

test('a full disk fails every append from then on', async () => {
  const disk = emptyDisk();
  const journal = createMemoryJournal({ disk });
  await appendDurably(journal, range(1, 1));
  disk.isFull = true;
  await expect(appendDurably(journal, range(2, 2))).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
  disk.isFull = false;
  await expect(appendDurably(journal, range(3, 3))).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
  expect(journal.lastSeq()).toBe(1);
});
