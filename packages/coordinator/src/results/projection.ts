// The projection of the journal onto rows: pure, synchronous, in order of the entries.
//
// Why it is apart from the stores: what the rows say is decided once, and tested without a database. What always holds:
//   - the rows depend on the entries alone, never on how they were split into batches: the state below is exactly what
//     a store can load again (`ResumeState`), so that a restart between two entries changes nothing;
//   - a case is stored because a `casesRecorded` event names it, never because a report carries it: refused and
//     repeated reports make no rows;
//   - events of a run that this store never saw (its rows were lost, the journal has dropped its start) are counted in
//     `unknownRuns` and leave no rows, rather than rows that join with nothing.
import type { AttemptOutcome, Report, RunId, TaskId, WorkerId } from '@assay/protocol';
import type { Event } from '@assay/core';
import type { JournalEntry } from '../ports/journal.ts';
import { projectAttemptEvent } from './project-attempt-event.ts';
import { projectRunEvent } from './project-run-event.ts';
import { projectWorkerEvent } from './project-worker-event.ts';
import type { OpenAttemptRow, RowBatch, RunRow, WorkerRow } from './rows.ts';
import { taskIndexOf } from './rows.ts';

/** What a store loads at open: runs that are not settled, their open attempts, the workers and the known profiles. */
export type ResumeState = {
  runs: RunRow[];
  open: OpenAttemptRow[];
  workers: WorkerRow[];
  profileDigests: string[];
};

/** The state of the projection; `batch` gathers the rows since the last `takeBatch`. */
export type Projection = {
  readonly runs: Map<RunId, RunRow>;
  readonly open: Map<TaskId, OpenAttemptRow>;
  readonly workers: Map<WorkerId, WorkerRow>;
  readonly profileDigests: Set<string>;
  unknownRuns: number;
  batch: Pending;
};

/** Rows in the making. Keyed rows are named here and copied when the batch is taken, so that each is written once. */
export type Pending = Omit<RowBatch, 'runs' | 'open' | 'closed' | 'workers'> & {
  runs: Set<RunRow>;
  workers: Map<WorkerId, WorkerRow>;
  /** Tasks whose open attempt changed, and whether the store has a row of an earlier one. */
  touched: Map<TaskId, boolean>;
};

/** Reports by sequence, and outcomes by task and attempt (`task#attempt`). */
export type ReportIndex = { bySeq: Map<number, Report>; outcomes: Map<string, AttemptOutcome> };

/** One entry on its way through: the events' shared context. */
export type EntryContext = {
  readonly entry: JournalEntry;
  /** Attempts that settled their task in this entry, by task. */
  readonly settling: Map<TaskId, number>;
  /** The reports of the entry's input, once something asked for them. */
  reports: ReportIndex | null;
  /** Ordinal of the next event row. */
  ordinal: number;
};

export const nothingToResume: ResumeState = { runs: [], open: [], workers: [], profileDigests: [] };

export function createProjection(from: ResumeState): Projection {
  return {
    runs: new Map(from.runs.map((row) => [row.run, row])),
    open: new Map(from.open.map((row) => [`${row.run}.${row.index}` as TaskId, row])),
    workers: new Map(from.workers.map((row) => [row.worker, row])),
    profileDigests: new Set(from.profileDigests),
    unknownRuns: 0,
    batch: emptyPending(),
  };
}

/** Adds the rows of one entry to the batch. */
export function project(projection: Projection, entry: JournalEntry): void {
  const context: EntryContext = { entry, settling: new Map(), reports: null, ordinal: 0 };
  for (const event of entry.events) projectEvent(projection, context, event);
  // At the end of the entry, not of the batch: what a later entry finds must not depend on where a batch ended.
  for (const event of entry.events) {
    if (event.kind === 'runSettled') projection.runs.delete(event.run);
    else if (event.kind === 'workerForgotten') projection.workers.delete(event.worker);
  }
}

/** The rows since the last call; what is left stays consistent with a store that wrote them. */
export function takeBatch(projection: Projection): RowBatch {
  const { runs, workers, touched, ...written } = projection.batch;
  const batch: RowBatch = {
    ...written,
    runs: [...runs].map((row) => structuredClone(row)),
    workers: [...workers.values()].map((row) => ({ ...row })),
    open: [],
    closed: [],
  };
  for (const [task, wasStored] of touched) {
    const open = projection.open.get(task);
    if (wasStored) batch.closed.push(task);
    if (open) batch.open.push({ ...open });
  }
  projection.batch = emptyPending();
  return batch;
}

/** Opens, replaces or (null) closes the attempt of a task, and remembers that its row changes. */
export function setOpen(projection: Projection, task: TaskId, row: OpenAttemptRow | null): void {
  const { touched } = projection.batch;
  if (!touched.has(task)) touched.set(task, projection.open.has(task));
  if (row) projection.open.set(task, row);
  else projection.open.delete(task);
}

/** The row of a run that is not settled yet, marked as changed; null when this store never saw it. */
export function changeRun(projection: Projection, run: RunId): RunRow | null {
  const row = projection.runs.get(run);
  if (!row) {
    projection.unknownRuns += 1;
    return null;
  }
  projection.batch.runs.add(row);
  return row;
}

/** A row of the timeline. */
export function recordEvent(
  projection: Projection,
  context: EntryContext,
  kind: string,
  about: { task?: TaskId | null; run?: RunId; attempt?: number; worker?: WorkerId | null; detail?: unknown },
): void {
  const { task } = about;
  projection.batch.events.push({
    seq: context.entry.seq,
    ordinal: context.ordinal,
    atMs: context.entry.atMs,
    kind,
    run: about.run ?? (task ? (task.slice(0, task.lastIndexOf('.')) as RunId) : null),
    index: task ? taskIndexOf(task) : null,
    attempt: about.attempt ?? null,
    worker: about.worker ?? null,
    detail: about.detail === undefined ? null : JSON.stringify(about.detail),
  });
  context.ordinal += 1;
}

function projectEvent(projection: Projection, context: EntryContext, event: Event): void {
  switch (event.kind) {
    case 'runSubmitted':
    case 'tasksQueued':
    case 'runUnplaceable':
    case 'runCancelRequested':
    case 'runSettled':
    case 'runRetired':
    case 'taskSettled':
      return projectRunEvent(projection, context, event);
    case 'tasksAssigned':
    case 'attemptStarted':
    case 'casesRecorded':
    case 'attemptSettled':
    case 'tasksReturned':
    case 'takeBackRequested':
    case 'cancelSent':
    case 'reportsRefused':
      return projectAttemptEvent(projection, context, event);
    case 'workerJoined':
    case 'workerRefused':
    case 'profileChanged':
    case 'workerDisconnected':
    case 'workerLost':
    case 'workerDraining':
    case 'workerLeft':
    case 'workerForgotten':
    case 'linksReset':
      return projectWorkerEvent(projection, context, event);
    case 'reportsAccepted':
    case 'historyTrimmed':
      return;
  }
}

function emptyPending(): Pending {
  return {
    runs: new Set(),
    workers: new Map(),
    touched: new Map(),
    suites: [],
    tasks: [],
    assignments: [],
    attempts: [],
    settlements: [],
    cases: [],
    profiles: [],
    events: [],
  };
}
