// Stored values back to rows: the inverse of append.ts.
import type { AttemptFailure, BlobRef, Case, CaseCounts, RunId, TaskCounts, WorkerId } from '@assay/protocol';
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import type {
  AttemptRow,
  OpenAttemptRow,
  RunRow,
  SettlementRow,
  StoredCaseRow,
  TaskRow,
  WorkerRow,
} from '../../results/rows.ts';
import type { TaskParts } from '../../results/views.ts';
import { statements, type StatementName } from './statements.ts';

/** A row as DuckDB gives it. Columns are typed by the schema, which the migrations fix. */
export type Stored = Record<string, any>;

/** Asks one of the named questions. */
export async function ask(
  connection: DuckDBConnection,
  name: StatementName,
  values: Record<string, DuckDBValue> = {},
): Promise<Stored[]> {
  const reader = await connection.runAndReadAll(statements[name], values);
  return reader.getRowObjectsJS();
}

export function runRowOf(row: Stored): RunRow {
  return {
    run: row['run'] as RunId,
    seq: Number(row['seq']),
    submitter: row['submitter'],
    name: row['name'],
    project: row['project'],
    priority: row['priority'],
    labels: JSON.parse(row['labels']),
    state: row['state'],
    verdict: row['verdict'],
    isSealed: row['is_sealed'],
    isCanceled: row['is_canceled'],
    submittedAtMs: row['submitted_at_ms'],
    startedAtMs: row['started_at_ms'],
    settledAtMs: row['settled_at_ms'],
    tasks: {
      total: row['tasks_total'],
      queued: row['tasks_queued'],
      assigned: row['tasks_assigned'],
      running: row['tasks_running'],
      settled: row['tasks_settled'],
      verdicts: JSON.parse(row['tasks_verdicts']) as TaskCounts['verdicts'],
    },
    cases: countsOf(row),
    unplaceable: JSON.parse(row['unplaceable']),
  };
}

export function openAttemptRowOf(row: Stored): OpenAttemptRow {
  return {
    run: row['run'] as RunId,
    index: row['task_index'],
    attempt: row['attempt'],
    worker: row['worker'] as WorkerId,
    assignment: row['assignment'],
    expectedMs: row['expected_ms'],
    assignedAtMs: row['assigned_at_ms'],
    startedAtMs: row['started_at_ms'],
  };
}

export function workerRowOf(row: Stored): WorkerRow {
  return {
    worker: row['worker'] as WorkerId,
    name: row['name'],
    pool: row['pool'],
    slots: row['slots'],
    agentVersion: row['agent_version'],
    profileDigest: row['profile_digest'],
    declared: JSON.parse(row['declared']),
    state: row['state'],
    firstSeenAtMs: row['first_seen_at_ms'],
    lastChangeAtMs: row['last_change_at_ms'],
  };
}

export function attemptRowOf(row: Stored): AttemptRow {
  return {
    run: row['run'] as RunId,
    index: row['task_index'],
    attempt: row['attempt'],
    worker: row['worker'] as WorkerId | null,
    workerName: row['worker_name'],
    profileDigest: row['profile_digest'],
    assignment: row['assignment'],
    expectedMs: row['expected_ms'],
    assignedAtMs: row['assigned_at_ms'],
    startedAtMs: row['started_at_ms'],
    settledAtMs: row['settled_at_ms'],
    workerStartedAtMs: row['worker_started_at_ms'],
    workerEndedAtMs: row['worker_ended_at_ms'],
    verdict: row['verdict'],
    failure: row['failure'] === null ? null : (JSON.parse(row['failure']) as AttemptFailure),
    counts: countsOf(row),
    costMs: row['cost_ms'],
    startupMs: row['startup_ms'],
    exitCode: row['exit_code'],
    exitSignal: row['exit_signal'],
    blobs: row['blobs'] === null ? [] : (JSON.parse(row['blobs']) as BlobRef[]),
    seq: Number(row['seq']),
  };
}

/** A row of list-tasks.sql, with the attempts of attempts-of-tasks.sql. */
export function taskPartsOf(row: Stored, attempts: AttemptRow[]): TaskParts {
  const run = row['run'] as RunId;
  const index: number = row['task_index'];
  const task: TaskRow = {
    run,
    index,
    suite: row['suite'],
    target: row['target'],
    expectedMs: row['expected_ms'],
    queuedAtMs: row['queued_at_ms'],
  };
  const settlement: SettlementRow | null =
    row['verdict'] === null
      ? null
      : { run, index, attempt: row['final_attempt'], verdict: row['verdict'], settledAtMs: row['settled_at_ms'] };
  return {
    task,
    suite: row['suite_name'] ?? '',
    requires: row['requires'] ?? '',
    attempts,
    open: openOf(row, run, index),
    settlement,
  };
}

/** A row of list-cases.sql. */
export function storedCaseOf(row: Stored): StoredCaseRow {
  const failure =
    row['message'] === null
      ? {}
      : {
          failure: {
            message: row['message'] as string,
            ...(row['stack'] === null ? {} : { stack: row['stack'] as string }),
          },
        };
  const one: Case = {
    path: JSON.parse(row['path']),
    status: row['status'],
    durationMs: row['duration_ms'],
    ...failure,
    ...(row['line'] === null ? {} : { line: row['line'] as number }),
    ...(row['runner_retries'] === null ? {} : { runnerRetries: row['runner_retries'] as number }),
  };
  return {
    run: row['run'] as RunId,
    index: row['task_index'],
    attempt: row['attempt'],
    ordinal: row['ordinal'],
    case: one,
  };
}

function openOf(row: Stored, run: RunId, index: number): TaskParts['open'] {
  if (row['open_attempt'] === null) return null;
  return {
    run,
    index,
    attempt: row['open_attempt'],
    worker: row['open_worker'] as WorkerId,
    workerName: row['open_worker_name'],
    assignment: row['open_assignment'],
    expectedMs: row['open_expected_ms'],
    assignedAtMs: row['open_assigned_at_ms'],
    startedAtMs: row['open_started_at_ms'],
  };
}

function countsOf(row: Stored): CaseCounts {
  return {
    passed: row['cases_passed'],
    failed: row['cases_failed'],
    skipped: row['cases_skipped'],
    todo: row['cases_todo'],
  };
}
