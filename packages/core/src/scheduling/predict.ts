// How long a task will take on a class of machines, and what that rests on. Whole milliseconds, at least 1, so that sums kept
// step by step are exact.
//
//   own        this test's recent mean on this class, leaning on the next line as far as the suite's speeds explain things
//   elsewhere  its means on other classes, the more alike the more they count, each scaled by the suite's speeds
//   submitted  the submitter's estimate, scaled by the suite's speed on this class
//   suite      the suite's mean, scaled likewise
//   default    nothing is known
//
// A class on which the suite never ran borrows the speed of those alike (similarity to a high power: a near twin decides,
// the rest only stand in for it). The weight of `own` after n runs is n / (n + noise/unexplained): the estimator with the
// least mean square error where both spreads are known (Robinson, "That BLUP is a good thing", Statistical Science 6, 1991).
import type { EngineConfig } from '../engine/config.ts';
import type { State, TaskRecord } from '../engine/state.ts';
import { borrowedSpeeds, durationKeyOf, logOf, slownessesOf, speedOf, speedsOf } from './durations.ts';
import type { Duration, SuiteHistory } from './durations.ts';
import type { CapabilityClass, Lane } from './index-types.ts';

export type Basis = 'own' | 'elsewhere' | 'submitted' | 'suite' | 'default';
export type Prediction = { readonly ms: number; readonly basis: Basis; readonly runs: number };

/** Spread (variance of the logarithm) of one test on one machine between runs: a fifth, more or less, either way. */
const noise = 0.04;
/** A class that is alike to 95 % then counts a hundred times one that is alike to 70 %. */
const alikePower = 16;
/** From this on a test that is peculiar about its class has its costs looked at class by class: a factor of 1.5. */
const peculiarLog = Math.log(1.5);

/** The prediction that belongs to the task itself whatever the class, or null: what lanes are ordered by. */
export function predictOwn(state: State, suiteKey: string, task: TaskRecord): number | null {
  const durations = state.durations.size === 0 ? undefined : state.durations.get(durationKeyOf(suiteKey, task.target));
  if (durations !== undefined) {
    const [only] = durations;
    const suite = state.suites.get(suiteKey);
    if (durations.length === 1 && only !== undefined && (suite === undefined || suite.speeds.length < 2))
      return wholeMs(only.meanMs);
    return wholeMs(Math.exp(baseOf(suite, durations)));
  }
  return task.submittedMs === null ? null : wholeMs(task.submittedMs);
}

/**
 * Costs class by class (number of the machine, milliseconds, and so on in turn) of a test for which the suite's speeds are
 * wrong on some class; null for the many for which they will do. Kept while the task is queued.
 */
export function peculiarCosts(state: State, suiteKey: string, task: TaskRecord): readonly number[] | null {
  const suite = state.durations.size === 0 ? undefined : state.suites.get(suiteKey);
  if (suite === undefined || suite.speeds.length < 2) return null;
  const durations = state.durations.get(durationKeyOf(suiteKey, task.target));
  if (durations === undefined || durations.length < 2) return null;
  const base = baseOf(suite, durations);
  const isPeculiar = durations.some(
    ({ machine, meanMs }) => Math.abs(logOf(meanMs) - base - speedOf(suite, machine)) > peculiarLog,
  );
  return isPeculiar ? durations.flatMap(({ machine, meanMs }) => [machine, wholeMs(meanMs)]) : null;
}

function baseOf(suite: SuiteHistory | undefined, durations: readonly Duration[]): number {
  let sum = 0;
  let weights = 0;
  for (const { machine, meanMs, count } of durations) {
    const weight = Math.min(count, 5);
    sum += weight * (logOf(meanMs) - (suite === undefined ? 0 : speedOf(suite, machine)));
    weights += weight;
  }
  return sum / weights;
}

/** The mean of the lane's suite, or null while none of its tasks ever ran. */
export function predictFromSuite(state: State, lane: Lane): number | null {
  const history = state.suites.get(lane.suiteKey);
  return history === undefined || history.count === 0 ? null : wholeMs(history.meanMs);
}

/** The prediction of a queued task, whatever it rests on and wherever it will run. */
export function predict(state: State, config: EngineConfig, lane: Lane, task: TaskRecord): number {
  return task.predictedMs ?? predictFromSuite(state, lane) ?? config.defaultExpectedMs;
}

/** By how much longer than predicted without regard to class a suite takes on this one; 1 where all are alike. */
export function slownessOn(state: State, suiteKey: string, capability: CapabilityClass): number {
  const suite = state.suites.get(suiteKey);
  if (suite === undefined || suite.speeds.length < 2) return 1;
  const kept = slownessesOf(suite, state.machines.forgotten);
  let slowness = kept.get(capability);
  if (slowness === undefined) kept.set(capability, (slowness = Math.exp(logSpeedOn(state, suite, capability))));
  return slowness;
}

