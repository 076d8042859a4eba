// Stored values back to rows: the inverse of append.ts.
import type {
  AttemptFailure,
  BlobRef,
  Case,
  CaseCounts,
  Diagnosis,
  QuarantineNote,
  Measurement,
  RunId,
  TaskCounts,
} from '@assay/protocol';
import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type {
  AssignmentRow,
  AttemptRow,
  OpenAttemptRow,
  RequeuedAttempt,
  RunRow,
  SettlementRow,
  StoredCaseRow,
  TaskRow,
  WorkerRow,
} from '../../results/rows.ts';
import type { TaskParts } from '../../results/views.ts';
import type * as columns from './columns.ts';
import { statements, type StatementName } from './statements.ts';

/** Asks one of the named questions, whose columns are known to be these. */
export async function ask<Columns>(
  connection: DuckDBConnection,
  name: StatementName,
  values: Record<string, DuckDBValue> = {},
  types?: Record<string, DuckDBType>,
): Promise<Columns[]> {
  const reader = await connection.runAndReadAll(statements[name], values, types);
  return reader.getRowObjectsJS() as Columns[];
}

export function runRowOf(row: columns.RunColumns): RunRow {
  return {
    run: row.run,
    seq: Number(row.seq),
    submitter: row.submitter,
    name: row.name,
    project: row.project,
    priority: row.priority,
    labels: JSON.parse(row.labels),
    state: row.state,
    verdict: row.verdict,
    isSealed: row.is_sealed,
    isCanceled: row.is_canceled,
    submittedAtMs: row.submitted_at_ms,
    startedAtMs: row.started_at_ms,
    settledAtMs: row.settled_at_ms,
    tasks: {
      total: row.tasks_total,
      queued: row.tasks_queued,
      assigned: row.tasks_assigned,
      running: row.tasks_running,
      settled: row.tasks_settled,
      verdicts: JSON.parse(row.tasks_verdicts) as TaskCounts['verdicts'],
    },
    cases: countsOf(row),
    unplaceable: JSON.parse(row.unplaceable),
  };
}

export function assignmentRowOf(row: columns.AssignmentColumns): AssignmentRow {
  return {
    assignment: row.assignment,
    run: row.run,
    suite: row.suite,
    worker: row.worker,
    assignedAtMs: row.assigned_at_ms,
    tasks: row.tasks,
    rule: row.rule,
    fittingWorkers: row.fitting_workers,
    freeWorkers: row.free_workers,
    expectedMs: row.expected_ms,
  };
}

export function openAttemptRowOf(row: columns.OpenAttemptColumns): OpenAttemptRow {
  return {
    run: row.run,
    index: row.task_index,
    attempt: row.attempt,
    worker: row.worker,
    assignment: row.assignment,
    expectedMs: row.expected_ms,
    assignedAtMs: row.assigned_at_ms,
    startedAtMs: row.started_at_ms,
  };
}

export function requeuedAttemptOf(row: columns.RequeuedColumns): RequeuedAttempt {
  return { run: row.run, index: row.task_index, attempt: row.attempt, counts: countsOf(row) };
}

export function workerRowOf(row: columns.WorkerColumns): WorkerRow {
  return {
    worker: row.worker,
    name: row.name,
    pool: row.pool,
    slots: row.slots,
    agentVersion: row.agent_version,
    profileDigest: row.profile_digest,
    declared: JSON.parse(row.declared),
    state: row.state,
    firstSeenAtMs: row.first_seen_at_ms,
    lastChangeAtMs: row.last_change_at_ms,
  };
}

export function attemptRowOf(row: columns.AttemptColumns): AttemptRow {
  return {
    run: row.run,
    index: row.task_index,
    attempt: row.attempt,
    worker: row.worker,
    workerName: row.worker_name,
    profileDigest: row.profile_digest,
    assignment: row.assignment,
    expectedMs: row.expected_ms,
    assignedAtMs: row.assigned_at_ms,
    startedAtMs: row.started_at_ms,
    settledAtMs: row.settled_at_ms,
    workerStartedAtMs: row.worker_started_at_ms,
    workerEndedAtMs: row.worker_ended_at_ms,
    verdict: row.verdict,
    failure: row.failure === null ? null : (JSON.parse(row.failure) as AttemptFailure),
    counts: countsOf(row),
    costMs: row.cost_ms,
    startupMs: row.startup_ms,
    exitCode: row.exit_code,
    exitSignal: row.exit_signal,
    blobs: row.blobs === null ? [] : (JSON.parse(row.blobs) as BlobRef[]),
    seq: Number(row.seq),
    variant: row.variant,
  };
}

/** A row of list-tasks.sql, with the attempts of attempts-of-tasks.sql and their assignments by id. */
export function taskPartsOf(
  row: columns.TaskColumns,
  attempts: AttemptRow[],
  assignments: TaskParts['assignments'],
): TaskParts {
  const run = row.run;
  const index: number = row.task_index;
  const task: TaskRow = {
    run,
    index,
    suite: row.suite,
    target: row.target,
    expectedMs: row.expected_ms,
    queuedAtMs: row.queued_at_ms,
  };
  const settlement: SettlementRow | null =
    row.verdict === null
      ? null
      : {
          run,
          index,
          attempt: row.final_attempt,
          verdict: row.verdict,
          settledAtMs: row.settled_at_ms,
          variant: row.final_variant,
          diagnosis: row.diagnosis === null ? null : (JSON.parse(row.diagnosis) as Diagnosis),
          quarantined: row.quarantined === null ? null : (JSON.parse(row.quarantined) as QuarantineNote[]),
        };
  return {
    task,
    suite: row.suite_name ?? '',
    requires: row.requires ?? '',
    attempts,
    assignments,
    open: openOf(row, run, index),
    settlement,
  };
}

/** A row of list-cases.sql. */
export function storedCaseOf(row: columns.CaseColumns): StoredCaseRow {
  const failure =
    row.message === null
      ? {}
      : {
          failure: {
            message: row.message,
            ...(row.stack === null ? {} : { stack: row.stack }),
          },
        };
  const one: Case = {
    path: JSON.parse(row.path),
    status: row.status,
    durationMs: row.duration_ms,
    ...failure,
    ...(row.line === null ? {} : { line: row.line }),
    ...(row.runner_retries === null ? {} : { runnerRetries: row.runner_retries }),
  };
  return {
    run: row.run,
    index: row.task_index,
    attempt: row.attempt,
    ordinal: row.ordinal,
    case: one,
  };
}

/** A row of measurements-of-cases.sql. */
export function measurementOf(row: columns.MeasurementColumns): Measurement {
  const { metric, unit, value, direction, covariates } = row;
  const held = covariates === null ? {} : { covariates: JSON.parse(covariates) as Measurement['covariates'] };
  return { metric, unit, value, direction, ...held };
}

function openOf(row: columns.TaskColumns, run: RunId, index: number): TaskParts['open'] {
  if (row.open_attempt === null) return null;
  return {
    run,
    index,
    attempt: row.open_attempt,
    worker: row.open_worker,
    workerName: row.open_worker_name,
    assignment: row.open_assignment,
    expectedMs: row.open_expected_ms,
    assignedAtMs: row.open_assigned_at_ms,
    startedAtMs: row.open_started_at_ms,
  };
}

function countsOf(row: columns.RequeuedColumns | columns.RunColumns | columns.AttemptColumns): CaseCounts {
  return {
    passed: row.cases_passed,
    failed: row.cases_failed,
    skipped: row.cases_skipped,
    todo: row.cases_todo,
  };
}
