// The memory of what was tested: runs, tasks, attempts, cases, workers and profiles, by a projection of the journal.
// What always holds: `apply` is one transaction that also stores the last sequence, so that applying an entry twice
// changes nothing and a crash loses nothing (the journal is read again from `appliedSeq` on).
import type {
  BackupRequest,
  BackupView,
  CaseList,
  QueryAnswer,
  QueryRequest,
  RunList,
  RunView,
  TaskList,
  TaskView,
} from '@assay/protocol';
import type { JournalEntry } from './journal.ts';

export type TaskQuery = { run: string; state?: string; verdict?: string; limit: number; after?: string };
export type CaseQuery = { run: string; status?: string; limit: number; after?: string };

export interface ResultStore {
  /** Last journal sequence whose rows are stored, 0 when none. */
  appliedSeq(): Promise<number>;
  /** Stores what the entries say; entries at or below `appliedSeq` are skipped. */
  apply(entries: JournalEntry[]): Promise<void>;
  /** Newest first. `before` is the `next` of the previous page. */
  listRuns(query: { limit: number; before?: string }): Promise<RunList>;
  readRun(run: string): Promise<RunView | null>;
  listTasks(query: TaskQuery): Promise<TaskList>;
  readTask(task: string): Promise<TaskView | null>;
  listCases(query: CaseQuery): Promise<CaseList>;
  /** A user's own SQL, read-only. QUERY_REFUSED, QUERY_TOO_LONG, QUERY_TOO_LARGE. */
  query(request: QueryRequest): Promise<QueryAnswer>;
  /** A copy of everything stored, under a name that is free. */
  backup(request: BackupRequest): Promise<BackupView>;
  /**
   * Puts a copy back. From then on `appliedSeq` is the copy's, and entries are wanted from the next one on; refused with
   * RESULTS_BACKUP_TOO_OLD where the journal begins later (`firstSeq`), for then results would be missing.
   */
  restore(request: BackupRequest & { firstSeq: number }): Promise<BackupView>;
  close(): Promise<void>;
}

/** What may be asked of the results, by those who do not write them. */
export type ResultQuestions = Omit<ResultStore, 'apply' | 'close' | 'restore'> & {
  restore(request: BackupRequest): Promise<BackupView>;
};
