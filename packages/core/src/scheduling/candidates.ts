// Who could take work now: for each class with a free slot one worker and the task that it would get. By the plan of the run
// where its classes differ (plan.ts), else the first of the lane for all of them.
import { ailmentOf } from '../circuits/health.ts';
import type { RunRecord, TaskRecord, WorkerRecord } from '../engine/state.ts';
import type { Step } from '../engine/step.ts';
import { admission, firstAdmitted } from './admission.ts';
import { isHeldFrom } from './hold.ts';
import type { CapabilityClass, Lane } from './index-types.ts';
import { laneAdvantage, laneTiers, placeOf } from './plan.ts';
import type { PlanEntry, RunPlan } from './plan.ts';
import type { Candidate, Policy } from './policy/policy.ts';
import { costHere, predictFromSuite } from './predict.ts';

/** Workers of a class that are looked at for one that is well. */
const wellLookedMax = 64;
/** Workers of a class that are looked at for one that has the source. */
const warmLookedMax = 16;
/** Tasks of a class's queue that are looked at for one that need not be kept for another. */
export const heldLookedMax = 64;
/** The same over all lanes of a run together, where it has many. */
const heldLookedOfAll = 512;

/** The best candidate for the lane, whatever class its task would be best on. */
export function bestInLane(step: Step, lane: Lane, policy: Policy): Candidate | null {
  const task = firstOf(step, lane);
  let best: Candidate | null = null;
  for (const capability of lane.group.fitting) {
    const candidate = candidateOf(step, lane, capability, task, 0);
    if (candidate !== null && (best === null || policy.isBefore(candidate, best))) best = candidate;
  }
  return best;
}

/** The best candidate over all of the run's lanes, by its plan; null where all of it waits for other classes. */
export function bestInPlan(
  step: Step,
  run: RunRecord,
  policy: Policy,
  isOpen: (lane: Lane) => boolean,
): Candidate | null {
  // Health is the first link: what is unwell is looked at only where nothing that is well takes anything.
  return (
    bestOfClasses(step, run, policy, isOpen, { areFreeCounted: true, isUnwellTaken: false }) ??
    bestOfClasses(step, run, policy, isOpen, { areFreeCounted: false, isUnwellTaken: false }) ??
    (step.state.circuits.size === 0
      ? null
      : bestOfClasses(step, run, policy, isOpen, { areFreeCounted: false, isUnwellTaken: true }))
  );
}

type Round = { readonly areFreeCounted: boolean; readonly isUnwellTaken: boolean };

function bestOfClasses(
  step: Step,
  run: RunRecord,
  policy: Policy,
  isOpen: (lane: Lane) => boolean,
  round: Round,
): Candidate | null {
  const runPlan = run.plan;
  if (runPlan === null) return null;
  const open = openOnce(isOpen);
  let best: Candidate | null = null;
  for (const capability of step.state.index.freeClasses) {
    const place = placeOf(runPlan, capability);
    if (place < 0) continue;
    const candidate = bestOfClass(step, run, runPlan, open, capability, place, best, policy, round);
    if (candidate !== null) best = candidate;
  }
  return best;
}

