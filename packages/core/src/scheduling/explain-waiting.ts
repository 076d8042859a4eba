// Why a task waits: what holds it wherever it would go, what keeps each worker from it (counted), when it can be expected to start,
// and which single changes would let it start now. Walks over workers and tasks as it likes: people ask, one task at a time.
//
// How the changes are found: everything that stands between the task and each worker is listed. Where exactly one thing does, that
// thing is a change that would do; what stands before all workers alike (a key, a dependency) counts once. So a change that is
// named is true: were it made, nothing else that is known would be in the way.
import type { Explanation } from '@assay/protocol';
import { reasonOf, stopOf } from '../circuits/stops.ts';
import type { EngineConfig } from '../engine/config.ts';
import { taskIdOf } from '../engine/ids.ts';
import { dueMs, nextOf } from '../engine/ops/open-alternatives.ts';
import type { RunRecord, State, TaskRecord, WorkerRecord } from '../engine/state.ts';
import { whyDevicesSetAside, whySetAside } from '../engine/view-health.ts';
import { present } from '../kernel/assert.ts';
import { admissionReasons } from './admission.ts';
import type { AdmissionReason } from './admission.ts';
import { expectedStart } from './expected-start.ts';
import { keepForGangs } from './gang-seats.ts';
import { fellowsOf, isWhole } from './gangs.ts';
import { whyKept } from './hold.ts';
import type { Lane } from './index-types.ts';
import { countAhead } from './queue-ahead.ts';

type Change = NonNullable<Explanation['changes']>[number];
/** One thing in the way. `change` says what would take it away; `effort` orders the changes, the smallest first. */
type Obstacle = { readonly reason: string; readonly change: Change; readonly effort: number };

const changesMax = 5;

export function explainWaiting(
  state: State,
  config: EngineConfig,
  run: RunRecord,
  task: TaskRecord,
  nowMs: number,
): Explanation {
  const lane = present(run.lanes[task.suite], 'lane');
  // What placement notes for itself, and forgets again.
  keepForGangs(state, config, nowMs);
  try {
    return explainLane(state, config, lane, task, nowMs);
  } finally {
    state.index.keptFor.clear();
  }
}

function explainLane(state: State, config: EngineConfig, lane: Lane, task: TaskRecord, nowMs: number): Explanation {
  const { run } = lane;
  const everywhere = beforeAll(state, lane, task, nowMs);
  const counted = new Map<string, number>();
  const count = (reason: string): void => void counted.set(reason, (counted.get(reason) ?? 0) + 1);
  const single: Obstacle[] = [];
  let fitting = 0;
  let clear = 0;
  for (const worker of state.workers.values()) {
    const obstacles = before(state, lane, task, worker, nowMs);
    for (const { reason } of obstacles) count(reason);
    if (lane.group.fitting.has(worker.class)) fitting += 1;
    if (obstacles.length === 0) clear += 1;
    if (obstacles.length === 1 && everywhere.length === 0) single.push(obstacles[0] as Obstacle);
  }
  for (const { reason } of everywhere) counted.set(reason, state.workers.size);
  if (everywhere.length === 1 && clear > 0) single.push(everywhere[0] as Obstacle);
  if (state.workers.size === 0) counted.set('no worker ever connected', 0);
  const later = alternativeToCome(lane);
  if (later !== null) counted.set(later.reason, 0);
  const reasons = [...counted]
    .map(([reason, workers]) => ({ reason, workers }))
    .sort((a, b) => b.workers - a.workers || (a.reason < b.reason ? -1 : 1));
  const aheadInQueue = countAhead(state, config, lane, task);
  return {
    task: taskIdOf(run.run, task.index),
    state: 'queued',
    summary: summaryOf(state, lane, task, { everywhere, fitting, aheadInQueue, nowMs }),
    reasons,
    aheadInQueue,
    expectedStartMs: expectedStart(state, config, lane, task, nowMs),
    changes: smallest(single),
  };
}

