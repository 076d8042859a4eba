// From stored rows to the views of the API. Shared by every results store, so that both say the same of the same rows.
import {
  taskIdOf,
  type AttemptView,
  type CaseRow,
  type PlacementView,
  type RunView,
  type TaskView,
} from '@assay/protocol';
import type {
  AssignmentRow,
  AttemptRow,
  MeasurementRow,
  OpenAttemptRow,
  RunRow,
  SettlementRow,
  StoredCaseRow,
  TaskRow,
} from './rows.ts';

/** A task with all that hangs on it; attempts in order of their number. */
export type TaskParts = {
  task: TaskRow;
  suite: string;
  requires: string;
  attempts: AttemptRow[];
  open: (OpenAttemptRow & { workerName: string | null }) | null;
  /** By id, at least those that brought these attempts. */
  assignments: ReadonlyMap<string, AssignmentRow>;
  settlement: SettlementRow | null;
};

export function runViewOf(row: RunRow): RunView {
  return {
    run: row.run,
    name: row.name,
    project: row.project,
    submitter: row.submitter,
    priority: row.priority,
    state: row.state,
    ...present({ verdict: row.verdict }),
    isSealed: row.isSealed,
    isCanceled: row.isCanceled,
    submittedAtMs: row.submittedAtMs,
    ...present({ startedAtMs: row.startedAtMs, settledAtMs: row.settledAtMs }),
    tasks: row.tasks,
    cases: row.cases,
    unplaceable: row.unplaceable.map(({ requires, tasks, reasons }) => ({ requires, tasks, reasons })),
    labels: row.labels,
  };
}

export function taskViewOf(parts: TaskParts): TaskView {
  const { task, settlement, open, assignments } = parts;
  const attempts = parts.attempts.map((row) => attemptViewOf(row, assignments));
  // The attempt that settled a task may still be listed as open only in a store that was cut in the middle: never both.
  if (open) attempts.push(openAttemptViewOf(open, assignments));
  const expectedMs = open?.expectedMs ?? parts.attempts.at(-1)?.expectedMs ?? task.expectedMs;
  return {
    task: taskIdOf(task.run, task.index),
    run: task.run,
    suite: parts.suite,
    target: task.target,
    requires: parts.requires,
    state: stateOf(parts),
    ...present({
      verdict: settlement?.verdict ?? null,
      queuedAtMs: task.queuedAtMs,
      settledAtMs: settlement?.settledAtMs ?? null,
      expectedMs,
      variant: settlement?.variant ?? null,
      diagnosis: settlement?.diagnosis ?? null,
      quarantined: settlement?.quarantined ?? null,
    }),
    attempts,
  };
}

/** A stored case with its measurements, which are in rows of their own, in order. */
export function withMeasurements(
  row: StoredCaseRow,
  measured: readonly Pick<MeasurementRow, 'measurement'>[],
): StoredCaseRow {
  if (measured.length === 0) return row;
  return { ...row, case: { ...row.case, measurements: measured.map(({ measurement }) => measurement) } };
}

/** `final` is the attempt that settled the task, null while none did. */
export function caseRowOf(
  row: StoredCaseRow,
  about: { suite: string; target: string; worker: CaseRow['worker']; final: number | null },
): CaseRow {
  return {
    task: taskIdOf(row.run, row.index),
    attempt: row.attempt,
    ordinal: row.ordinal,
    suite: about.suite,
    target: about.target,
    worker: about.worker,
    isFinal: about.final === row.attempt,
    case: row.case,
  };
}

function stateOf({ settlement, open }: TaskParts): TaskView['state'] {
  if (settlement) return 'settled';
  if (!open) return 'queued';
  return open.startedAtMs === null ? 'assigned' : 'running';
}

function attemptViewOf(row: AttemptRow, assignments: TaskParts['assignments']): AttemptView {
  return {
    attempt: row.attempt,
    worker: row.worker,
    workerName: row.workerName,
    ...present({ assignedAtMs: row.assignedAtMs, startedAtMs: row.startedAtMs }),
    settledAtMs: row.settledAtMs,
    verdict: row.verdict,
    ...present({ failure: row.failure }),
    counts: row.counts,
    ...present({
      costMs: row.costMs,
      startupMs: row.startupMs,
      placement: placementOf(row, assignments),
      variant: row.variant,
    }),
    blobs: row.blobs,
  };
}

function openAttemptViewOf(row: NonNullable<TaskParts['open']>, assignments: TaskParts['assignments']): AttemptView {
  const { attempt, worker, workerName, assignedAtMs, startedAtMs } = row;
  const placement = placementOf(row, assignments);
  return { attempt, worker, workerName, assignedAtMs, ...present({ startedAtMs, placement }), blobs: [] };
}

/** Null where no worker ever had the attempt, and where the journal that was read lacks the hand-over. */
function placementOf(
  { assignment, expectedMs }: Pick<AttemptRow, 'assignment' | 'expectedMs'>,
  assignments: TaskParts['assignments'],
): PlacementView | null {
  const row = assignment === null ? undefined : assignments.get(assignment);
  if (row === undefined || expectedMs === null) return null;
  const { worker, assignedAtMs: atMs, rule, fittingWorkers, freeWorkers, tasks: batch } = row;
  return { worker, atMs, rule, fittingWorkers, freeWorkers, expectedMs, batch };
}

/** The members that are not null: the views leave out what is not known. */
function present<Members extends Record<string, unknown>>(
  members: Members,
): { [Key in keyof Members]?: NonNullable<Members[Key]> } {
  const entries = Object.entries(members).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Members]?: NonNullable<Members[Key]> };
}
