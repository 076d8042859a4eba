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
import type { SuiteHistory } from './durations.ts';
import { endsOf } from './ends.ts';
import type { CapabilityClass, Lane, RequirementGroup } from './index-types.ts';
import { costHere, costOn, slownessOn } from './predict.ts';
import type { RunPlan } from './plan.ts';

type Looking = Pick<Step, 'state' | 'nowMs' | 'reconsiderAtMs'>;

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
  { state, nowMs }: Pick<Looking, 'state' | 'nowMs'>,
  lane: Lane,
  task: TaskRecord,
  capability: CapabilityClass,
  costMs: number,
  areFreeCounted: boolean,
): number {
  const { classes, slownesses, machines } = othersOf(state, lane);
  const ends = endsOf(state, nowMs);
  let earliest = Infinity;
  for (let at = 0; at < classes.length; at += 1) {
    const other = classes[at] as CapabilityClass;
    if (other === capability || other.ready === 0) continue;
    const isFree = other.free.size > 0;
    if (isFree && !areFreeCounted) continue;
    const otherMs = costOn(task, costMs, slownesses[at] ?? 1, machines[at] ?? -1);
    if (otherMs >= costMs || otherMs >= earliest) continue;
    earliest = Math.min(earliest, isFree ? otherMs : ends.soonestMs(other) + otherMs);
  }
  return earliest;
}

/** The classes that fit a lane with their speeds in its suite: looked up when one of them changed, and not once a task. */
type Others = {
  readonly group: RequirementGroup;
  readonly fits: number;
  readonly suite: SuiteHistory | undefined;
  readonly learned: number;
  readonly machinesSeen: number;
  readonly classes: readonly CapabilityClass[];
  readonly slownesses: readonly number[];
  readonly machines: readonly number[];
};
const others = new WeakMap<Lane, Others>();

function othersOf(state: State, lane: Lane): Others {
  const { group, suiteKey } = lane;
  const { machines, index } = state;
  const suite = state.suites.get(suiteKey);
  const learned = suite?.count ?? 0;
  const known = others.get(lane);
  if (
    known !== undefined &&
    known.group === group &&
    known.fits === index.fits &&
    known.suite === suite &&
    known.learned === learned &&
    known.machinesSeen === machines.changes
  )
    return known;
  const classes = [...group.fitting];
  const seen = {
    group,
    fits: index.fits,
    suite,
    learned,
    machinesSeen: machines.changes,
    classes,
    slownesses: classes.map((one) => slownessOn(state, suiteKey, one)),
    machines: classes.map((one) => machines.numberOf(one)),
  };
  others.set(lane, seen);
  return seen;
}
