// Why a task waits, or was placed where it was: counted reasons, each with the number of workers that it excludes. Walks
// over classes, workers and tasks as it likes: it is asked for by people, one task at a time.
import type { Explanation, PlacementView, TaskId } from '@assay/protocol';
import type { EngineConfig } from '../engine/config.ts';
import { findTask } from '../engine/lookup.ts';
import type { AttemptRecord, State, TaskRecord } from '../engine/state.ts';
import { explainWaiting } from './explain-waiting.ts';
import type { RequirementGroup } from './index-types.ts';

export type CountedReason = { reason: string; workers: number };

export function explainTask(state: State, config: EngineConfig, id: TaskId, nowMs: number): Explanation | null {
  const found = findTask(state, id);
  if (found === null) return null;
  const { run, task } = found;
  if (task.state.kind === 'queued') return explainWaiting(state, config, run, task, nowMs);
  const attempt = task.attempts.at(-1);
  const placement = attempt === undefined ? null : placementOf(attempt);
  return {
    task: id,
    state: task.state.kind,
    summary: summaryOfPlaced(state, task),
    reasons: [],
    ...(placement === null ? {} : { placement }),
    ...(task.state.kind === 'settled' && task.state.diagnosis !== undefined ? { diagnosis: task.state.diagnosis } : {}),
  };
}

/** Why an attempt is where it is; null where no worker ever had it. */
export function placementOf(attempt: AttemptRecord): PlacementView | null {
  const { worker, assignedAtMs: atMs, expectedMs, batch, placement } = attempt;
  if (placement === null || worker === null) return null;
  const { rule, fittingWorkers, freeWorkers } = placement;
  return { worker, atMs, rule, fittingWorkers, freeWorkers, expectedMs, batch };
}

function summaryOfPlaced(state: State, task: TaskRecord): string {
  const attempt = task.attempts.at(-1);
  const name =
    attempt?.worker === undefined || attempt.worker === null
      ? null
      : (state.workers.get(attempt.worker)?.name ?? attempt.worker);
  if (task.state.kind === 'settled') {
    if (attempt === undefined) return `Settled as ${task.state.verdict}; it was never given to a worker.`;
    const why =
      attempt.state.kind === 'settled' && attempt.state.failure !== undefined
        ? `: ${attempt.state.failure.message}`
        : '';
    return `Settled as ${task.state.verdict}${name === null ? '' : ` on ${name}`}${why}`;
  }
  const what =
    attempt?.state.kind === 'canceling'
      ? 'Is being stopped'
      : task.state.kind === 'running'
        ? 'Runs'
        : 'Was handed over and waits its turn';
  return `${what} on ${name ?? 'a worker'}: ${attempt?.placement?.rule ?? ''}.`;
}

/** Why no worker is possible for a requirement, each reason with the workers that it excludes. */
export function misfitReasons(state: State, group: RequirementGroup): CountedReason[] {
  const counted = new Map<string, number>();
  for (const worker of state.workers.values()) {
    if (worker.state.kind === 'lost' || worker.state.kind === 'left') continue;
    const fit = group.fits.get(worker.class);
    const reasons = fit?.kind === 'misfits' ? fit.reasons : ['draining: takes no new work'];
    for (const reason of reasons) counted.set(reason, (counted.get(reason) ?? 0) + 1);
  }
  if (counted.size === 0) return [{ reason: 'no worker is connected', workers: 0 }];
  return [...counted].map(([reason, workers]) => ({ reason, workers }));
}
