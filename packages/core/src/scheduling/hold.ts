// Whether a task waits although a fitting worker is free: because that worker is so much slower than others that the task is
// expected to be over sooner if it waits for one of them.
//
// A free worker helps wherever it can be done before the run's planned end. Past that, its finish is held against the
// earliest one elsewhere: what each faster worker runs now and how long that is expected to take, then the task itself. What
// overruns is expected to run as long again as it ran, so that a task never waits for ever for a worker that is stuck: it is
// looked at again (`reconsiderAtMs`) until the slow one wins.
import type { State, TaskRecord, WorkerRecord } from '../engine/state.ts';
import type { Step } from '../engine/step.ts';
import { engineDefaults } from '../engine/config.ts';
import { goalOf } from './goal.ts';
import type { CapabilityClass, Lane } from './index-types.ts';
import { leftMs } from './left.ts';
import { costHere, costOn, slownessOn } from './predict.ts';
import type { RunPlan } from './plan.ts';

type Looking = Pick<Step, 'state' | 'nowMs' | 'reconsiderAtMs'>;

/** Assignments that are looked at, the oldest first: bounds the cost. */
const lookedMax = 512;
/** What takes up to this share of the time that is left is begun anywhere: predictions are not exact. */
const sureShare = 0.9;
/** Twice looked at per this share of the wait, within bounds. */
const againShare = 0.25;
const againMinMs = 100;
const againMaxMs = 5_000;

/**
 * Whether the task is better kept for another class than begun on this one now. `areFreeCounted`: classes with a free slot are
 * about to take it themselves; where none did, only the busy ones are worth waiting for.
 */
export function isHeldFrom(
  step: Looking,
  { plan }: RunPlan,
  lane: Lane,
  task: TaskRecord,
  capability: CapabilityClass,
  costMs: number,
  areFreeCounted: boolean,
): boolean {
  if (costMs <= (plan.endsAtMs - step.nowMs) * sureShare) return false;
  const finishMs = finishElsewhereMs(step, lane, task, capability, costMs, areFreeCounted);
  if (costMs <= finishMs) return false;
  const again = Math.max(againMinMs, Math.min(againMaxMs, Math.round(finishMs * againShare)));
  step.reconsiderAtMs = Math.min(step.reconsiderAtMs, step.nowMs + again);
  return true;
}

/** Why a free worker that fits is not given the task, or null where that is not the reason. */
export function whyKept(
  state: State,
  nowMs: number,
  lane: Lane,
  task: TaskRecord,
  worker: WorkerRecord,
): string | null {
  // Without history the default cost decides, which settings rarely change: only what is said depends on it here.
  const goal = goalOf(state, engineDefaults, lane.run, nowMs);
  if (goal !== null && goal.usedSlots >= goal.neededSlots)
    return `spared: ${goal.usedSlots} slots are predicted to end the run by its goal`;
  const { plan } = lane.run;
  if (plan === null) return null;
  const { class: capability } = worker;
  const costMs = costHere(state, engineDefaults, lane, task, capability);
  const step = { state, nowMs, reconsiderAtMs: Infinity };
  return isHeldFrom(step, plan, lane, task, capability, costMs, false)
    ? 'slower: a faster worker is expected to be done with it sooner, its present work included'
    : null;
}

/** In how many milliseconds the task would be over on the fastest way that does not use this class; Infinity where none is faster. */
export function finishElsewhereMs(
  looking: Looking,
  lane: Lane,
  task: TaskRecord,
  capability: CapabilityClass,
  costMs: number,
  areFreeCounted: boolean,
): number {
  const { state } = looking;
  const costs = new Map<CapabilityClass, number>();
  let earliest = Infinity;
  for (const other of lane.group.fitting) {
    if (other === capability || other.ready === 0) continue;
    const slowness = slownessOn(state, lane.suiteKey, other);
    const otherMs = costOn(task, costMs, slowness, state.machines.numberOf(other));
    if (otherMs >= costMs) continue;
    if (other.free.size === 0) costs.set(other, otherMs);
    else if (areFreeCounted) earliest = Math.min(earliest, otherMs);
  }
  if (costs.size === 0) return earliest;
  const soonest = soonestOf(looking);
  for (const [other, otherMs] of costs) earliest = Math.min(earliest, (soonest.get(other) ?? Infinity) + otherMs);
  return earliest;
}

/** Of each class in how many milliseconds the first of its assignments is over: looked at once a placement, and not once a task. */
function soonestOf({ state, nowMs }: Looking): ReadonlyMap<CapabilityClass, number> {
  const { seq, assignmentOrder: order, assignments } = state;
  const known = soonest.get(state);
  if (known?.seq === seq && known.order === order && known.size === assignments.size && known.nowMs === nowMs)
    return known.byClass;
  const byClass = new Map<CapabilityClass, number>();
  let looked = 0;
  for (const assignment of assignments.values()) {
    looked += 1;
    if (looked > lookedMax) break;
    const capability = state.workers.get(assignment.worker)?.class;
    if (capability === undefined) continue;
    const left = leftMs(assignment, nowMs);
    if (left < (byClass.get(capability) ?? Infinity)) byClass.set(capability, left);
  }
  soonest.set(state, { seq, order, size: assignments.size, nowMs, byClass });
  return byClass;
}

/** What was seen, and at what state: nothing moves between the placements of a step but what they give out. */
type Soonest = {
  readonly seq: number;
  readonly order: number;
  readonly size: number;
  readonly nowMs: number;
  readonly byClass: ReadonlyMap<CapabilityClass, number>;
};
const soonest = new WeakMap<State, Soonest>();