function summaryOf(
  state: State,
  lane: Lane,
  task: TaskRecord,
  of: { everywhere: readonly Obstacle[]; fitting: number; aheadInQueue: number; nowMs: number },
): string {
  const waitedMs = task.state.kind === 'queued' ? Math.max(0, of.nowMs - task.state.sinceMs) : 0;
  const waited = `Waited ${Math.round(waitedMs / 1000)} s.`;
  if (of.fitting === 0) {
    const later = alternativeToCome(lane);
    const said = `Waits for a worker that meets its requirement; of ${state.workers.size} known, none does.`;
    return later === null ? said : `${said} ${later.reason[0]?.toUpperCase() ?? ''}${later.reason.slice(1)}.`;
  }
  const [first] = of.everywhere;
  if (first !== undefined) return `Waits: ${of.everywhere.map(({ reason }) => reason).join('; ')}. ${waited}`;
  return `Waits for a free slot: ${of.fitting} of ${state.workers.size} workers fit, ${of.aheadInQueue} tasks are ahead. ${waited}`;
}

/** A retry that waits for its time, or for a trouble of the whole fleet to end. */
function retryObstacle(state: State, task: TaskRecord, nowMs: number): Obstacle[] {
  if (task.state.kind !== 'queued' || task.state.notBeforeMs === undefined) return [];
  const { notBeforeMs, outage } = task.state;
  const trouble = outage === undefined ? undefined : state.recovery.outages.get(outage);
  const seconds = Math.max(0, Math.round((notBeforeMs - nowMs) / 1_000));
  if (trouble !== undefined && trouble.probe !== null && trouble.probe !== taskOf(state, task)) {
    const reason = `waits for the trouble with ${trouble.name} to end, which ${trouble.excused} failures had; another task looks`;
    return [{ reason, change: { kind: 'dependency', change: `${trouble.name} works again` }, effort: 1 }];
  }
  const last = task.attempts.at(-1)?.state;
  const code = last?.kind === 'settled' ? (last.failure?.code ?? last.verdict) : 'a failure';
  const reason = `is tried again in ${seconds} s, after ${code}`;
  return [{ reason, change: { kind: 'time', change: `${seconds} s pass` }, effort: 1 }];
}

function taskOf(state: State, task: TaskRecord): string | null {
  const delayed = state.index.delayedOf.get(task);
  return delayed === undefined ? null : taskIdOf(delayed.lane.run.run, task.index);
}

/** What stands before every worker alike. */
function beforeAll(state: State, lane: Lane, task: TaskRecord, nowMs: number): Obstacle[] {
  const obstacles: Obstacle[] = retryObstacle(state, task, nowMs);
  const { run } = lane;
  const waitsFor = (run.after.get(task.index) ?? []).filter((index) => run.tasks[index]?.state.kind !== 'settled');
  if (waitsFor.length > 0) {
    const [first] = waitsFor;
    const name = first === undefined ? '' : taskIdOf(run.run, first);
    obstacles.push({
      reason: `comes after ${waitsFor.length} ${waitsFor.length === 1 ? 'task that is' : 'tasks that are'} not over, such as ${name}`,
      change: { kind: 'dependency', change: `${waitsFor.length === 1 ? name : 'all that it comes after'} passes` },
      effort: waitsFor.length,
    });
  }
  const { gang } = lane;
  if (gang !== null && !isWhole(gang, fellowsOf(gang, task))) {
    const isThere = fellowsOf(gang, task).length === gang.size;
    const reason = isThere ? 'others of its gang are still at work' : 'its gang is not complete yet';
    obstacles.push({ reason, change: { kind: 'gang', change: 'the rest of its gang is ready' }, effort: gang.size });
  }
  const slots = gang === null ? 1 : fellowsOf(gang, task).filter((one) => one.state.kind === 'queued').length;
  for (const held of admissionReasons(state, lane, null, slots)) obstacles.push(obstacleOf(held));
  return obstacles;
}

