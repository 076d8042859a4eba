// Writes the rows of one batch in one transaction, together with the sequence that they bring the store to.
// Statements are prepared once: at a few hundred tasks a batch, planning them again would cost more than the rows.
import {
  BIGINT,
  LIST,
  VARCHAR,
  listValue,
  type DuckDBConnection,
  type DuckDBPreparedStatement,
} from '@duckdb/node-api';
import type { RowBatch } from '../../results/rows.ts';
import * as table from './append.ts';
import { statements } from './statements.ts';

export type BatchWriter = {
  /** Commits, or rejects with the transaction left open: the connection is then to be closed. */
  write(batch: RowBatch, appliedSeq: number): Promise<void>;
};

export async function prepareWriter(connection: DuckDBConnection): Promise<BatchWriter> {
  const removeRuns = await connection.prepare(statements['remove-runs']);
  const removeWorkers = await connection.prepare(statements['remove-workers']);
  const removeCases = await connection.prepare(statements['remove-cases']);
  const removeMeasurements = await connection.prepare(statements['remove-measurements']);
  const removeOpenAttempts = await connection.prepare(statements['remove-open-attempts']);
  const setAppliedSeq = await connection.prepare(statements['set-applied-seq']);
  return {
    async write(batch, appliedSeq) {
      await connection.run('BEGIN');
      // A key has one row: the earlier ones go first.
      await remove(removeRuns, batch.replacedRuns);
      await remove(
        removeWorkers,
        batch.workers.map((row) => row.worker),
      );
      await remove(removeOpenAttempts, batch.closed);
      const dropped = batch.dropped.map(({ run, index, attempt }) => `${run} ${index} ${attempt}`);
      await remove(removeCases, dropped);
      await remove(removeMeasurements, dropped);
      await appendBatch(connection, batch);
      for (const one of batch.erased) await eraseProject(connection, one);
      setAppliedSeq.bind({ seq: BigInt(appliedSeq) }, { seq: BIGINT });
      await setAppliedSeq.run();
      await connection.run('COMMIT');
    },
  };
}

async function appendBatch(connection: DuckDBConnection, batch: RowBatch): Promise<void> {
  await table.appendRows(connection, table.runsTable, batch.runs);
  await table.appendRows(connection, table.workersTable, batch.workers);
  await table.appendRows(connection, table.openAttemptsTable, batch.open);
  await table.appendRows(connection, table.suitesTable, batch.suites);
  await table.appendRows(connection, table.tasksTable, batch.tasks);
  await table.appendRows(connection, table.assignmentsTable, batch.assignments);
  await table.appendRows(connection, table.attemptsTable, batch.attempts);
  await table.appendRows(connection, table.settlementsTable, batch.settlements);
  await table.appendRows(connection, table.revisionsTable, batch.revisions);
  await table.appendRows(connection, table.casesTable, batch.cases);
  await table.appendRows(connection, table.measurementsTable, batch.measurements);
  await table.appendRows(connection, table.profilesTable, batch.profiles);
  await table.appendRows(connection, table.eventsTable, batch.events);
}

/** All rows of the project's runs, table by table; the runs themselves last, for they say which rows are the project's. */
async function eraseProject(
  connection: DuckDBConnection,
  { project, beforeSeq }: RowBatch['erased'][number],
): Promise<void> {
  const extracted = await connection.extractStatements(statements['erase-project']);
  for (let at = 0; at < extracted.count; at += 1) {
    const statement = await extracted.prepare(at);
    statement.bind({ project, seq: BigInt(beforeSeq) }, { project: VARCHAR, seq: BIGINT });
    await statement.run();
  }
}

async function remove(statement: DuckDBPreparedStatement, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  statement.bind({ keys: listValue([...keys]) }, { keys: LIST(VARCHAR) });
  await statement.run();
}
