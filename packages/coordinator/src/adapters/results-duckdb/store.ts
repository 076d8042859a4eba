// The results store on DuckDB: one file, one appender, one transaction a batch.
//
// What always holds: the rows of a batch and `applied_seq` are committed together or not at all, so that a batch applied
// twice, or cut by a crash, leaves each row exactly once; questions are answered from what is committed, beside a batch
// that is being written. After a failed batch the state in memory is read again from the file, and the caller may try
// the same entries again (RESULTS_UNAVAILABLE).
// It blocks its thread while it builds rows: it is meant for the thread that follows the journal (see follow/).
import {
  AssayError,
  type BackupRequest,
  type BackupView,
  type Measurement,
  type QueryRequest,
  runIdOf,
  type TaskId,
  type TaskList,
} from '@assay/protocol';
import { INTEGER, LIST, VARCHAR, listValue } from '@duckdb/node-api';
import type { JournalEntry } from '../../ports/journal.ts';
import type { AnalysisRows } from '../../ports/analysis.ts';
import type { ResultStore, TaskQuery } from '../../ports/result-store.ts';
import { caseAfter, caseCursor, runBefore, taskAfter } from '../../results/cursors.ts';
import { project } from '../../results/project.ts';
import { createProjection, takeBatch, type Projection } from '../../results/projection.ts';
import { taskIndexOf, type AssignmentRow, type AttemptRow } from '../../results/rows.ts';
import { caseRowOf, runViewOf, taskViewOf, withMeasurements } from '../../results/views.ts';
import { analysisRowsOf } from './analysis-rows.ts';
import type * as columns from './columns.ts';
import { inspectBackup, placeBackup, writeBackup } from './backup.ts';
import { closeDatabase, openDatabase, unavailable, type Database, type DuckDbOptions } from './open.ts';
import {
  ask,
  assignmentRowOf,
  attemptRowOf,
  measurementOf,
  openAttemptRowOf,
  requeuedAttemptOf,
  runRowOf,
  storedCaseOf,
  taskPartsOf,
  workerRowOf,
} from './read.ts';
import type { StatementName } from './statements.ts';
import { runUserQuery } from './user-query.ts';
import { prepareWriter, type BatchWriter } from './write-batch.ts';

/** Opens or makes the file. RESULTS_NEWER leaves it untouched; RESULTS_UNAVAILABLE where it cannot be opened. */
export async function openDuckDbResultStore(
  options: DuckDbOptions,
): Promise<ResultStore & { readonly rows: AnalysisRows }> {
  const store = new DuckDbResultStore(options);
  await store.appliedSeq();
  return store;
}

/** What is open: the database, the projection that continues it, and the last entry in it. */
type Opened = { database: Database; writer: BatchWriter; projection: Projection; appliedSeq: number };

