// Rows to columns: how each kind of row is appended to its table. The order of the columns is that of the schema.
import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import { taskIdOf } from '@assay/protocol';
import type * as rows from '../../results/rows.ts';

/** Values of one row, in the order of the table's columns; the kind of each column is fixed by its place. */
type Cell = string | number | boolean | null;
type Kind = 'text' | 'integer' | 'bigint' | 'double' | 'boolean';
type Table<Row> = { name: string; kinds: readonly Kind[]; cells: (row: Row) => Cell[] };

const [text, integer, bigint, double, boolean] = ['text', 'integer', 'bigint', 'double', 'boolean'] as const;

export const runsTable: Table<rows.RunRow> = {
  name: 'runs',
  kinds: [
    ...[text, bigint, text, text, text, double, text, text, text, boolean, boolean, double, double, double],
    ...[integer, integer, integer, integer, integer, text, integer, integer, integer, integer, text],
  ],
  cells: (row) => [
    row.run,
    row.seq,
    row.submitter,
    row.name,
    row.project,
    row.priority,
    JSON.stringify(row.labels),
    row.state,
    row.verdict,
    row.isSealed,
    row.isCanceled,
    row.submittedAtMs,
    row.startedAtMs,
    row.settledAtMs,
    row.tasks.total,
    row.tasks.queued,
    row.tasks.assigned,
    row.tasks.running,
    row.tasks.settled,
    JSON.stringify(row.tasks.verdicts),
    row.cases.passed,
    row.cases.failed,
    row.cases.skipped,
    row.cases.todo,
    JSON.stringify(row.unplaceable),
  ],
};

export const suitesTable: Table<rows.SuiteRow> = {
  name: 'suites',
  kinds: [text, integer, text, text, text, text],
  cells: (row) => [row.run, row.suite, row.name, row.runner, row.directory, row.requires],
};

export const tasksTable: Table<rows.TaskRow> = {
  name: 'tasks',
  kinds: [text, integer, integer, text, double, double],
  cells: (row) => [row.run, row.index, row.suite, row.target, row.expectedMs, row.queuedAtMs],
};

export const assignmentsTable: Table<rows.AssignmentRow> = {
  name: 'assignments',
  kinds: [text, text, integer, text, double, integer, text, integer, integer, double],
  cells: (row) => [
    row.assignment,
    row.run,
    row.suite,
    row.worker,
    row.assignedAtMs,
    row.tasks,
    row.rule,
    row.fittingWorkers,
    row.freeWorkers,
    row.expectedMs,
  ],
};

export const openAttemptsTable: Table<rows.OpenAttemptRow> = {
  name: 'open_attempts',
  kinds: [text, text, integer, integer, text, text, double, double, double],
  cells: (row) => [
    taskIdOf(row.run, row.index),
    row.run,
    row.index,
    row.attempt,
    row.worker,
    row.assignment,
    row.expectedMs,
    row.assignedAtMs,
    row.startedAtMs,
  ],
};

export const attemptsTable: Table<rows.AttemptRow> = {
  name: 'attempts',
  kinds: [
    ...[
      text,
      integer,
      integer,
      text,
      text,
      text,
      text,
      double,
      double,
      double,
      double,
      double,
      double,
      text,
      text,
      text,
      text,
    ],
    ...[integer, integer, integer, integer, double, double, integer, text, text, bigint, text],
  ],
  cells: (row) => [
    row.run,
    row.index,
    row.attempt,
    row.worker,
    row.workerName,
    row.profileDigest,
    row.assignment,
    row.expectedMs,
    row.assignedAtMs,
    row.startedAtMs,
    row.settledAtMs,
    row.workerStartedAtMs,
    row.workerEndedAtMs,
    row.verdict,
    row.failure?.class ?? null,
    row.failure?.code ?? null,
    row.failure ? JSON.stringify(row.failure) : null,
    row.counts.passed,
    row.counts.failed,
    row.counts.skipped,
    row.counts.todo,
    row.costMs,
    row.startupMs,
    row.exitCode,
    row.exitSignal,
    row.blobs.length > 0 ? JSON.stringify(row.blobs) : null,
    row.seq,
    row.variant,
  ],
};

