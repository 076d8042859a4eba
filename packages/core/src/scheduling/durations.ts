// What is remembered of how long things take, and how it is learned. In logarithms, because durations differ by factors:
//
//   log cost(test, class) = base(test) + speed(suite, class) + what only this pair knows
//
// Kept are the recent mean of every test on each class where it ran (an exponentially weighted mean: code changes), and per
// suite the speed of each class. The base is not kept: it is what the means say of it under the speeds of now, so that a
// speed that becomes better known corrects every test at once.
//
// A speed comes from tests that ran on two classes: each new cost says how far the class is from the others. While there are
// few of those it leans on the plain means of the classes, which say less, since other tests may have run there.
// Bounded: at most `classesPerTest` and `classesPerSuite`; the entry that was not written for longest makes room.
import type { State } from '../engine/state.ts';
import type { CapabilityClass } from './index-types.ts';

/** One test on one class. `machine` is a number of `state.machines`. */
export type Duration = { machine: number; meanMs: number; count: number; lastAtMs: number };
/** One class in one suite. `meanLog` is of all costs there; `log` and `pairs` of tests that ran on other classes too. */
export type Speed = { machine: number; meanLog: number; count: number; log: number; pairs: number; lastAtMs: number };
/** What is remembered of a suite: the mean cost of its tasks and of starting its runner, its classes, its predictions. */
export type SuiteHistory = {
  meanMs: number;
  count: number;
  startupMs: number;
  startups: number;
  speeds: Speed[];
  /** Mean square of what the speeds do not explain, in logarithms, and over how many pairs. */
  unexplained: number;
  pairs: number;
  /** Predictions by how far off they were: see calibration.ts. */
  calibration: number[];
};

/** Least weight of the newest observation: the last handful of runs decide, as code changes. */
const newestWeightMin = 0.3;
/** For a suite's mean over many tasks and for start-up, one observation weighs less. */
const suiteWeightMin = 0.05;
const startupWeightMin = 0.2;
export const classesPerTest = 8;
export const classesPerSuite = 64;

export function durationKeyOf(suiteKey: string, target: string): string {
  return `${suiteKey}\n${target}`;
}

export function emptySuite(): SuiteHistory {
  return { meanMs: 0, count: 0, startupMs: 0, startups: 0, speeds: [], unexplained: 0, pairs: 0, calibration: [] };
}

export type Observation = {
  readonly suiteKey: string;
  readonly target: string;
  readonly capability: CapabilityClass;
  readonly costMs: number;
  readonly startupMs: number | undefined;
  readonly atMs: number;
};

/** Learns from an attempt that really ran. Called by evolve alone. */
export function learn(
  state: State,
  { suiteKey, target, capability, costMs, startupMs, atMs }: Observation,
): SuiteHistory {
  const machine = state.machines.learn(capability);
  const suite = state.suites.get(suiteKey) ?? emptySuite();
  const key = durationKeyOf(suiteKey, target);
  const durations = state.durations.get(key) ?? [];
  const speed = speedIn(suite, machine, atMs);
  const log = logOf(costMs);
  learnSpeed(suite, speed, durations, log);

  let own = durations.find((one) => one.machine === machine);
  if (own === undefined) {
    makeRoom(durations, classesPerTest);
    durations.push((own = { machine, meanMs: 0, count: 0, lastAtMs: atMs }));
  }
  own.count += 1;
  own.meanMs = moved(own.meanMs, costMs, own.count, newestWeightMin);
  own.lastAtMs = atMs;
  state.durations.set(key, durations);

  suite.count += 1;
  suite.meanMs = moved(suite.meanMs, costMs, suite.count, suiteWeightMin);
  if (startupMs !== undefined) {
    suite.startups += 1;
    suite.startupMs = moved(suite.startupMs, startupMs, suite.startups, startupWeightMin);
  }
  state.suites.set(suiteKey, suite);
  return suite;
}

/**
 * Learns from an attempt that was stopped before it was over: its cost is at least what is observed. Where that is no more than was
 * expected, or than is known of the test there, it says nothing; where it is more, it counts as what was seen, and never as
 * more than that. Null where it said nothing. Called by evolve alone.
 */
export function learnBound(state: State, observed: Observation, expectedMs: number): SuiteHistory | null {
  const { suiteKey, target, capability, costMs } = observed;
  const machine = state.machines.numberOf(capability);
  const own = state.durations.get(durationKeyOf(suiteKey, target))?.find((one) => one.machine === machine);
  return costMs <= Math.max(expectedMs, own?.meanMs ?? 0) ? null : learn(state, observed);
}

