// What performing needs to know beyond the events themselves. The engine's state may be ahead of what is committed, so only
// facts that never change once a run exists may be asked for here.
import type { RunId, RunSpec, TaskCounts, TaskId } from '@assay/protocol';

export interface LiveFacts {
  /** The run's specification: fixed at submission. Null when the run is gone. */
  specOf(run: RunId): RunSpec | null;
  /** A task's target: fixed when it was queued. Null when the run is gone. */
  targetOf(task: TaskId): string | null;
  /** Counts of a settled run, which change no more. */
  countsOf(run: RunId): TaskCounts | null;
}
