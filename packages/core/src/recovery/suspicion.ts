// What speaks against a place: a worker, or all workers of one capability class. Two kinds of evidence, both of other tasks
// than the one in question, both forgotten with time:
//
//   measured      a failure of device, driver or browser there
//   contradicted  a test that failed there by its own words and passed elsewhere
//
// One test that fails now and then speaks against everybody a little: a place is suspected only where clearly more speaks
// against it than against its peers. A worker is suspected alone; a class where several of its workers are.
import type { FailureClass, WorkerId } from '@assay/protocol';
import type { RecoveryConfig } from './recovery-config.ts';

export type Suspicion = {
  /** The task, over runs. */
  readonly key: string;
  readonly atMs: number;
  /** Capability class that the worker was of, by id. */
  readonly class: string | null;
  readonly isMeasured: boolean;
  /** What a measured failure said was at fault. */
  readonly named?: FailureClass;
  /** Whether the task asked for more than a processor: what it shows of the device says nothing to those that do not. */
  readonly usesDevice: boolean;
};

export type Suspicions = ReadonlyMap<WorkerId, readonly Suspicion[]>;

type Counted = {
  readonly worker: WorkerId;
  readonly class: string | null;
  readonly weight: number;
  /** Different tests. */
  readonly tests: number;
};

/** A measured failure weighs as much as three contradictions: tests of their own accord do not write to the kernel's log. */
const measuredWeight = 3;

/** How much speaks against each worker, by tasks other than `self`: each task once. */
function countedOf(
  suspicions: Suspicions,
  config: RecoveryConfig,
  nowMs: number,
  self: string,
  usesDevice: boolean,
): Counted[] {
  const counted: Counted[] = [];
  for (const [worker, entries] of suspicions) {
    const weights = new Map<string, number>();
    let last: string | null = null;
    for (const { key, atMs, isMeasured, class: of, usesDevice: its } of entries) {
      if (key === self || its !== usesDevice || atMs <= nowMs - config.suspicionMs) continue;
      weights.set(key, Math.max(weights.get(key) ?? 0, isMeasured ? measuredWeight : 1));
      last = of;
    }
    if (weights.size === 0) continue;
    const weight = sumOf([...weights.values()]);
    counted.push({ worker, class: last, weight, tests: weights.size });
  }
  return counted;
}

/** Workers that are suspected alone, and classes of which several workers are. */
export function suspectsOf(
  suspicions: Suspicions,
  config: RecoveryConfig,
  nowMs: number,
  self: { readonly key: string; readonly usesDevice: boolean },
  fleet: { readonly workers: number; readonly membersOf: (of: string) => number },
): { readonly workers: ReadonlySet<WorkerId>; readonly classes: ReadonlySet<string> } {
  const counted = countedOf(suspicions, config, nowMs, self.key, self.usesDevice);
  const workers = new Set<WorkerId>();
  const classes = new Set<string>();
  if (counted.length === 0) return { workers, classes };
  const total = sumOf(counted.map(({ weight }) => weight));
  for (const [of, members] of byClass(counted)) {
    if (of === null || namesUnits(suspicions, of, nowMs - config.suspicionMs)) continue;
    const size = Math.max(members.length, fleet.membersOf(of));
    const heavy = members.filter((one) => one.weight >= config.suspicionWeightMin);
    // Most of all that is wrong is here, and on most of its units: a version is the same on all of them.
    if (heavy.length < 2 || members.length < 0.6 * size) continue;
    if (sumOf(members.map(({ weight }) => weight)) < (2 / 3) * total) continue;
    const others = counted.filter((one) => one.class !== of).map(({ tests }) => tests);
    const usual = usualOf(others, Math.max(1, fleet.workers - size));
    const tests = members.map((one) => one.tests);
    if (isEvenlyBad([...tests, ...zeros(size - members.length)], usual)) classes.add(of);
  }
  for (const one of counted) {
    const others = counted.filter(({ worker }) => worker !== one.worker).map(({ weight }) => weight);
    const usual = usualOf(others, Math.max(1, fleet.workers - 1));
    if (one.weight >= config.suspicionWeightMin && one.weight >= 3 * usual) workers.add(one.worker);
  }
  return { workers, classes };
}

/** How much speaks against an ordinary one of `size`: bad ones, at most a third of them, are left out so as not to hide each other. */
function usualOf(weights: readonly number[], size: number): number {
  const sorted = [...weights, ...zeros(size - weights.length)].sort((a, b) => a - b);
  const kept = Math.max(1, Math.floor((2 * sorted.length) / 3));
  let sum = sumOf(sorted.slice(0, kept));
  let count = kept;
  for (const weight of sorted.slice(kept)) {
    // The lighter ones alone would make everybody look heavy: whoever does not stand out belongs to them.
    if (weight >= standsOut * ((sum + 1) / count)) break;
    sum += weight;
    count += 1;
  }
  return sum / count;
}

const standsOut = 4;

/**
 * Whether the failures of a class are those of its version, which is the same on all of its units: that all of them fail at one
 * rate explains the counts better than that a few do and the others are as usual. Logarithms of Poisson
 * likelihoods, less a price for each rate that is assumed.
 */
function isEvenlyBad(tests: readonly number[], usual: number): boolean {
  const chance = Math.max(usual, 0.5 / tests.length);
  const one = sumOf(tests.map((count) => likelihood(count, sumOf(tests) / tests.length))) - ratePrice;
  const some = sumOf(tests.map((count) => Math.max(likelihood(count, count) - ratePrice, likelihood(count, chance))));
  return one > some;
}

const ratePrice = 2;

/** Without the term that is the same for every rate. */
function likelihood(count: number, rate: number): number {
  return (count === 0 ? 0 : count * Math.log(rate)) - rate;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function zeros(count: number): number[] {
  return Array.from({ length: Math.max(0, count) }, () => 0);
}

/** Whether what was measured in a class says that its units are broken, each for itself, more often than their version. */
function namesUnits(suspicions: Suspicions, of: string | null, sinceMs: number): boolean {
  let units = 0;
  let version = 0;
  for (const entries of suspicions.values()) {
    for (const { class: at, named, atMs } of entries) {
      if (at !== of || named === undefined || atMs <= sinceMs) continue;
      if (named === 'device') units += 1;
      else version += 1;
    }
  }
  return units > version;
}

function byClass(counted: readonly Counted[]): Map<string | null, Counted[]> {
  const classes = new Map<string | null, Counted[]>();
  for (const one of counted) classes.set(one.class, [...(classes.get(one.class) ?? []), one]);
  return classes;
}
