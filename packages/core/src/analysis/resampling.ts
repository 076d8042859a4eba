// Answers by drawing again: permutation tests and bootstrap intervals. Luck is an argument, so the same data and stream give
// the same answer everywhere.
import { shuffle, type Uniform } from '../kernel/random.ts';
import { normalCdf, normalQuantile } from './distributions.ts';
import { mean, quantile, type Estimate } from './robust.ts';

/**
 * The p-value of `observed` among values drawn under the null: (above + 1) / (draws + 1), which is never 0 and never too small
 * (Phipson and Smyth 2010). Ends early once `enough` draws were as large, with enough / draws (Besag and Clifford 1991): what
 * is plainly nothing costs little.
 */
export function permutationP(observed: number, drawsMax: number, enough: number, draw: () => number): number {
  let above = 0;
  for (let drawn = 1; drawn <= drawsMax; drawn += 1) {
    if (draw() >= observed) above += 1;
    if (above === enough) return enough / drawn;
  }
  return (above + 1) / (drawsMax + 1);
}

/** Two-sided test of a difference of means by drawing which values belong to whom (Fisher 1935, Pitman 1937). */
export function permutationTest(
  a: readonly number[],
  b: readonly number[],
  uniform: Uniform,
  drawsMax = 9_999,
): number | null {
  if (a.length === 0 || b.length === 0) return null;
  const all = [...a, ...b];
  const total = all.reduce((sum, value) => sum + value, 0);
  const distance = (sumA: number): number => Math.abs(sumA / a.length - (total - sumA) / b.length);
  const sumOf = (): number => {
    let sum = 0;
    for (let at = 0; at < a.length; at += 1) sum += all[at] as number;
    return sum;
  };
  const observed = distance(sumOf()) * (1 - 1e-12);
  return permutationP(observed, drawsMax, drawsMax, () => {
    shuffle(all, uniform);
    return distance(sumOf());
  });
}

/**
 * The interval of a statistic by the bootstrap, bias-corrected and accelerated (Efron 1987; acceleration by the jackknife).
 * Null under `leastValues` values: from fewer nothing can be said by drawing from them. Where all values are equal the
 * interval is that value.
 */
export function bcaInterval(
  values: readonly number[],
  statistic: (values: readonly number[]) => number,
  uniform: Uniform,
  { confidence = 0.95, draws = 2_000 }: { readonly confidence?: number; readonly draws?: number } = {},
): Estimate | null {
  const n = values.length;
  if (n < leastValues) return null;
  const value = statistic(values);
  const sample = Array.from<number>({ length: n });
  const drawn = Float64Array.from({ length: draws }, () => {
    for (let at = 0; at < n; at += 1) sample[at] = values[Math.floor(uniform() * n)] as number;
    return statistic(sample);
  });
  const list = [...drawn.sort()];
  // Ties with the value count half: medians of few values repeat.
  const below = list.reduce((sum, one) => sum + (one < value ? 1 : one === value ? 0.5 : 0), 0) / draws;
  const bias = normalQuantile(Math.min(Math.max(below, 0.5 / draws), 1 - 0.5 / draws));
  const acceleration = accelerationOf(values, statistic);
  const shareAt = (share: number): number => {
    const z = bias + normalQuantile(share);
    return normalCdf(bias + z / (1 - acceleration * z));
  };
  const tail = (1 - confidence) / 2;
  return {
    value,
    low: quantile(list, shareAt(tail)) as number,
    high: quantile(list, shareAt(1 - tail)) as number,
  };
}

/** Fewest values that an interval is drawn from. */
export const leastValues = 5;

function accelerationOf(values: readonly number[], statistic: (values: readonly number[]) => number): number {
  const without = values.map((_, left) => statistic(values.filter((_, at) => at !== left)));
  const middle = mean(without) as number;
  const cubes = without.reduce((sum, one) => sum + (middle - one) ** 3, 0);
  const squares = without.reduce((sum, one) => sum + (middle - one) ** 2, 0);
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}
