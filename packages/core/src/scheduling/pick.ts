// Placement: which waiting work goes to which free worker. Filter, then rank by a chain that ends in the id.
//
//   lane    higher priority, earlier submission; a task that avoids a worker goes before its lane
//   class   of those that fit and have a free slot, the one that fewest other waiting requirements want, so that a GPU is
//           not spent on what any machine can do; then the one with the less loaded worker, then that worker's id
//   worker  the least loaded of its class, then its id
// The cost is in distinct requirements times classes; tasks and workers sit in heaps.
import type { AssignmentId } from '@assay/protocol';
import type { Placement } from '../engine/events.ts';
import type { DeviceHold, State, TaskRecord, WorkerRecord } from '../engine/state.ts';
import type { Step } from '../engine/step.ts';
import { variantOf } from '../recovery/variant-of.ts';
import { nextBatch } from './batch.ts';
import type { BatchItem } from './batch.ts';
import { admission, canPlace, isUnconstrained } from './admission.ts';
import { choose } from './choose.ts';
import { ruleOf } from './explain-placed.ts';
import { keepForGangs, planGang } from './gang-seats.ts';
import { hasEnough } from './goal.ts';
import { policyOf } from './policy/policies.ts';
import { areAllClosed, probesFor } from '../circuits/stops.ts';
import { capacityOf, hasFree } from './capacity.ts';
import { firstLane, isLaneBefore } from './order.ts';
import type { Lane } from './index-types.ts';
import { placedBecause, wishKeyOf, wishOf, workerFor } from './elsewhere.ts';
import { predict } from './predict.ts';

/** How many of the tasks that avoid a worker are looked at in one placement: to find one, and to find the best one. */
const avoidingScanMax = 1_000;
const avoidingChoiceMax = 32;

/** Assigns until no free worker fits what waits. */
export function placeAll(step: Step): void {
  const { freeClasses, waitingGroups, keptFor } = step.state.index;
  if (freeClasses.size === 0 || waitingGroups.size === 0) return;
  keepForGangs(step.state, step.config, step.nowMs);
  const kept = new Set<Lane>();
  while (freeClasses.size > 0 && waitingGroups.size > 0) {
    if (!placeOne(step, kept)) break;
  }
  keptFor.clear();
}

function placeOne(step: Step, kept: Set<Lane>): boolean {
  const lane = bestLane(step.state, kept);
  const elsewhere = bestAvoiding(step.state, lane);
  if (elsewhere !== null) {
    assign(step, elsewhere.lane, elsewhere.worker, elsewhere.rule, [elsewhere.item(step)]);
    return true;
  }
  if (lane === null) return false;
  if (lane.run.spec.finishWithinMs !== undefined && hasEnough(step, lane.run)) {
    for (const other of lane.run.lanes) kept.add(other);
    return true;
  }
  if (lane.gang !== null) return placeGang(step, lane);
  const policy = policyOf(step.config, lane);
  const candidate = choose(step, lane, policy, kept);
  // Another lane may have work for what this one leaves free.
  if (candidate === null) return true;
  const batch = nextBatch(step, candidate, capacityOf(candidate.lane.group));
  const expectedMs = batch.reduce((sum, item) => sum + item.expectedMs, 0);
  assign(step, candidate.lane, candidate.worker, ruleOf(step, candidate, policy, expectedMs), batch);
  return true;
}

function bestLane(state: State, kept: ReadonlySet<Lane>): Lane | null {
  const { freeClasses, fits } = state.index;
  const isOpen = (one: Lane): boolean => !kept.has(one) && canPlace(state, one);
  return firstLane(state.shares.values(), freeClasses, fits, isOpen, kept.size > 0 || !areAllClosed(state));
}

type Elsewhere = {
  readonly lane: Lane;
  readonly worker: WorkerRecord;
  readonly rule: string;
  readonly item: (step: Step) => BatchItem;
};

