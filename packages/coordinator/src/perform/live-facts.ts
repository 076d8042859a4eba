// What performing needs to know beyond the events themselves. The engine's state may be ahead of what is committed, so only
// facts that never change once a run exists may be asked for here.
import type { ShutGate, State } from '@assay/core';
import { runIdOf, type RunId, type RunSpec, type TaskCounts, type TaskId, type WorkerId } from '@assay/protocol';

export interface LiveFacts {
  /** The run's specification: fixed at submission. Null when the run is gone. */
  specOf(run: RunId): RunSpec | null;
  /** A task's target: fixed when it was queued. Null when the run is gone. */
  targetOf(task: TaskId): string | null;
  /** Whether the attempt is the task's current one and this worker's, as far as is known now. */
  isHeldBy(worker: WorkerId, task: TaskId, attempt: number): boolean;
  /** The gates of a worker that are shut, as far as is known now. */
  gatesOf(worker: WorkerId): readonly ShutGate[];
  /** Counts of a settled run, which change no more. */
  countsOf(run: RunId): TaskCounts | null;
}

/** The same facts read from the engine's state. */
export function liveFactsOf(state: State): LiveFacts {
  const recordOf = (task: TaskId) =>
    state.runs.get(runIdOf(task))?.tasks[Number(task.slice(task.lastIndexOf('.') + 1))];
  return {
    specOf: (run) => state.runs.get(run)?.spec ?? null,
    targetOf: (task) => recordOf(task)?.target ?? null,
    countsOf: (run) => {
      const record = state.runs.get(run);
      return record === undefined
        ? null
        : { total: record.tasks.length, ...record.counts, verdicts: { ...record.verdicts } };
    },
    gatesOf: (worker) => [...(state.workers.get(worker)?.health.gates.values() ?? [])],
    isHeldBy: (worker, task, attempt) => {
      const record = recordOf(task);
      for (const one of [record?.attempts.at(-1), record?.hedge])
        if (one?.attempt === attempt && one.worker === worker && one.state.kind !== 'settled') return true;
      return false;
    },
  };
}
