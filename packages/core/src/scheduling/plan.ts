// Which classes of machines the tasks of a run are for, where classes differ in what they are good at: prices of classes, and
// for each class a queue of the tasks that are peculiar about it. The choice is written up in docs/adr/0007.
//
// Scheduling on unrelated machines, relaxed to a linear program, has a dual in which every class has a price for its time and
// each task goes where price x cost is least (Lenstra, Shmoys and Tardos, "Approximation algorithms for scheduling unrelated
// parallel machines", 1990). Prices are found by raising that of what is overloaded (pricing.ts) and are stated by
// `runPlanned`, so that a restored engine places by the same ones. They are found again as the queue drains,
// and when there are other classes or work fits other ones.
//
// The advantage of a class for a task is the least price x cost elsewhere over that here: above 1, it belongs here. A free
// worker takes what its class has the greatest advantage in, and of those alike the longest.
// What always holds: a queued task with costs of its own by class is in the queue of every class of the plan that it is not
// out of place in; the keys there are those of the plan, whatever was learned since. Called by evolve alone.
import type { RunPlanned } from '../engine/events.ts';
import type { RunRecord, State, TaskRecord } from '../engine/state.ts';
import { IndexedHeap } from '../kernel/indexed-heap.ts';
import type { CapabilityClass, Lane } from './index-types.ts';
import { costOn } from './predict.ts';

/** What `runPlanned` says; JSON. */
export type Plan = {
  readonly atMs: number;
  /** When all that was queued would be over if every class did its part. */
  readonly endsAtMs: number;
  readonly queued: number;
  readonly slots: number;
  readonly classes: readonly { readonly key: string; readonly machine: number; readonly price: number }[];
  /** By suite and class of the plan: the slowness, 0 where it does not fit. */
  readonly slowness: readonly (readonly number[])[];
};

export type PlanEntry = {
  readonly task: TaskRecord;
  readonly lane: Lane;
  readonly queue: IndexedHeap<PlanEntry>;
  readonly advantage: number;
  readonly costMs: number;
  heapSlot: number;
};
/** Lanes of a run for which a class is equally good, in the order of the run. */
export type LaneTier = { readonly rank: number; readonly lanes: readonly Lane[] };
export type RunPlan = {
  readonly plan: Plan;
  /** Position in `plan.classes` by key. */
  readonly places: ReadonlyMap<string, number>;
  /** Derived: by position, tasks with costs of their own. */
  readonly queues: readonly IndexedHeap<PlanEntry>[];
  /** Derived when they are asked for: by suite and position, how good the class is for what is not peculiar. */
  readonly laneAdvantages: number[][];
  /** Derived when they are asked for: by position, the lanes by how good the class is for them. */
  readonly laneTiers: (readonly LaneTier[] | undefined)[];
  /** Noted by pricing: the changes of the fleet and the lanes up to which the plan's classes were seen to be those that there are. */
  soundAt: number;
};

/** Steps of advantage a doubling: within a step the longest goes first. */
const stepsPerDoubling = 2;
const advantageMax = 8;
/** With more classes than this, a task stands only in the queues of those where it is not this many steps worse than elsewhere. */
const classesMax = 8;
const outOfPlace = -8;

export function runPlanned(state: State, { run: id, ...plan }: Omit<RunPlanned, 'kind'>): void {
  const run = state.runs.get(id);
  if (run !== undefined) setPlan(run, plan);
}

export function setPlan(run: RunRecord, plan: Plan): void {
  for (const task of run.tasks) task.entries = null;
  const queues = plan.classes.map(() => new IndexedHeap<PlanEntry>(isBefore));
  run.plan = {
    plan,
    places: new Map(plan.classes.map(({ key }, place) => [key, place])),
    queues,
    laneAdvantages: [],
    laneTiers: [],
    soundAt: -1,
  };
  for (const lane of run.lanes) for (const task of lane.peculiar.inOrder()) enterPlan(run, lane, task);
}

