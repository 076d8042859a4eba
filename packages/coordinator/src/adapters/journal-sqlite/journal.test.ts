import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { journalContract } from '../../ports/journal.contract.ts';
import { openSqliteJournal } from './journal.ts';

journalContract('sqlite', () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'assay-journal-'));
  return {
    open: () => openSqliteJournal({ stateDirectory }),
    remove: async () => rmSync(stateDirectory, { recursive: true, force: true }),
  };
});