function speedIn(suite: SuiteHistory, machine: number, atMs: number): Speed {
  let speed = suite.speeds.find((one) => one.machine === machine);
  if (speed === undefined) {
    makeRoom(suite.speeds, classesPerSuite);
    suite.speeds.push((speed = { machine, meanLog: 0, count: 0, log: 0, pairs: 0, lastAtMs: atMs }));
  }
  speed.lastAtMs = atMs;
  return speed;
}

function learnSpeed(suite: SuiteHistory, speed: Speed, durations: readonly Duration[], log: number): void {
  speed.count += 1;
  speed.meanLog = moved(speed.meanLog, log, speed.count, suiteWeightMin);
  if (durations.length === 0 || (durations.length === 1 && durations[0]?.machine === speed.machine)) return;
  let sum = 0;
  let weights = 0;
  // With what was learned just now: not the table of before.
  const mean = meanOf(suite);
  const speedNow = (machine: number): number => {
    const one = suite.speeds.length < 2 ? undefined : suite.speeds.find((other) => other.machine === machine);
    return one === undefined ? 0 : blended(one, mean);
  };
  for (const { machine, meanMs, count } of durations) {
    if (machine === speed.machine) continue;
    const weight = Math.min(count, 5);
    sum += weight * (logOf(meanMs) - speedNow(machine));
    weights += weight;
  }
  const seen = log - sum / weights;
  const surprise = seen - speedNow(speed.machine);
  suite.pairs += 1;
  // The first pairs of a class tell its speed, and nothing yet of how well speeds explain.
  if (speed.pairs >= 3) suite.unexplained = moved(suite.unexplained, surprise * surprise, suite.pairs, suiteWeightMin);
  speed.pairs += 1;
  speed.log = moved(speed.log, seen, speed.pairs, suiteWeightMin);
}

/** Speeds of a suite as they are until something is learned, which `count` tells: they follow from it and are no part of the state. */
type SpeedTable = {
  count: number;
  byMachine: Map<number, number>;
  borrowed: Map<CapabilityClass, number>;
  slownesses: Map<CapabilityClass, number>;
  forgotten: number;
};
const tables = new WeakMap<SuiteHistory, SpeedTable>();

function tableOf(suite: SuiteHistory): SpeedTable {
  const known = tables.get(suite);
  if (known !== undefined && known.count === suite.count) return known;
  const mean = meanOf(suite);
  const byMachine = new Map<number, number>();
  for (const speed of suite.speeds) byMachine.set(speed.machine, blended(speed, mean));
  const table: SpeedTable = { count: suite.count, byMachine, borrowed: new Map(), slownesses: new Map(), forgotten: 0 };
  tables.set(suite, table);
  return table;
}

/** The speed of a class in a suite that has run on it, as a logarithm; only differences between classes mean something. */
export function speedOf(suite: SuiteHistory, machine: number): number {
  return suite.speeds.length < 2 ? 0 : (tableOf(suite).byMachine.get(machine) ?? 0);
}

/** All of them, by the number of the class. */
export function speedsOf(suite: SuiteHistory): ReadonlyMap<number, number> {
  return tableOf(suite).byMachine;
}

/** Speeds that classes borrow from those alike, as long as nothing is learned and no class is forgotten. */
export function borrowedSpeeds(suite: SuiteHistory, forgotten: number): Map<CapabilityClass, number> {
  return keptOf(suite, forgotten).borrowed;
}

/** What speeds come to as factors, by class, as far as they were asked for; kept as long as those are. */
export function slownessesOf(suite: SuiteHistory, forgotten: number): Map<CapabilityClass, number> {
  return keptOf(suite, forgotten).slownesses;
}

function keptOf(suite: SuiteHistory, forgotten: number): SpeedTable {
  const table = tableOf(suite);
  if (table.forgotten === forgotten) return table;
  table.borrowed.clear();
  table.slownesses.clear();
  table.forgotten = forgotten;
  return table;
}

function meanOf({ speeds }: SuiteHistory): number {
  let mean = 0;
  for (const one of speeds) mean += one.meanLog / speeds.length;
  return mean;
}

function blended(speed: Speed, mean: number): number {
  const plain = (speed.meanLog - mean) * (speed.count / (speed.count + 3));
  const pairs = Math.min(speed.pairs, 50);
  return (pairs * speed.log + 2 * plain) / (pairs + 2);
}

function makeRoom(entries: { lastAtMs: number }[], max: number): void {
  if (entries.length < max) return;
  let oldest = 0;
  for (const [at, { lastAtMs }] of entries.entries()) if (lastAtMs < entries[oldest]!.lastAtMs) oldest = at;
  entries.splice(oldest, 1);
}

export function logOf(costMs: number): number {
  return Math.log(Math.max(1, costMs));
}

function moved(mean: number, observed: number, count: number, weightMin: number): number {
  return mean + (observed - mean) * Math.max(1 / count, weightMin);
}
