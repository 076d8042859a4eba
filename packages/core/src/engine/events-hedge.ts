// What happened to duplicates of late attempts (scheduling/hedge.ts). Part of the events, see events.ts.
import type { AssignmentId, TaskId, WorkerId } from '@assay/protocol';

/** The duplicate of an attempt that goes on in its stead. */
export type HedgeSide = {
  attempt: number;
  worker: WorkerId;
  assignment: AssignmentId;
  expectedMs: number;
  assignedAtMs: number;
  startedAtMs: number | null;
};
/**
 * The duplicate of a task's attempt is over and counts for nothing: its number stays used, its cases are dropped. `atLeastMs`: for
 * so long it ran and was not done when it was told to stop.
 */
export type HedgeDropped = {
  kind: 'hedgeDropped';
  task: TaskId;
  attempt: number;
  worker: WorkerId;
  reason: string;
  atLeastMs?: number;
};