function logSpeedOn(state: State, suite: SuiteHistory, capability: CapabilityClass): number {
  const speeds = speedsOf(suite);
  const own = speeds.get(state.machines.numberOf(capability));
  if (own !== undefined) return own;
  const borrowed = borrowedSpeeds(suite, state.machines.forgotten);
  const known = borrowed.get(capability);
  if (known !== undefined) return known;
  let sum = 0;
  // A little of every class, so that one that is like none is taken for their middle.
  let weights = 0;
  for (const { machine: other, count } of suite.speeds) {
    const weight = Math.min(count, 20) * (state.machines.alike(capability, other) ** alikePower + 1e-6);
    sum += weight * (speeds.get(other) ?? 0);
    weights += weight;
  }
  borrowed.set(capability, sum / weights);
  return sum / weights;
}

/** What a queued task costs on a class, where its slowness there is known: the cheap question of placement. */
export function costOn(task: TaskRecord, unknownMs: number, slowness: number, machine: number): number {
  const { peculiar } = task;
  if (peculiar !== null)
    for (let at = 0; at < peculiar.length; at += 2) if (peculiar[at] === machine) return peculiar[at + 1] ?? 1;
  const ms = task.predictedMs ?? unknownMs;
  return slowness === 1 ? ms : wholeMs(ms * slowness);
}

/**
 * What placement takes a task to cost on a class: where classes differ, all that is known of this test on this one; where they do
 * not, what the lane is ordered by. What says why a task waits asks the same.
 */
export function costHere(
  state: State,
  config: EngineConfig,
  lane: Lane,
  task: TaskRecord,
  capability: CapabilityClass,
): number {
  const isPlain = task.peculiar === null && slownessOn(state, lane.suiteKey, capability) === 1;
  return isPlain ? predict(state, config, lane, task) : predictOn(state, config, lane, task, capability).ms;
}

/** The whole prediction, with what it rests on: for explanations, and for the batch that is given out. */
export function predictOn(
  state: State,
  config: EngineConfig,
  lane: Lane,
  task: TaskRecord,
  capability: CapabilityClass,
): Prediction {
  const suite = state.suites.get(lane.suiteKey);
  const durations = state.durations.get(durationKeyOf(lane.suiteKey, task.target)) ?? [];
  const machine = state.machines.numberOf(capability);
  const own = durations.find((one) => one.machine === machine);
  const others = durations.filter((one) => one.machine !== machine);
  const elsewhere = suite === undefined || others.length === 0 ? null : fromElsewhere(state, suite, others, capability);
  if (own !== undefined) {
    const unexplained = Math.max(noise / 4, suite?.unexplained ?? 0);
    const weight = elsewhere === null ? 1 : own.count / (own.count + noise / unexplained);
    const log = weight === 1 ? null : weight * logOf(own.meanMs) + (1 - weight) * (elsewhere ?? 0);
    return { ms: wholeMs(log === null ? own.meanMs : Math.exp(log)), basis: 'own', runs: own.count };
  }
  const slowness = slownessOn(state, lane.suiteKey, capability);
  if (elsewhere !== null) {
    const runs = others.reduce((sum, { count }) => sum + count, 0);
    return { ms: wholeMs(Math.exp(elsewhere)), basis: 'elsewhere', runs };
  }
  if (task.submittedMs !== null) return { ms: wholeMs(task.submittedMs * slowness), basis: 'submitted', runs: 0 };
  const mean = predictFromSuite(state, lane);
  return mean === null
    ? { ms: config.defaultExpectedMs, basis: 'default', runs: 0 }
    : { ms: wholeMs(mean * slowness), basis: 'suite', runs: suite?.count ?? 0 };
}

function fromElsewhere(
  state: State,
  suite: SuiteHistory,
  others: readonly Duration[],
  capability: CapabilityClass,
): number {
  let sum = 0;
  let weights = 0;
  for (const { machine, meanMs, count } of others) {
    const weight = Math.min(count, 5) * (state.machines.alike(capability, machine) ** alikePower + 1e-6);
    sum += weight * (logOf(meanMs) - speedOf(suite, machine));
    weights += weight;
  }
  return sum / weights + logSpeedOn(state, suite, capability);
}

/** Measured cost of starting the suite's runner, 0 while unknown. */
export function startupOf(state: State, lane: Lane): number {
  const history = state.suites.get(lane.suiteKey);
  return history === undefined ? 0 : Math.round(history.startupMs);
}

export function wholeMs(value: number): number {
  return Math.max(1, Math.round(value));
}