export const settlementsTable: Table<rows.SettlementRow> = {
  name: 'settlements',
  kinds: [text, integer, integer, text, double, text, text, text, text],
  cells: (row) => [
    row.run,
    row.index,
    row.attempt,
    row.verdict,
    row.settledAtMs,
    row.variant,
    row.diagnosis?.fault ?? null,
    row.diagnosis === null ? null : JSON.stringify(row.diagnosis),
    row.quarantined === null ? null : JSON.stringify(row.quarantined),
  ],
};

export const revisionsTable: Table<rows.RevisionRow> = {
  name: 'revisions',
  kinds: [text, integer, bigint, text, text],
  cells: (row) => [row.run, row.index, row.seq, row.diagnosis.fault, JSON.stringify(row.diagnosis)],
};

export const casesTable: Table<rows.StoredCaseRow> = {
  name: 'cases',
  kinds: [text, integer, integer, integer, text, text, double, text, text, integer, integer],
  cells: ({ run, index, attempt, ordinal, case: one }) => [
    run,
    index,
    attempt,
    ordinal,
    JSON.stringify(one.path),
    one.status,
    one.durationMs,
    one.failure?.message ?? null,
    one.failure?.stack ?? null,
    one.line ?? null,
    one.runnerRetries ?? null,
  ],
};

/** Of cases: a row for each sample. */
export const measurementsTable: Table<rows.MeasurementRow> = {
  name: 'measurements',
  kinds: [text, integer, integer, integer, integer, text, text, double, text, text],
  cells: ({ run, index, attempt, ordinal, sample, measurement: one }) => [
    run,
    index,
    attempt,
    ordinal,
    sample,
    one.metric,
    one.unit,
    one.value,
    one.direction,
    one.covariates === undefined ? null : JSON.stringify(one.covariates),
  ],
};

export const workersTable: Table<rows.WorkerRow> = {
  name: 'workers',
  kinds: [text, text, text, integer, text, text, text, text, double, double],
  cells: (row) => [
    row.worker,
    row.name,
    row.pool,
    row.slots,
    row.agentVersion,
    row.profileDigest,
    JSON.stringify(row.declared),
    row.state,
    row.firstSeenAtMs,
    row.lastChangeAtMs,
  ],
};

export const profilesTable: Table<rows.ProfileRow> = {
  name: 'profiles',
  kinds: [text, text, double],
  cells: (row) => [row.digest, JSON.stringify(row.profile), row.firstSeenAtMs],
};

export const eventsTable: Table<rows.EventRow> = {
  name: 'events',
  kinds: [bigint, integer, double, text, text, integer, integer, text, text],
  cells: (row) => [row.seq, row.ordinal, row.atMs, row.kind, row.run, row.index, row.attempt, row.worker, row.detail],
};

/** Appends rows in the connection's transaction. */
export async function appendRows<Row>(
  connection: DuckDBConnection,
  table: Table<Row>,
  list: readonly Row[],
): Promise<void> {
  if (list.length === 0) return;
  const appender = await connection.createAppender(table.name);
  try {
    for (const row of list) {
      const cells = table.cells(row);
      // By index: this loop runs once for every value that is ever stored.
      for (let column = 0; column < cells.length; column += 1)
        appendCell(appender, table.kinds[column]!, cells[column]!);
      appender.endRow();
    }
  } catch (error) {
    appender.clear();
    throw error;
  } finally {
    appender.closeSync();
  }
}

function appendCell(appender: DuckDBAppender, kind: Kind, cell: Cell): void {
  if (cell === null) return appender.appendNull();
  switch (kind) {
    case 'text':
      return appender.appendVarchar(cell as string);
    case 'integer':
      return appender.appendInteger(cell as number);
    case 'double':
      return appender.appendDouble(cell as number);
    case 'bigint':
      return appender.appendBigInt(BigInt(cell as number));
    case 'boolean':
      return appender.appendBoolean(cell as boolean);
  }
}