function bestOfClass(
  step: Step,
  run: RunRecord,
  runPlan: RunPlan,
  isOpen: (lane: Lane) => boolean,
  capability: CapabilityClass,
  place: number,
  before: Candidate | null,
  policy: Policy,
  { areFreeCounted, isUnwellTaken }: Round,
): Candidate | null {
  let best = before;
  const consider = (lane: Lane, task: TaskRecord, advantage: number): boolean => {
    // The next link of the chain (byAdvantage), asked before anything is worked out: most are behind by it alone.
    if (best !== null && isBehind(best, task, advantage)) return true;
    const candidate = candidateOf(step, lane, capability, task, advantage);
    if (candidate === null || (candidate.ailment !== null && !isUnwellTaken)) return true;
    if (best !== null && !policy.isBefore(candidate, best)) return true;
    if (isHeldFrom(step, runPlan, lane, task, capability, candidate.costMs, areFreeCounted)) return false;
    best = candidate;
    return true;
  };
  const lookedMax = Math.max(1, Math.min(heldLookedMax, Math.floor(heldLookedOfAll / run.lanes.length)));
  const tryLane = (lane: Lane): void => {
    if (!lane.group.fitting.has(capability) || !isOpen(lane)) return;
    const advantage = laneAdvantage(runPlan, lane.suite, place);
    let areKnownKept = true;
    let looked = 0;
    for (const task of lane.known.inOrder()) {
      looked += 1;
      if (looked > lookedMax) break;
      areKnownKept = !consider(lane, task, advantage);
      if (!areKnownKept) break;
    }
    // What nothing is known of may be shorter than what is kept. It is all alike: one of it stands for the rest.
    const unknown = areKnownKept ? lane.unknown.peek() : undefined;
    if (unknown !== undefined) consider(lane, unknown, advantage);
  };
  for (const { rank, lanes } of laneTiers(runPlan, run.lanes, place)) {
    if (best !== null && rank < Math.min(0, best.advantage)) break;
    const bestMs = (): number =>
      best !== null && rank === Math.min(0, best.advantage) ? (best.task.predictedMs ?? 0) : -1;
    tryLongestFirst(lanes, bestMs, tryLane);
  }
  let looked = 0;
  for (const { lane, task, advantage } of inOrderOf(runPlan, place)) {
    looked += 1;
    if (looked > heldLookedMax) break;
    // Those after it are no better in this.
    if (best !== null && Math.min(0, advantage) < Math.min(0, best.advantage)) break;
    const isWaiting = lane.heapSlot >= 0 && lane.group.fitting.has(capability) && isOpen(lane);
    if (isWaiting && consider(lane, task, advantage)) break;
  }
  return best === before ? null : best;
}

/**
 * Tries lanes by their first tasks, the longest first, down to the longest that is the best so far: what is behind it need not be
 * looked at. The first round is a look at each lane and no sorting: most often it is the only one.
 */
function tryLongestFirst(lanes: readonly Lane[], bestMs: () => number, tryLane: (lane: Lane) => void): void {
  let longestMs = -1;
  for (const lane of lanes) longestMs = Math.max(longestMs, firstMs(lane));
  if (longestMs < 0 || longestMs < bestMs()) return;
  for (const lane of lanes) if (firstMs(lane) === longestMs) tryLane(lane);
  if (bestMs() === longestMs) return;
  const rest: { readonly lane: Lane; readonly ms: number }[] = [];
  for (const lane of lanes) {
    const ms = firstMs(lane);
    if (ms >= 0 && ms < longestMs && ms >= bestMs()) rest.push({ lane, ms });
  }
  rest.sort((a, b) => b.ms - a.ms);
  for (const { lane, ms } of rest) {
    if (ms < bestMs()) return;
    tryLane(lane);
  }
}

/** Of what waits in line, the prediction that the lane stands by: 0 where none is known, -1 where nothing waits. */
function firstMs(lane: Lane): number {
  if (lane.heapSlot < 0) return -1;
  const known = lane.known.peek();
  if (known !== undefined) return known.predictedMs ?? 0;
  return lane.unknown.size > 0 ? 0 : -1;
}

const nothing: readonly PlanEntry[] = [];

function inOrderOf({ queues }: RunPlan, place: number): Iterable<PlanEntry> {
  const queue = queues[place];
  return queue === undefined || queue.size === 0 ? nothing : queue.inOrder();
}

/** Asks once a lane. */
function openOnce(isOpen: (lane: Lane) => boolean): (lane: Lane) => boolean {
  const known = new Map<Lane, boolean>();
  return (lane) => {
    let answer = known.get(lane);
    if (answer === undefined) known.set(lane, (answer = isOpen(lane)));
    return answer;
  };
}

function isBehind(best: Candidate, task: TaskRecord, advantage: number): boolean {
  const rank = Math.min(0, advantage) - Math.min(0, best.advantage);
  return rank < 0 || (rank === 0 && (task.predictedMs ?? 0) < (best.task.predictedMs ?? 0));
}