/** Puts a queued task with costs of its own in the queues of its run's plan. */
export function enterPlan(run: RunRecord, lane: Lane, task: TaskRecord): void {
  if (run.plan === null) return;
  const { plan, queues } = run.plan;
  const slowness = plan.slowness[lane.suite] ?? [];
  const entries: PlanEntry[] = [];
  const costs = plan.classes.map(({ machine }, place) =>
    (slowness[place] ?? 0) === 0 ? Infinity : costOn(task, 1, slowness[place] ?? 1, machine),
  );
  const values = plan.classes.map(({ price }, place) => price * (costs[place] ?? Infinity));
  const advantages = advantagesOf(values);
  const shortestMs = Math.min(...costs);
  for (const [place, queue] of queues.entries()) {
    const advantage = advantages[place] ?? -Infinity;
    // Where it costs least it is never out of place: when the others are done, that is where it is to go.
    const isOutOfPlace = queues.length > classesMax && advantage < outOfPlace && costs[place] !== shortestMs;
    if (isOutOfPlace || costs[place] === Infinity) continue;
    entries.push({ task, lane, queue, advantage, costMs: costs[place] ?? 0, heapSlot: -1 });
  }
  task.entries = entries;
  for (const entry of entries) entry.queue.push(entry);
}

export function leavePlan(task: TaskRecord): void {
  if (task.entries === null) return;
  for (const entry of task.entries) entry.queue.remove(entry);
  task.entries = null;
}

/** For each class in whole steps, so that small differences do not decide; -Infinity where it does not fit. */
export function advantagesOf(values: readonly number[]): number[] {
  let least = -1;
  let second = Infinity;
  for (const [place, value] of values.entries()) {
    const leastValue = values[least] ?? Infinity;
    if (value < leastValue) {
      second = leastValue;
      least = place;
    } else if (value < second) second = value;
  }
  return values.map((own, place) => stepsOf(own, place === least ? second : (values[least] ?? Infinity)));
}

function stepsOf(own: number, elsewhere: number): number {
  if (own === Infinity) return -Infinity;
  if (elsewhere === Infinity) return advantageMax * stepsPerDoubling;
  const doublings = Math.max(-advantageMax, Math.min(advantageMax, Math.log2(elsewhere / own)));
  return Math.round(doublings * stepsPerDoubling);
}

/** Of a suite's other tasks: they are all alike in this. */
export function laneAdvantage({ plan, laneAdvantages }: RunPlan, suite: number, place: number): number {
  let row = laneAdvantages[suite];
  if (row === undefined) {
    const slowness = plan.slowness[suite] ?? [];
    row = advantagesOf(
      plan.classes.map(({ price }, at) => ((slowness[at] ?? 0) === 0 ? Infinity : price * (slowness[at] ?? 1))),
    );
    laneAdvantages[suite] = row;
  }
  return row[place] ?? -Infinity;
}

/** The run's lanes for a class, the best for it first: above 0 is no better than 0, as everywhere. */
export function laneTiers(runPlan: RunPlan, lanes: readonly Lane[], place: number): readonly LaneTier[] {
  const known = runPlan.laneTiers[place];
  if (known !== undefined) return known;
  const byRank = new Map<number, Lane[]>();
  for (const lane of lanes) {
    const rank = Math.min(0, laneAdvantage(runPlan, lane.suite, place));
    const tier = byRank.get(rank);
    if (tier === undefined) byRank.set(rank, [lane]);
    else tier.push(lane);
  }
  const tiers = [...byRank].map(([rank, of]) => ({ rank, lanes: of })).sort((a, b) => b.rank - a.rank);
  runPlan.laneTiers[place] = tiers;
  return tiers;
}

export function placeOf(plan: RunPlan, capability: CapabilityClass): number {
  return plan.places.get(capability.key) ?? -1;
}

function isBefore(a: PlanEntry, b: PlanEntry): boolean {
  const rank = Math.min(0, a.advantage) - Math.min(0, b.advantage);
  if (rank !== 0) return rank > 0;
  if (a.costMs !== b.costMs) return a.costMs > b.costMs;
  return a.task.index < b.task.index;
}
