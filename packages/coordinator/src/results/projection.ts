// The state of the projection (see project.ts), and the rows that it has in the making.
// What always holds: the state is exactly what a store can load again (`ResumeState`), so that a restart between two
// entries changes nothing.
import {
  taskIdOf,
  type AttemptOutcome,
  type CaseCounts,
  type Report,
  type RunId,
  type TaskId,
  type WorkerId,
} from '@assay/protocol';
import type { JournalEntry } from '../ports/journal.ts';
import type { OpenAttemptRow, RequeuedAttempt, RowBatch, RunRow, WorkerRow } from './rows.ts';
import { taskIndexOf } from './rows.ts';

/** What a store loads at open: runs that are not settled, their attempts under way or to be repeated, the workers and the known profiles. */
export type ResumeState = {
  runs: RunRow[];
  open: OpenAttemptRow[];
  requeued: RequeuedAttempt[];
  workers: WorkerRow[];
  profileDigests: string[];
};

/** The state of the projection; `batch` gathers the rows since the last `takeBatch`. */
export type Projection = {
  readonly runs: Map<RunId, RunRow>;
  readonly open: Map<TaskId, OpenAttemptRow>;
  /** Attempts that are over and whose task is not settled. */
  readonly requeued: Map<TaskId, RequeuedAttempt>;
  readonly workers: Map<WorkerId, WorkerRow>;
  readonly profileDigests: Set<string>;
  unknownRuns: number;
  batch: Pending;
};

/** Rows in the making. Keyed rows are named here and copied when the batch is taken, so that each is written once. */
export type Pending = Omit<RowBatch, 'runs' | 'replacedRuns' | 'open' | 'closed' | 'workers'> & {
  /** Changed runs, and whether the store has a row of them. */
  runs: Map<RunRow, boolean>;
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
  readonly settling: Map<TaskId, { attempt: number; counts: CaseCounts }>;
  /** The reports of the entry's input, once something asked for them. */
  reports: ReportIndex | null;
  /** Ordinal of the next event row. */
  ordinal: number;
};

export const nothingToResume: ResumeState = { runs: [], open: [], requeued: [], workers: [], profileDigests: [] };

export function createProjection(from: ResumeState): Projection {
  return {
    runs: new Map(from.runs.map((row) => [row.run, row])),
    open: new Map(from.open.map((row) => [taskIdOf(row.run, row.index), row])),
    requeued: new Map(from.requeued.map((row) => [taskIdOf(row.run, row.index), row])),
    workers: new Map(from.workers.map((row) => [row.worker, row])),
    profileDigests: new Set(from.profileDigests),
    unknownRuns: 0,
    batch: emptyPending(),
  };
}

/** The rows since the last call; what is left stays consistent with a store that wrote them. */
export function takeBatch(projection: Projection): RowBatch {
  const { runs, workers, touched, ...written } = projection.batch;
  const batch: RowBatch = {
    ...written,
    runs: [...runs.keys()].map((row) => structuredClone(row)),
    replacedRuns: [...runs].filter(([, isStored]) => isStored).map(([row]) => row.run),
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
  if (!projection.batch.runs.has(row)) projection.batch.runs.set(row, true);
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

function emptyPending(): Pending {
  return {
    runs: new Map(),
    workers: new Map(),
    touched: new Map(),
    suites: [],
    tasks: [],
    assignments: [],
    attempts: [],
    settlements: [],
    revisions: [],
    cases: [],
    measurements: [],
    dropped: [],
    erased: [],
    profiles: [],
    events: [],
  };
}
