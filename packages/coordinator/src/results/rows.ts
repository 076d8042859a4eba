// What the results store keeps, as rows: the output of the projection and the input of every adapter.
//
// Why it is apart: the projection decides what is stored, an adapter only how. What always holds: rows of tasks, attempts,
// settlements, cases, assignments, events and profiles are written once and never changed; rows of runs, workers and
// open attempts have a key, and a later row replaces the earlier one. Times are milliseconds since the epoch.
import type {
  AttemptFailure,
  BlobRef,
  Case,
  CaseCounts,
  Diagnosis,
  QuarantineNote,
  Measurement,
  Profile,
  RunId,
  TaskCounts,
  TaskId,
  Unplaceable,
  Verdict,
  WorkerId,
} from '@assay/protocol';

/** Key: run. `seq` is the journal's sequence of the submission, by which runs are ordered. */
export type RunRow = {
  run: RunId;
  seq: number;
  submitter: string;
  name: string;
  project: string;
  priority: number;
  labels: Record<string, string>;
  state: 'queued' | 'running' | 'settled';
  verdict: Verdict | null;
  isSealed: boolean;
  isCanceled: boolean;
  submittedAtMs: number;
  startedAtMs: number | null;
  settledAtMs: number | null;
  tasks: TaskCounts;
  cases: CaseCounts;
  unplaceable: (Unplaceable & { suite: number })[];
};

/** A suite of a run, without its environment: values there may be secret. */
export type SuiteRow = { run: RunId; suite: number; name: string; runner: string; directory: string; requires: string };

export type TaskRow = {
  run: RunId;
  index: number;
  suite: number;
  target: string;
  expectedMs: number | null;
  queuedAtMs: number;
};

/** One hand-over of tasks to a worker, and what the placement weighed. */
export type AssignmentRow = {
  assignment: string;
  run: RunId;
  suite: number;
  worker: WorkerId;
  assignedAtMs: number;
  tasks: number;
  rule: string;
  fittingWorkers: number;
  freeWorkers: number;
  expectedMs: number;
};

/** Key: run and index. An attempt under way: the lease of a task is exclusive, so there is one at most. */
export type OpenAttemptRow = {
  run: RunId;
  index: number;
  attempt: number;
  worker: WorkerId;
  assignment: string;
  expectedMs: number;
  assignedAtMs: number;
  startedAtMs: number | null;
};

/** An attempt that is over. `seq` is the journal's sequence that settled it. */
export type AttemptRow = {
  run: RunId;
  index: number;
  attempt: number;
  worker: WorkerId | null;
  workerName: string | null;
  profileDigest: string | null;
  assignment: string | null;
  expectedMs: number | null;
  assignedAtMs: number | null;
  /** Null where the start was only told together with the end. */
  startedAtMs: number | null;
  settledAtMs: number;
  /** Start and end by the worker's own clock; null where it reported no end. */
  workerStartedAtMs: number | null;
  workerEndedAtMs: number | null;
  verdict: Verdict;
  failure: AttemptFailure | null;
  counts: CaseCounts;
  costMs: number | null;
  startupMs: number | null;
  exitCode: number | null;
  exitSignal: string | null;
  blobs: BlobRef[];
  seq: number;
  /** The label of the configuration that ran instead of the suite's own. */
  variant: string | null;
};

/** The last attempt of a task that went back to the queue: what the task's verdict counts if it is canceled there. */
export type RequeuedAttempt = { run: RunId; index: number; attempt: number; counts: CaseCounts };

/** A task's verdict, and its last attempt; null where it had none (canceled while queued). */
export type SettlementRow = {
  run: RunId;
  index: number;
  attempt: number | null;
  verdict: Verdict;
  settledAtMs: number;
  /** The configuration that the verdict is of, where that is not the one asked for. */
  variant: string | null;
  diagnosis: Diagnosis | null;
  /** What of it was in quarantine. */
  quarantined: QuarantineNote[] | null;
};

/** What later evidence says of a settled task's trouble: it counts instead of what was said when it settled. */
export type RevisionRow = { run: RunId; index: number; seq: number; diagnosis: Diagnosis };

export type StoredCaseRow = { run: RunId; index: number; attempt: number; ordinal: number; case: Case };

/** One sample of a case; `ordinal` is the case's, `sample` its place in it. A stored case has its measurements here alone. */
export type MeasurementRow = {
  run: RunId;
  index: number;
  attempt: number;
  ordinal: number;
  sample: number;
  measurement: Measurement;
};

/** Key: worker. */
export type WorkerRow = {
  worker: WorkerId;
  name: string;
  pool: string;
  slots: number;
  agentVersion: string;
  profileDigest: string;
  declared: Record<string, string | number | boolean>;
  state: 'connected' | 'draining' | 'disconnected' | 'lost' | 'left' | 'forgotten';
  firstSeenAtMs: number;
  lastChangeAtMs: number;
};

export type ProfileRow = { digest: string; profile: Profile; firstSeenAtMs: number };

/** What has no row of its own and still belongs on a timeline. (`seq`, `ordinal`) is unique. */
export type EventRow = {
  seq: number;
  ordinal: number;
  atMs: number;
  kind: string;
  run: RunId | null;
  index: number | null;
  attempt: number | null;
  worker: WorkerId | null;
  detail: string | null;
};

/** Everything that a number of journal entries add. Rows with a key replace the stored ones; `closed` leave `open`. */
export type RowBatch = {
  runs: RunRow[];
  /** Runs of `runs` that have a row already. */
  replacedRuns: RunId[];
  suites: SuiteRow[];
  tasks: TaskRow[];
  assignments: AssignmentRow[];
  open: OpenAttemptRow[];
  closed: TaskId[];
  attempts: AttemptRow[];
  settlements: SettlementRow[];
  revisions: RevisionRow[];
  cases: StoredCaseRow[];
  measurements: MeasurementRow[];
  /** Attempts whose cases and measurements, stored by earlier batches, are taken out again: duplicates that came second. */
  dropped: { run: RunId; index: number; attempt: number }[];
  /** Projects whose runs submitted before this journal sequence are to go, those of this batch too. */
  erased: { project: string; beforeSeq: number }[];
  workers: WorkerRow[];
  profiles: ProfileRow[];
  events: EventRow[];
};

/** The index of a task in its run, from its id. */
export function taskIndexOf(task: TaskId): number {
  return Number(task.slice(task.lastIndexOf('.') + 1));
}
