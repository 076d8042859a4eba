// Location and spread that a few wild values do not move. What always holds: of no values there is no number, so these
// answer null and never a default.
import { normalQuantile } from './distributions.ts';

/** The value below which a share of the values lie, between neighbours by straight line (R's type 7; Hyndman and Fan 1996). */
export function quantile(values: readonly number[], share: number): number | null {
  return values.length === 0 ? null : quantileOfSorted(Float64Array.from(values).sort(), share);
}

export function median(values: readonly number[]): number | null {
  return quantile(values, 0.5);
}

/** Median distance from the median (Hampel 1974), in the values' unit; times 1.4826 it estimates a normal's deviation. */
export function medianAbsoluteDeviation(values: readonly number[]): number | null {
  const middle = median(values);
  return middle === null ? null : median(values.map((value) => Math.abs(value - middle)));
}

/** The median of the means of all pairs, each value with itself too (Hodges and Lehmann 1963). O(n^2). */
export function hodgesLehmann(values: readonly number[]): number | null {
  const means: number[] = [];
  for (const [at, one] of values.entries())
    for (let other = at; other < values.length; other += 1) means.push((one + (values[other] as number)) / 2);
  return median(means);
}

/** What was estimated, and between which values it lies with the stated confidence. */
export type Estimate = { readonly value: number; readonly low: number; readonly high: number };

/**
 * By how much `after` lies above `before`: the median of all differences (Hodges and Lehmann 1963), with the interval that
 * inverts the Mann-Whitney test (Hollander, Wolfe and Chicken 2014, section 4.3, large samples). O(n m). Null where one is empty.
 */
export function shiftBetween(before: readonly number[], after: readonly number[], confidence = 0.95): Estimate | null {
  const [n, m] = [before.length, after.length];
  if (n === 0 || m === 0) return null;
  const differences = new Float64Array(n * m);
  let at = 0;
  for (const late of after) for (const early of before) differences[at++] = late - early;
  differences.sort();
  const reach = normalQuantile(1 - (1 - confidence) / 2) * Math.sqrt((n * m * (n + m + 1)) / 12);
  const low = Math.max(0, Math.floor((n * m) / 2 - reach));
  return {
    value: quantileOfSorted(differences, 0.5),
    low: differences[low] as number,
    high: differences[n * m - 1 - low] as number,
  };
}

export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function quantileOfSorted(sorted: Float64Array, share: number): number {
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  const below = sorted[low] as number;
  return below + ((sorted[Math.min(low + 1, sorted.length - 1)] as number) - below) * (at - low);
}
