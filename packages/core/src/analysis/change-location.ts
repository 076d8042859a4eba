// Where a change lies, with a set of places that holds it: the posterior over places of one change, each place as likely
// before anything was seen. For numbers (normal on either side of the change, one spread, nothing known of either level or of
// the spread: A. Smith, "A Bayesian approach to inference about a change-point", Biometrika 1975) and for pass and fail
// (beta-binomial on either side).
import { logBeta } from './distributions.ts';

/** Places are of the first value after the change; the set from `first` to `last` holds it with the stated confidence. */
export type Location = { readonly first: number; readonly last: number; readonly likeliest: number };

/** Of a change in level, with at least one value on either side. Null under four values, or where all are equal. */
export function locateShift(values: readonly number[], confidence = 0.95): Location | null {
  const n = values.length;
  if (n < 4) return null;
  const [sums, squares] = [running(values), running(values.map((value) => value * value))];
  const total = [sums[n] as number, squares[n] as number] as const;
  const spread = total[1] - total[0] ** 2 / n;
  if (!(spread > 0)) return null;
  const weights: number[] = [];
  for (let at = 1; at < n; at += 1) {
    const before = (squares[at] as number) - (sums[at] as number) ** 2 / at;
    const after = total[1] - (squares[at] as number) - (total[0] - (sums[at] as number)) ** 2 / (n - at);
    // Two exactly constant sides leave nothing over: as sure as numbers of this size can say.
    const rest = Math.max(before + after, spread * 1e-12);
    weights.push(-0.5 * Math.log(at * (n - at)) - ((n - 2) / 2) * Math.log(rest));
  }
  return setOf(posteriorOf(weights), 1, confidence);
}

export type Culprit = Location & {
  /** The share of the posterior that says that there was a change at all, of a half before anything was seen. */
  readonly changed: number;
  /** For each place from 1 on: how likely the change is there, where there was one. */
  readonly posterior: readonly number[];
};

/** Tries of one revision: how many failed, how many passed. */
export type Tried = { readonly failed: number; readonly passed: number };

/**
 * After which revision failing became likelier, from tries of a test in the order of revisions (those without tries have
 * zeros and stay possible culprits). A rate on either side of unknown height (uniform before), the later one the higher:
 * a flake fails on both sides and is no change. Null under two revisions.
 */
export function locateCulprit(revisions: readonly Tried[], confidence = 0.95): Culprit | null {
  const n = revisions.length;
  if (n < 2) return null;
  const [failed, passed] = [running(revisions.map((one) => one.failed)), running(revisions.map((one) => one.passed))];
  const [allFailed, allPassed] = [failed[n] as number, passed[n] as number];
  const weights: number[] = [];
  for (let at = 1; at < n; at += 1) {
    const [f, p] = [failed[at] as number, passed[at] as number];
    weights.push(logRising({ failed: f, passed: p }, { failed: allFailed - f, passed: allPassed - p }));
  }
  const steady = logBeta(1 + allFailed, 1 + allPassed);
  const most = Math.max(...weights, steady);
  const sum = weights.reduce((total, weight) => total + Math.exp(weight - most), 0) / weights.length;
  const posterior = posteriorOf(weights);
  return { ...setOf(posterior, 1, confidence), changed: sum / (sum + Math.exp(steady - most)), posterior };
}

/** Steps of the sum over rates; 200 leave an error far below what one try moves. */
const rateSteps = 200;

/**
 * The logarithm of the probability of both sides' tries where the earlier rate is uniform below the later: the integral over
 * 0 < early < late < 1 of their likelihoods, times 2, by the midpoint rule.
 */
function logRising(early: Tried, late: Tried): number {
  const logOf = (rate: number, { failed, passed }: Tried): number =>
    failed * Math.log(rate) + passed * Math.log1p(-rate);
  let [most, sum] = [-Infinity, 0];
  let [below, belowMost] = [0, -Infinity];
  for (let step = 0; step < rateSteps; step += 1) {
    const rate = (step + 0.5) / rateSteps;
    // `below` is the sum of early likelihoods under this rate, in units of exp(belowMost): half of this step's own.
    const own = logOf(rate, early);
    if (own > belowMost) [below, belowMost] = [below * Math.exp(belowMost - own), own];
    const half = Math.exp(own - belowMost) / 2;
    const both = logOf(rate, late) + Math.log(below + half) + belowMost;
    below += 2 * half;
    if (both > most) [sum, most] = [sum * Math.exp(most - both), both];
    sum += Math.exp(both - most);
  }
  return Math.log(2 * sum) + most - 2 * Math.log(rateSteps);
}

function running(values: readonly number[]): number[] {
  const sums = [0];
  for (const value of values) sums.push((sums.at(-1) as number) + value);
  return sums;
}

function posteriorOf(logWeights: readonly number[]): number[] {
  const most = Math.max(...logWeights);
  const weights = logWeights.map((weight) => Math.exp(weight - most));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** The likeliest places until they hold the confidence, as the range from the first to the last of them. */
function setOf(posterior: readonly number[], offset: number, confidence: number): Location {
  const order = posterior
    .map((_, at) => at)
    .sort((a, b) => (posterior[b] as number) - (posterior[a] as number) || a - b);
  let held = 0;
  let [first, last] = [order[0] as number, order[0] as number];
  for (const at of order) {
    held += posterior[at] as number;
    [first, last] = [Math.min(first, at), Math.max(last, at)];
    if (held >= confidence) break;
  }
  return { first: first + offset, last: last + offset, likeliest: (order[0] as number) + offset };
}