/** What stands between the task and one worker, beside what stands before all. */
function before(state: State, lane: Lane, task: TaskRecord, worker: WorkerRecord, nowMs: number): Obstacle[] {
  const { group } = lane;
  const obstacles: Obstacle[] = [];
  const add = (reason: string, kind: Change['kind'], change: string, effort: number): void =>
    void obstacles.push({ reason, change: { kind, change, worker: worker.worker }, effort });
  const fit = group.fits.get(worker.class);
  if (fit?.kind === 'misfits' && worker.whole !== null && group.fitting.has(worker.whole)) {
    add(whyDevicesSetAside(worker), 'device', `what is set aside on ${worker.name} is certified`, 5);
  } else if (fit?.kind === 'misfits') {
    for (const reason of fit.reasons)
      add(reason, 'requirement', `the requirement leaves out the part that ${worker.name} misses: ${reason}`, 8);
  }
  const away = whyAway(worker);
  if (away !== null) add(away, 'worker', `${worker.name} takes work again, or one more like it joins`, 6);
  if (fit?.kind === 'misfits') return obstacles;
  const stop = away === null ? stopOf(state, lane, worker) : null;
  if (stop !== null) add(reasonOf(stop, nowMs), 'circuit', `circuit ${stop.circuit} closes`, 4);
  if (away === null && worker.assignments.size >= worker.slots)
    add(
      'busy: fits, but has no free slot',
      'slot',
      `a slot of ${worker.name} is free, or one more worker like it joins`,
      1,
    );
  else if (away === null) {
    const kept = whyKept(state, nowMs, lane, task, worker);
    if (kept !== null) add(kept, 'slot', 'a slot of a faster worker is free', 2);
  }
  if (task.state.kind === 'queued' && task.state.avoidWorker === worker.worker && stop === null && away === null)
    add(
      'the last attempt failed there through no fault of the test',
      'worker',
      `one more worker like ${worker.name} joins`,
      6,
    );
  if (away === null)
    for (const held of admissionReasons(state, lane, worker, 1)) obstacles.push(obstacleOf(held, worker));
  return obstacles;
}

function whyAway(worker: WorkerRecord): string | null {
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
      return worker.isSetAside ? whySetAside(worker) : null;
  }
}

const efforts: Readonly<Record<AdmissionReason['kind'], number>> = { key: 1, device: 2, quota: 3, gang: 4 };

function obstacleOf({ kind, reason, change }: AdmissionReason, worker?: WorkerRecord): Obstacle {
  return {
    reason,
    change: { kind, change, ...(worker === undefined ? {} : { worker: worker.worker }) },
    effort: efforts[kind],
  };
}

/** The alternative that opens next, where one does. */
export function alternativeToCome(lane: Lane): { reason: string; atMs: number } | null {
  const next = nextOf(lane, lane.opened);
  const group = lane.groups[lane.opened + 1];
  if (next === undefined || group === undefined) return null;
  let meets = 0;
  for (const capability of group.fitting) meets += capability.possible;
  const which = `${meets} ${meets === 1 ? 'worker meets' : 'workers meet'}`;
  return {
    reason: `another alternative opens after ${Math.round(next.afterMs / 1000)} s of waiting, which ${which}`,
    atMs: dueMs(lane),
  };
}

/** One of each kind, the smallest first; the first worker of each kind stands for the others. */
function smallest(obstacles: readonly Obstacle[]): Change[] {
  const kinds = new Map<string, Obstacle>();
  for (const obstacle of obstacles) if (!kinds.has(obstacle.change.kind)) kinds.set(obstacle.change.kind, obstacle);
  return [...kinds.values()]
    .sort((a, b) => a.effort - b.effort || (a.change.change < b.change.change ? -1 : 1))
    .slice(0, changesMax)
    .map(({ change }) => change);
}
