// An entry of a coordinator's journal, as its own reader gives it.
import type { readJournalFiles } from '@assay/coordinator/journal-files';

export type JournalEntry = ReturnType<typeof readJournalFiles>['entries'][number];