class DuckDbResultStore implements ResultStore {
  readonly #options: DuckDbOptions;
  #opened: Promise<Opened>;
  #isClosed = false;
  /** The copy that was put back ends somewhere: what follows must begin there, and not where the file before it was. */
  #isRestored = false;
  /** Batches are written one after the other. */
  #tail: Promise<unknown> = Promise.resolve();
  /** What statistics are made from. */
  readonly rows: AnalysisRows = analysisRowsOf((name, values) => this.#ask(name, values));
  /** Questions that DuckDB works on: nothing is closed under them. */
  readonly #asked = new Set<Promise<unknown>>();
  /** Users' own questions go on while this is not aborted: what runs bring in goes first. */
  #mayAsk = new AbortController();

  constructor(options: DuckDbOptions) {
    this.#options = options;
    this.#opened = openAndResume(options);
  }

  async appliedSeq(): Promise<number> {
    return (await this.#open()).appliedSeq;
  }

  apply(entries: JournalEntry[]): Promise<void> {
    const done = this.#tail.then(() => this.#write(entries));
    this.#tail = done.catch(() => {});
    return done;
  }

  backup({ name }: BackupRequest): Promise<BackupView> {
    return this.#alone(async () => writeBackup((await this.#open()).database, this.#options.path, name));
  }

  restore({ name, firstSeq }: BackupRequest & { firstSeq: number }): Promise<BackupView> {
    return this.#alone(async () => {
      const { path } = this.#options;
      const { database } = await this.#open();
      const found = await inspectBackup(path, name);
      if (found.appliedSeq + 1 < firstSeq)
        throw new AssayError(
          'RESULTS_BACKUP_TOO_OLD',
          `backup ${name} ends at entry ${found.appliedSeq}, the journal begins at ${firstSeq}`,
        );
      this.#opened = this.#retire(database)
        .then(() => placeBackup(path, name))
        .then(() => openAndResume(this.#options));
      this.#opened.catch(() => {});
      this.#isRestored = true;
      await this.#opened;
      return found;
    });
  }

  /** Between two batches, as one of them. */
  #alone<Value>(act: () => Promise<Value>): Promise<Value> {
    const done = this.#tail.then(act);
    this.#tail = done.catch(() => {});
    return done.catch((error: unknown) => {
      throw error instanceof AssayError ? error : unavailable(this.#options.path, error);
    });
  }

  async listRuns({ limit, before }: { limit: number; before?: string }) {
    const rows = (
      await this.#ask<columns.RunColumns>('list-runs', { before: BigInt(runBefore(before)), limit: limit + 1 })
    ).map(runRowOf);
    const page = rows.slice(0, limit);
    return { runs: page.map(runViewOf), next: rows.length > limit ? String(page.at(-1)?.seq) : null };
  }

  async readRun(run: string) {
    const row = (await this.#ask<columns.RunColumns>('read-run', { run }))[0];
    return row ? runViewOf(runRowOf(row)) : null;
  }

  async listTasks(query: TaskQuery): Promise<TaskList> {
    return await this.#tasks(query, taskAfter(query.after));
  }

  async readTask(task: string) {
    const id = task as TaskId;
    const index = taskIndexOf(id);
    if (!Number.isInteger(index)) return null;
    const { tasks } = await this.#tasks({ run: runIdOf(id), limit: 1 }, index - 1);
    return tasks[0]?.task === id ? tasks[0] : null;
  }

  async listCases(query: { run: string; status?: string; limit: number; after?: string }) {
    const { run, status = null, limit } = query;
    const rows = await this.#ask<columns.CaseColumns>('list-cases', {
      run,
      status,
      limit: limit + 1,
      ...caseAfter(query.after),
    });
    const page = rows.slice(0, limit);
    const measured = await this.#measurements(run, page);
    const cases = page.map((row) =>
      caseRowOf(withMeasurements(storedCaseOf(row), measured.get(keyOf(row)) ?? []), {
        suite: row.suite_name ?? '',
        target: row.target ?? '',
        worker: row.worker,
        final: row.final_attempt,
      }),
    );
    const last = rows[limit - 1];
    const next =
      rows.length > limit && last
        ? caseCursor({ index: last.task_index, attempt: last.attempt, ordinal: last.ordinal })
        : null;
    return { cases, next };
  }

  async query(request: QueryRequest) {
    const { database } = await this.#open();
    const asked = runUserQuery(database.instance, request, { signal: this.#mayAsk.signal });
    this.#asked.add(asked);
    try {
      return await asked;
    } finally {
      this.#asked.delete(asked);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#tail;
    const opened = await this.#opened.catch(() => null);
    if (opened) await this.#retire(opened.database);
  }

  /** Closes what nobody uses any more: questions under way are interrupted and awaited, for to close under them is undefined. */
  async #retire(database: Database): Promise<void> {
    if (this.#asked.size > 0) database.reader.interrupt();
    this.#mayAsk.abort(unavailable(this.#options.path, 'it is being closed or opened anew'));
    this.#mayAsk = new AbortController();
    await Promise.allSettled(this.#asked);
    closeDatabase(database);
  }

  async #tasks(query: TaskQuery, after: number): Promise<TaskList> {
    const { run, state = null, verdict = null, limit } = query;
    const rows = await this.#ask<columns.TaskColumns>('list-tasks', { run, state, verdict, limit: limit + 1, after });
    const page = rows.slice(0, limit);
    const attempts = new Map<number, AttemptRow[]>(page.map((row) => [row.task_index, []]));
    if (page.length > 0) {
      const values = { run, indexes: listValue([...attempts.keys()]) };
      const found = await this.#ask<columns.AttemptColumns>('attempts-of-tasks', values, { indexes: LIST(INTEGER) });
      for (const row of found) attempts.get(row.task_index)?.push(attemptRowOf(row));
    }
    const brought = [...attempts.values()].flat().map((attempt) => attempt.assignment);
    for (const row of page) if (row.open_attempt !== null) brought.push(row.open_assignment);
    const assignments = await this.#assignments(run, brought);
    return {
      tasks: page.map((row) => taskViewOf(taskPartsOf(row, attempts.get(row.task_index) ?? [], assignments))),
      next: rows.length > limit ? String(page.at(-1)?.task_index) : null,
    };
  }

  /** What these cases measured, by case. */
  async #measurements(run: string, page: columns.CaseColumns[]): Promise<Map<string, { measurement: Measurement }[]>> {
    const found = new Map<string, { measurement: Measurement }[]>();
    if (page.length === 0) return found;
    const rows = await this.#ask<columns.MeasurementColumns>(
      'measurements-of-cases',
      { run, keys: listValue(page.map(keyOf)) },
      { keys: LIST(VARCHAR) },
    );
    for (const row of rows) {
      const known = found.get(keyOf(row)) ?? [];
      known.push({ measurement: measurementOf(row) });
      found.set(keyOf(row), known);
    }
    return found;
  }

  async #assignments(run: string, ids: readonly (string | null)[]): Promise<Map<string, AssignmentRow>> {
    const known = [...new Set(ids.filter((id) => id !== null))];
    if (known.length === 0) return new Map();
    const found = await this.#ask<columns.AssignmentColumns>(
      'assignments-of-run',
      { run, assignments: listValue(known) },
      { assignments: LIST(VARCHAR) },
    );
    return new Map(found.map((row) => [row.assignment, assignmentRowOf(row)]));
  }

