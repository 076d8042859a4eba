// How events change duplicates, and what is learned where one of two attempts of a task is stopped. Part of evolve.
import { assert, present } from '../kernel/assert.ts';
import { noteOutcome } from '../scheduling/calibration.ts';
import { learnBound } from '../scheduling/durations.ts';
import { laneOf } from '../scheduling/lanes.ts';
import type { AttemptRecord, RunRecord, State, TaskRecord } from './state.ts';

export function beginHedge(run: RunRecord, task: TaskRecord, hedge: AttemptRecord): void {
  assert(task.state.kind === 'running' && task.hedge === null, 'only what runs has a duplicate, and one');
  task.hedge = hedge;
  run.hedges += 1;
}

export function endHedge(run: RunRecord, task: TaskRecord): AttemptRecord {
  const hedge = present(task.hedge, 'duplicate');
  task.hedge = null;
  run.hedges -= 1;
  return hedge;
}

/** What a race lost took at least. */
export function measureBound(
  state: State,
  run: RunRecord,
  task: TaskRecord,
  attempt: AttemptRecord,
  atLeastMs: number,
  atMs: number,
): void {
  if (attempt.worker === null) return;
  const { class: capability } = present(state.workers.get(attempt.worker), 'worker of an attempt');
  const { suiteKey } = laneOf(run, task.suite);
  const seen = { suiteKey, target: task.target, capability, costMs: atLeastMs, startupMs: undefined, atMs };
  const suite = learnBound(state, seen, attempt.expectedMs);
  if (suite !== null) noteOutcome(suite, attempt.expectedMs, atLeastMs);
}
