// The prices of classes for what a run has queued (see plan.ts), and when they have to be found again.
//
// Rounds of: every task goes where price x cost is least; then the price of each class moves with its load against the
// average, in ever smaller steps. What a class could not do before the end goes elsewhere whatever the price. Tasks alike in
// what classes mean to them are one item a lane; of the others at most `itemsMax` are looked at, evenly from all of them.
import type { State, RunRecord, TaskRecord } from '../engine/state.ts';
import type { Step } from '../engine/step.ts';
import { speedsOf } from './durations.ts';
import type { CapabilityClass, Lane } from './index-types.ts';
import type { Plan, RunPlan } from './plan.ts';
import { costOn, predictFromSuite, slownessOn } from './predict.ts';

const itemsMax = 512;
/** As many rounds as these looks at a task and a class allow, within bounds: a plan costs a millisecond or so, however large. */
const looksMax = 120_000;
const roundsMax = 80;
const roundsMin = 10;
const slotsTolerance = 0.02;
/** Classes whose speeds differ by less than this are alike. */
const unlikeLog = Math.log(1.2);
/** Parts that the tasks of a lane that are all alike are cut into, so that they can go to several classes. */
const partsMax = 24;
const partsOfAll = 160;

type Item = { readonly costs: readonly number[]; readonly weight: number };

/** Finds prices for the run where its classes differ and those it has are out of date. */
export function planRun(step: Step, run: RunRecord): void {
  const { state } = step;
  if (run.plan === null && !run.lanes.some((lane) => lane.queued > 0 && isUnlike(state, lane))) return;
  const isNear = run.plan !== null && isQueueNear(run.plan.plan, run.counts.queued);
  if (isNear && run.plan?.soundAt === state.index.changes) return;
  const classes = classesOf(run);
  const slots = classes.reduce((sum, { slots: each }) => sum + each, 0);
  if (isNear && run.plan !== null && isFleetNear(run.plan, classes, slots) && areFitsKnown(run, run.plan, classes)) {
    run.plan.soundAt = state.index.changes;
    return;
  }
  if (classes.length < 2 && run.plan === null) return;
  step.emit({ kind: 'runPlanned', run: run.run, ...makePlan(state, run, classes, slots, step) });
}

function isQueueNear(before: Plan, queued: number): boolean {
  return queued > Math.min(before.queued * 0.8, before.queued - 2) && queued <= before.queued * 1.2;
}

/**
 * The same classes with about as many slots: one worker more or less of a large fleet moves no price. As many slots in other
 * classes are another fleet: what the plan does not know is given nothing by it.
 */
function isFleetNear({ plan, places }: RunPlan, classes: readonly CapabilityClass[], slots: number): boolean {
  if (Math.abs(slots - plan.slots) > plan.slots * slotsTolerance) return false;
  return classes.length === places.size && classes.every(({ key }) => places.has(key));
}

/** Whether what waits fits the classes that it fitted when the plan was made: alternatives open meanwhile. `classes`: the plan's. */
function areFitsKnown({ lanes }: RunRecord, { plan }: RunPlan, classes: readonly CapabilityClass[]): boolean {
  return lanes.every(({ queued, suite, group }) => {
    const row = plan.slowness[suite] ?? [];
    return queued === 0 || classes.every((one, place) => group.fitting.has(one) === (row[place] ?? 0) > 0);
  });
}

function isUnlike(state: State, lane: Lane): boolean {
  if (lane.peculiar.size > 0) return true;
  const suite = state.suites.get(lane.suiteKey);
  if (suite === undefined || suite.speeds.length < 2) return false;
  let least = Infinity;
  let most = -Infinity;
  for (const speed of speedsOf(suite).values()) {
    least = Math.min(least, speed);
    most = Math.max(most, speed);
  }
  return most - least > unlikeLog;
}

