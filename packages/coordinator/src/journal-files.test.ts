import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openSqliteJournal } from './adapters/journal-sqlite/journal.ts';
import { readJournalFiles } from './journal-files.ts';
import { appendDurably, range } from './ports/journal.contract.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function stateDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'assay-journal-files-'));
  directories.push(directory);
  return directory;
}

test('the journal of a stopped coordinator is read from its first entry to its last', async () => {
  const directory = stateDirectory();
  const journal = openSqliteJournal({ stateDirectory: directory });
  await appendDurably(journal, range(1, 3));
  await appendDurably(journal, range(4, 7));
  await journal.close();
  expect(readJournalFiles(directory)).toEqual({ snapshot: null, entries: range(1, 7) });
});

test('a directory without a journal is said to be none', () => {
  expect(() => readJournalFiles(stateDirectory())).toThrow(/is not a state directory/);
});
