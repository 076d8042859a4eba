// A workload: classes of equal workers, and tests that take another time on each of them. Drawn from a seed, or recorded.
// What always holds: the same seed is the same workload; a test fits at least one class; times are whole milliseconds.
//
// Drawn tests have a base time (log-normal or Pareto), times the speed of the class, times an affinity of test and class: for
// most tests near 1, for the rest spread over up to three orders of magnitude, as when a shader compiles on one driver in a
// moment and on another in minutes.
import { randomOf, type Random } from '../../packages/simulator/src/sim/random.ts';
import { logNormal, pareto, shuffled } from '../draw.ts';

export type WorkloadClass = { readonly name: string; readonly workers: number; readonly slots: number };
export type WorkloadSuite = {
  readonly name: string;
  readonly batching: 'single' | 'shared';
  readonly classes: readonly number[];
};
export type WorkloadTest = {
  readonly target: string;
  readonly suite: number;
  /** Its usual time on each class; Infinity where its suite does not fit. */
  readonly usualMs: readonly number[];
};
export type Workload = {
  readonly name: string;
  readonly seed: number;
  readonly kind: 'log-normal' | 'Pareto' | 'recorded';
  readonly classes: readonly WorkloadClass[];
  readonly suites: readonly WorkloadSuite[];
  readonly tests: readonly WorkloadTest[];
  /** Of a runner, once an assignment. */
  readonly startupMs: number;
};

const shortestMs = 1;
const longestMs = 3_600_000;

export function drawWorkload(seed: number): Workload {
  const random = randomOf(seed, 'workload');
  const kind = random.pick(['log-normal', 'Pareto'] as const);
  const classes = drawClasses(random);
  const slots = classes.reduce((sum, { workers, slots: each }) => sum + workers * each, 0);
  const suites = drawSuites(random, classes.length);
  const count = Math.min(1_200, Math.max(40, slots * random.int(6, 24)));
  const base = drawBase(random, kind);
  const speeds = classes.map(() => logNormal(random, 1, 0.6));
  const oddShare = random.pick([0, 0.1, 0.3, 0.6]);
  const spread = random.pick([10, 100, 1_000]);
  const tests = Array.from({ length: count }, (_, index): WorkloadTest => {
    const suite = random.int(0, suites.length - 1);
    const baseMs = base();
    const isOdd = random.chance(oddShare);
    const affinity = affinities(random, classes.length, isOdd ? spread : 1);
    const usualMs = classes.map((_class, at) => {
      const ms = baseMs * speeds[at]! * affinity[at]!;
      return suites[suite]!.classes.includes(at) ? wholeMs(ms) : Infinity;
    });
    return { target: `test/unit/part-${index % 17}/feature-${index}.test.ts`, suite, usualMs };
  });
  const name = `${kind}, ${slots} slots in ${classes.length} classes, ${count} tests, ${Math.round(oddShare * 100)} % of them up to ${spread}-fold`;
  return { name, seed, kind, classes, suites, tests, startupMs: 0 };
}

/** 2 to 64 workers in 1 to 8 classes, some of them with two slots. */
function drawClasses(random: Random): WorkloadClass[] {
  const workers = random.skewed(2, 64);
  const count = Math.min(workers, random.int(1, 8));
  const members = Array.from({ length: count }, () => 1);
  for (let left = workers - count; left > 0; left -= 1) members[random.int(0, count - 1)]! += 1;
  return members.map((each, at) => ({ name: `kind${at}`, workers: each, slots: random.chance(0.2) ? 2 : 1 }));
}

function drawSuites(random: Random, classes: number): WorkloadSuite[] {
  const all = Array.from({ length: classes }, (_, at) => at);
  return Array.from({ length: random.int(1, 4) }, (_, at) => {
    const isChoosy = at > 0 && classes > 1 && random.chance(0.5);
    const some = shuffled(random, all).slice(0, random.int(1, Math.max(1, classes - 1)));
    return {
      name: `suite ${at}`,
      batching: 'single' as const,
      classes: isChoosy ? some.toSorted((a, b) => a - b) : all,
    };
  });
}

function drawBase(random: Random, kind: 'log-normal' | 'Pareto'): () => number {
  const middleMs = random.skewed(100, 5_000);
  const sigma = 0.8 + random.real();
  const alpha = 1.1 + 0.9 * random.real();
  return kind === 'log-normal' ? () => logNormal(random, middleMs, sigma) : () => pareto(random, middleMs / 2, alpha);
}

/** One factor a class, at most `spread` apart; by a quarter or so where nothing is odd. */
function affinities(random: Random, classes: number, spread: number): number[] {
  return Array.from({ length: classes }, () =>
    spread === 1 ? logNormal(random, 1, 0.1) : spread ** (random.real() - 0.5),
  );
}

/** What each test takes on each class in one run: its usual time, times what this run makes of it on any machine (`sigma` of the logarithm). */
export function drawRunMs(workload: Workload, run: string, sigma: number): number[][] {
  const random = randomOf(workload.seed, `run ${run}`);
  return workload.tests.map(({ usualMs }) => {
    const row: number[] = [];
    for (const ms of usualMs) row.push(Number.isFinite(ms) ? wholeMs(logNormal(random, ms, sigma)) : Infinity);
    return row;
  });
}

export function slotsOf({ classes }: Workload): number[] {
  return classes.map(({ workers, slots }) => workers * slots);
}

function wholeMs(ms: number): number {
  return Math.round(Math.min(longestMs, Math.max(shortestMs, ms)));
}