  async #ask<Columns>(
    name: StatementName,
    values: Parameters<typeof ask>[2],
    types?: Parameters<typeof ask>[3],
  ): Promise<Columns[]> {
    const { database } = await this.#open();
    const asked = ask<Columns>(database.reader, name, values, types);
    this.#asked.add(asked);
    try {
      return await asked;
    } catch (error) {
      throw unavailable(this.#options.path, error);
    } finally {
      this.#asked.delete(asked);
    }
  }

  async #write(entries: JournalEntry[]): Promise<void> {
    const opened = await this.#open();
    const fresh = entries.filter((entry) => entry.seq > opened.appliedSeq);
    const last = fresh.at(-1);
    if (!last) return;
    if (this.#isRestored && fresh[0]?.seq !== opened.appliedSeq + 1)
      throw unavailable(this.#options.path, `restored up to ${opened.appliedSeq}: entries from there on are wanted`);
    try {
      for (const entry of fresh) project(opened.projection, entry);
      await opened.writer.write(takeBatch(opened.projection), last.seq);
      opened.appliedSeq = last.seq;
    } catch (error) {
      // The projection is ahead of the file, and DuckDB may have given the file up (a full disk): both start afresh.
      this.#opened = this.#retire(opened.database).then(() => openAndResume(this.#options));
      this.#opened.catch(() => {});
      throw unavailable(this.#options.path, error);
    }
  }

  /** What is open; where the last opening failed, one more try, so that a freed disk or file is found again. */
  async #open(): Promise<Opened> {
    if (this.#isClosed) throw unavailable(this.#options.path, 'the results store is closed');
    const opened = this.#opened;
    try {
      return await opened;
    } catch {
      if (this.#opened === opened) this.#opened = openAndResume(this.#options);
      return await this.#opened;
    }
  }
}

function keyOf(row: { task_index: number; attempt: number; ordinal: number }): string {
  return `${row.task_index} ${row.attempt} ${row.ordinal}`;
}

async function openAndResume(options: DuckDbOptions): Promise<Opened> {
  const database = await openDatabase(options);
  const { writer } = database;
  const appliedSeq = Number((await ask<columns.AppliedSeqColumns>(writer, 'applied-seq'))[0]?.value ?? 0);
  const projection = createProjection({
    runs: (await ask<columns.RunColumns>(writer, 'resume-runs')).map(runRowOf),
    open: (await ask<columns.OpenAttemptColumns>(writer, 'resume-open-attempts')).map(openAttemptRowOf),
    requeued: (await ask<columns.RequeuedColumns>(writer, 'resume-requeued')).map(requeuedAttemptOf),
    workers: (await ask<columns.WorkerColumns>(writer, 'resume-workers')).map(workerRowOf),
    profileDigests: (await ask<columns.ProfileColumns>(writer, 'resume-profiles')).map((row) => row.digest),
  });
  return { database, writer: await prepareWriter(writer), projection, appliedSeq };
}