function classesOf(run: RunRecord): CapabilityClass[] {
  const classes = new Set<CapabilityClass>();
  for (const { group, queued } of run.lanes)
    if (queued > 0) for (const capability of group.fitting) if (capability.slots > 0) classes.add(capability);
  // By key: groups list classes in the order in which they came, which a restored state may not know.
  return [...classes].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function makePlan(state: State, run: RunRecord, classes: readonly CapabilityClass[], slots: number, step: Step): Plan {
  const machines = classes.map((capability) => state.machines.numberOf(capability));
  const slowness = run.lanes.map((lane) =>
    classes.map((capability) =>
      lane.group.fitting.has(capability) ? slownessOn(state, lane.suiteKey, capability) : 0,
    ),
  );
  const items = itemsOf(state, run, step.config.defaultExpectedMs, slowness, machines);
  const busy = busyLoads(state, run, classes, step.nowMs);
  const { prices, endMs } = findPrices(items, classes, busy);
  return {
    atMs: step.nowMs,
    endsAtMs: step.nowMs + Math.round(endMs),
    queued: run.counts.queued,
    slots,
    classes: classes.map(({ key }, place) => ({ key, machine: machines[place] ?? -1, price: prices[place] ?? 1 })),
    slowness,
  };
}

function itemsOf(
  state: State,
  run: RunRecord,
  defaultMs: number,
  slowness: readonly (readonly number[])[],
  machines: readonly number[],
): Item[] {
  const items: Item[] = [];
  const waiting = run.lanes.filter(({ queued }) => queued > 0).length;
  const laneParts = Math.max(1, Math.min(partsMax, Math.floor(partsOfAll / Math.max(1, waiting))));
  const odd: { task: TaskRecord; suite: number }[] = [];
  for (const lane of run.lanes) {
    const row = slowness[lane.suite] ?? [];
    // What no class with slots can do now (its workers are gone or set aside) has no part in when the rest is over.
    if (row.every((each) => each === 0)) continue;
    const unknownMs = predictFromSuite(state, lane) ?? defaultMs;
    let alikeMs = lane.knownMs + lane.unknown.size * unknownMs;
    for (const task of lane.peculiar.inOrder()) alikeMs -= task.predictedMs ?? 0;
    const costs = row.map((each) => (each === 0 ? Infinity : (each * alikeMs) / laneParts));
    if (alikeMs > 0) for (let part = 0; part < laneParts; part += 1) items.push({ costs, weight: 1 });
    for (const task of lane.peculiar.inOrder()) odd.push({ task, suite: lane.suite });
  }
  const stride = Math.max(1, Math.ceil(odd.length / itemsMax));
  for (let at = 0; at < odd.length; at += stride) {
    const { task, suite } = odd[at] as { task: TaskRecord; suite: number };
    const row = slowness[suite] ?? [];
    items.push({
      costs: row.map((each, place) => (each === 0 ? Infinity : costOn(task, 1, each, machines[place] ?? -1))),
      weight: Math.min(stride, odd.length - at),
    });
  }
  return items;
}

/** What the run's own assignments still have to do, by class. */
function busyLoads(state: State, run: RunRecord, classes: readonly CapabilityClass[], nowMs: number): number[] {
  const loads = classes.map(() => 0);
  if (run.counts.assigned + run.counts.running === 0) return loads;
  for (const assignment of state.assignments.values()) {
    if (assignment.run !== run.run) continue;
    const worker = state.workers.get(assignment.worker);
    const place = worker === undefined ? -1 : classes.indexOf(worker.class);
    if (place < 0) continue;
    const leftMs = Math.max(0, assignment.runningMs - (nowMs - assignment.sinceMs)) + assignment.unstartedMs;
    loads[place] = (loads[place] ?? 0) + leftMs;
  }
  return loads;
}

function findPrices(
  items: readonly Item[],
  classes: readonly CapabilityClass[],
  busy: readonly number[],
): { prices: number[]; endMs: number } {
  const prices = classes.map(() => 1);
  let best = { prices: [...prices], endMs: Infinity };
  const looks = Math.max(1, items.length * classes.length);
  const rounds = Math.max(roundsMin, Math.min(roundsMax, Math.floor(looksMax / looks)));
  for (let round = 0; round < rounds; round += 1) {
    const loads = [...busy];
    for (const { costs, weight } of items) {
      const place = cheapest(costs, prices, best.endMs);
      loads[place] = (loads[place] ?? 0) + (costs[place] ?? 0) * weight;
    }
    let endMs = 0;
    let average = 0;
    let slots = 0;
    for (const [place, capability] of classes.entries()) {
      endMs = Math.max(endMs, (loads[place] ?? 0) / capability.slots);
      average += loads[place] ?? 0;
      slots += capability.slots;
    }
    if (endMs < best.endMs) best = { prices: [...prices], endMs };
    average = Math.max(1, average / slots);
    const pace = 1 / (1.5 + round / 4);
    for (const [place, capability] of classes.entries()) {
      const over = Math.max(0.05, Math.min(20, (loads[place] ?? 0) / capability.slots / average));
      prices[place] = Math.max(1e-6, Math.min(1e6, (prices[place] ?? 1) * over ** pace));
    }
  }
  return best;
}

function cheapest(costs: readonly number[], prices: readonly number[], endMs: number): number {
  let best = -1;
  let bestValue = Infinity;
  let shortest = 0;
  for (let place = 0; place < costs.length; place += 1) {
    const cost = costs[place] ?? Infinity;
    if (cost < (costs[shortest] ?? Infinity)) shortest = place;
    const value = cost * (prices[place] ?? 1);
    if (value < bestValue && cost <= endMs) {
      bestValue = value;
      best = place;
    }
  }
  return best < 0 ? shortest : best;
}