/** A task that failed through its worker and can go to another one now, unless a lane of higher priority waits. */
function bestAvoiding(state: State, before: Lane | null): Elsewhere | null {
  let best: { lane: Lane; task: TaskRecord; worker: WorkerRecord } | null = null;
  for (const group of state.index.avoidingGroups) {
    if (!hasFree(group, state.index.freeClasses)) continue;
    // Tasks with the same wish can go to the same places: each wish is looked at once.
    const elsewhere = new Map<string, WorkerRecord | null>();
    let looked = 0;
    for (const { lane, task } of group.avoiding.values()) {
      looked += 1;
      if (looked > (best === null ? avoidingScanMax : avoidingChoiceMax)) break;
      if (before !== null && lane.run.spec.priority < before.run.spec.priority) continue;
      if (best !== null && !isLaneBefore(lane, best.lane)) continue;
      const wish = wishOf(task);
      if (wish === null) continue;
      const key = wishKeyOf(wish);
      let worker = elsewhere.get(key);
      if (worker === undefined || !isUnconstrained(state, lane)) {
        worker = canPlace(state, lane) ? workerFor(state, lane, wish) : null;
        if (isUnconstrained(state, lane)) elsewhere.set(key, worker);
      }
      if (worker !== null) best = { lane, task, worker };
    }
  }
  if (best === null) return null;
  const { lane, task, worker } = best;
  const rule = placedBecause(task, worker);
  return { lane, worker, rule, item: (step) => ({ task, expectedMs: predict(step.state, step.config, lane, task) }) };
}

/** All of a gang, or nothing of it. */
function placeGang(step: Step, lane: Lane): boolean {
  const seats = planGang(step.state, lane);
  if (seats === null) return false;
  for (const { task, worker, devices } of seats) {
    const expectedMs = predict(step.state, step.config, lane, task);
    assign(step, lane, worker, `a gang of ${seats.length}, all at once`, [{ task, expectedMs }], devices);
  }
  // What was kept for it is free for others in this same placement.
  keepForGangs(step.state, step.config, step.nowMs);
  return true;
}

function devicesFor(state: State, lane: Lane, worker: WorkerRecord): readonly DeviceHold[] {
  if (lane.group.claims.length === 0) return [];
  const admitted = admission(state, lane, null, worker);
  return admitted.kind === 'admitted' ? admitted.devices : [];
}

function assign(
  step: Step,
  lane: Lane,
  worker: WorkerRecord,
  rule: string,
  batch: readonly BatchItem[],
  devices?: readonly DeviceHold[],
): void {
  const { ready, freeWorkers } = capacityOf(lane.group);
  let expectedMs = 0;
  const tasks = [];
  const probes = probesFor(step.state, lane, worker);
  for (const item of probes.length === 0 ? batch : probeOf(step, batch)) {
    expectedMs += item.expectedMs;
    tasks.push({ index: item.task.index, attempt: item.task.lastAttempt + 1, expectedMs: item.expectedMs });
  }
  const placement: Placement = { rule, fittingWorkers: ready, freeWorkers, expectedMs };
  const claimed = devices ?? devicesFor(step.state, lane, worker);
  step.emit({
    kind: 'tasksAssigned',
    run: lane.run.run,
    suite: lane.suite,
    assignment: `a-${step.state.assignmentOrder + 1}` as AssignmentId,
    worker: worker.worker,
    session: worker.session,
    tasks,
    ...(claimed.length === 0 ? {} : { devices: [...claimed] }),
    placement,
    ...(probes.length === 0 ? {} : { probes }),
    ...variantOfOnly(lane, tasks.length === 1 ? batch : []),
  });
}

/** A task that runs another configuration of its suite is placed by itself. */
function variantOfOnly({ run, suite }: Lane, batch: readonly BatchItem[]): { variant?: number } {
  const [item] = batch;
  if (item === undefined || run.spec.suites[suite]?.variants === undefined) return {};
  const variant = variantOf(item.task);
  return variant === null ? {} : { variant };
}

/** A probe is one task, and one that may be repeated if there is one. */
function probeOf(step: Step, batch: readonly BatchItem[]): readonly BatchItem[] {
  const retryable = batch.find(({ task }) => task.infrastructureRetries < step.config.infrastructureRetriesMax);
  return retryable === undefined ? batch.slice(0, 1) : [retryable];
}
