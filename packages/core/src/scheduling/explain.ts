// Why a task waits, or was placed where it was: counted reasons, each with the number of workers that it excludes. Walks
// over classes, workers and tasks as it likes: it is asked for by people, one task at a time.
import type { Explanation, PlacementView, TaskId } from '@assay/protocol';
import { taskIdOf } from '../engine/ids.ts';
import type { EngineConfig } from '../engine/config.ts';
import { findTask } from '../engine/lookup.ts';
import type { AttemptRecord, RunRecord, State, TaskRecord, WorkerRecord } from '../engine/state.ts';
import { present } from '../kernel/assert.ts';
import { isLaneBefore } from './order.ts';
import { whyDevicesSetAside, whySetAside } from '../engine/view-health.ts';
import type { Lane, RequirementGroup } from './index-types.ts';
import { predict } from './predict.ts';

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

function explainWaiting(
  state: State,
  config: EngineConfig,
  run: RunRecord,
  task: TaskRecord,
  nowMs: number,
): Explanation {
  const lane = present(run.lanes[task.suite], 'lane');
  const { group } = lane;
  const waitedMs = task.state.kind === 'queued' ? Math.max(0, nowMs - task.state.sinceMs) : 0;
  const avoid = task.state.kind === 'queued' ? task.state.avoidWorker : null;
  const counted = new Map<string, number>();
  const count = (reason: string): void => void counted.set(reason, (counted.get(reason) ?? 0) + 1);
  let fitting = 0;
  for (const worker of state.workers.values()) {
    const fit = group.fits.get(worker.class);
    if (fit?.kind === 'misfits' && worker.whole !== null && group.fitting.has(worker.whole)) {
      count(whyDevicesSetAside(worker));
    } else if (fit?.kind === 'misfits') for (const reason of fit.reasons) count(reason);
    else {
      fitting += 1;
      const reason = whyNot(worker, avoid);
      if (reason !== null) count(reason);
    }
  }
  if (state.workers.size === 0) counted.set('no worker ever connected', 0);
  const ahead = countAhead(state, config, lane, task);
  const reasons = [...counted]
    .map(([reason, workers]) => ({ reason, workers }))
    .sort((a, b) => b.workers - a.workers || (a.reason < b.reason ? -1 : 1));
  const summary =
    fitting === 0
      ? `Waits for a worker that meets its requirement; of ${state.workers.size} known, none does.`
      : `Waits for a free slot: ${fitting} of ${state.workers.size} workers fit, ${ahead} tasks are ahead. Waited ${Math.round(waitedMs / 1000)} s.`;
  return { task: taskIdOf(run.run, task.index), state: 'queued', summary, reasons, aheadInQueue: ahead };
}

/** Why a worker that fits does not take the task now. */
function whyNot(worker: WorkerRecord, avoid: WorkerRecord['worker'] | null): string | null {
  switch (worker.state.kind) {
    case 'draining':
      return 'draining: takes no new work';
    case 'disconnected':
      return 'disconnected: may come back';
    case 'lost':
      return 'lost: fell silent or did not come back';
    case 'left':
      return 'left';
    case 'connected':
      if (worker.isSetAside) return whySetAside(worker);
      if (worker.assignments.size >= worker.slots) return 'busy: fits, but has no free slot';
      return worker.worker === avoid ? 'the last attempt failed there through no fault of the test' : null;
  }
}

/** Queued tasks that go first and want workers of the same requirement. */
function countAhead(state: State, config: EngineConfig, lane: Lane, task: TaskRecord): number {
  let ahead = 0;
  for (const other of lane.group.lanes) if (other !== lane && isLaneBefore(other, lane)) ahead += other.queued;
  const expectedMs = predict(state, config, lane, task);
  for (const other of lane.run.tasks) {
    if (other === task || other.suite !== task.suite || other.state.kind !== 'queued') continue;
    const otherMs = predict(state, config, lane, other);
    if (otherMs > expectedMs || (otherMs === expectedMs && other.index < task.index)) ahead += 1;
  }
  return ahead;
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
