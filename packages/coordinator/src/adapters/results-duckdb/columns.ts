// The columns of what the .sql files return, as the schema's migrations make them and DuckDB gives them to JavaScript:
// BIGINT is a bigint, everything that may be NULL says so. The one place where the database's types are trusted.
import type { Case, Measurement, RunId, Verdict, WorkerId } from '@assay/protocol';
import type { RunRow, WorkerRow } from '../../results/rows.ts';

type Counts = { cases_passed: number; cases_failed: number; cases_skipped: number; cases_todo: number };

export type AppliedSeqColumns = { value: bigint };

export type RunColumns = Counts & {
  run: RunId;
  seq: bigint;
  submitter: string;
  name: string;
  project: string;
  priority: number;
  labels: string;
  state: RunRow['state'];
  verdict: Verdict | null;
  is_sealed: boolean;
  is_canceled: boolean;
  submitted_at_ms: number;
  started_at_ms: number | null;
  settled_at_ms: number | null;
  tasks_total: number;
  tasks_queued: number;
  tasks_assigned: number;
  tasks_running: number;
  tasks_settled: number;
  tasks_verdicts: string;
  unplaceable: string;
};

export type AssignmentColumns = {
  assignment: string;
  run: RunId;
  suite: number;
  worker: WorkerId;
  assigned_at_ms: number;
  tasks: number;
  rule: string;
  fitting_workers: number;
  free_workers: number;
  expected_ms: number;
};

export type OpenAttemptColumns = {
  run: RunId;
  task_index: number;
  attempt: number;
  worker: WorkerId;
  assignment: string;
  expected_ms: number;
  assigned_at_ms: number;
  started_at_ms: number | null;
};

export type RequeuedColumns = Counts & { run: RunId; task_index: number; attempt: number };

export type WorkerColumns = {
  worker: WorkerId;
  name: string;
  pool: string;
  slots: number;
  agent_version: string;
  profile_digest: string;
  declared: string;
  state: WorkerRow['state'];
  first_seen_at_ms: number;
  last_change_at_ms: number;
};

export type ProfileColumns = { digest: string };

export type AttemptColumns = Counts & {
  run: RunId;
  task_index: number;
  attempt: number;
  worker: WorkerId | null;
  worker_name: string | null;
  profile_digest: string | null;
  assignment: string | null;
  expected_ms: number | null;
  assigned_at_ms: number | null;
  started_at_ms: number | null;
  settled_at_ms: number;
  worker_started_at_ms: number | null;
  worker_ended_at_ms: number | null;
  verdict: Verdict;
  failure: string | null;
  cost_ms: number | null;
  startup_ms: number | null;
  exit_code: number | null;
  exit_signal: string | null;
  blobs: string | null;
  seq: bigint;
  variant: string | null;
};

/** Of list-tasks.sql: a task with its suite, its open attempt (all `open_` columns or none) and its settlement. */
export type TaskColumns = {
  run: RunId;
  task_index: number;
  suite: number;
  target: string;
  expected_ms: number | null;
  queued_at_ms: number;
  suite_name: string | null;
  requires: string | null;
  open_attempt: number | null;
  open_worker: WorkerId;
  open_worker_name: string | null;
  open_assignment: string;
  open_expected_ms: number;
  open_assigned_at_ms: number;
  open_started_at_ms: number | null;
  final_attempt: number | null;
  verdict: Verdict | null;
  settled_at_ms: number;
  final_variant: string | null;
  diagnosis: string | null;
  quarantined: string | null;
};

/** Of measurements-of-cases.sql. */
export type MeasurementColumns = {
  task_index: number;
  attempt: number;
  ordinal: number;
  metric: string;
  unit: string;
  value: number;
  direction: Measurement['direction'];
  covariates: string | null;
};

/** Of list-cases.sql. */
export type CaseColumns = {
  run: RunId;
  task_index: number;
  attempt: number;
  ordinal: number;
  path: string;
  status: Case['status'];
  duration_ms: number;
  message: string | null;
  stack: string | null;
  line: number | null;
  runner_retries: number | null;
  target: string | null;
  suite_name: string | null;
  worker: WorkerId | null;
  final_attempt: number | null;
};