export function candidateOf(
  step: Step,
  lane: Lane,
  capability: CapabilityClass,
  task: TaskRecord,
  advantage: number,
): Candidate | null {
  const source = sourceKeyOf(lane.run);
  const worker = firstFree(step, lane, capability, source);
  if (worker === undefined) return null;
  const { state, config } = step;
  const costMs = costHere(state, config, lane, task, capability);
  return {
    capability,
    worker,
    lane,
    task,
    costMs,
    advantage,
    ailment: ailmentOf(state, lane, worker, step.nowMs),
    isWarm: source !== null && worker.sources.includes(source),
  };
}

/** The least loaded that is admitted and well, or one that is as good and has the source; what is unwell where nobody is well. */
function firstFree(
  step: Step,
  lane: Lane,
  capability: CapabilityClass,
  source: string | null,
): WorkerRecord | undefined {
  if (lane.run.spec.finishWithinMs !== undefined) return lastUsed(step, lane, capability);
  const { state } = step;
  const first = firstWell(step, lane, capability) ?? firstAdmitted(state, lane, capability, () => false);
  if (first === undefined || source === null || first.sources.includes(source)) return first;
  let looked = 0;
  for (const worker of capability.free.inOrder()) {
    looked += 1;
    if (looked > warmLookedMax) break;
    if (!worker.sources.includes(source) || admission(state, lane, null, worker).kind !== 'admitted') continue;
    if (!isUnwell(step, lane, worker) || isUnwell(step, lane, first)) return worker;
  }
  return first;
}

/** The first of the first few that its circuits have nothing against; undefined where nothing ever failed. */
function firstWell(step: Step, lane: Lane, capability: CapabilityClass): WorkerRecord | undefined {
  if (step.state.circuits.size === 0) return undefined;
  let looked = 0;
  return firstAdmitted(step.state, lane, capability, (worker) => {
    looked += 1;
    return looked <= wellLookedMax && isUnwell(step, lane, worker);
  });
}

function isUnwell({ state, nowMs }: Step, lane: Lane, worker: WorkerRecord): boolean {
  return ailmentOf(state, lane, worker, nowMs) !== null;
}

/** A run that is to use few workers goes on with those that it has: the one that was given work last. */
function lastUsed(step: Step, lane: Lane, capability: CapabilityClass): WorkerRecord | undefined {
  let last: WorkerRecord | undefined;
  let unwell: WorkerRecord | undefined;
  for (const worker of capability.free.inOrder()) {
    if (last !== undefined && worker.lastAssigned <= last.lastAssigned) continue;
    if (admission(step.state, lane, null, worker).kind !== 'admitted') continue;
    if (isUnwell(step, lane, worker)) unwell ??= worker;
    else last = worker;
  }
  return last ?? unwell;
}

/** Names a source that has to be fetched and set up; null for a directory, which costs nothing to use. */
export function sourceKeyOf({ spec: { source } }: RunRecord): string | null {
  return source.kind === 'bundle' ? source.digest : null;
}

function firstOf(step: Step, lane: Lane): TaskRecord {
  const known = longer(lane.known.peek(), lane.peculiar.peek());
  const unknown = lane.unknown.peek();
  if (known === undefined || unknown === undefined) return (known ?? unknown) as TaskRecord;
  const unknownMs = predictFromSuite(step.state, lane) ?? step.config.defaultExpectedMs;
  return (known.predictedMs ?? 0) >= unknownMs ? known : unknown;
}

/** What the first task of a lane costs, wherever it goes; 0 where nothing is known of the lane. */
export function firstCostMs(step: Step, lane: Lane): number {
  return firstOf(step, lane).predictedMs ?? predictFromSuite(step.state, lane) ?? 0;
}

function longer(a: TaskRecord | undefined, b: TaskRecord | undefined): TaskRecord | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return (b.predictedMs ?? 0) > (a.predictedMs ?? 0) ? b : a;
}
