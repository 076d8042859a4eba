// The energy distance between what came before and after each point of a series: the statistic of E-divisive, which sees any
// change of a distribution. Values are clipped first, so that one wild value is no change.
// Source: D. Matteson and N. James, "A nonparametric approach for multiple change point analysis of multivariate data", JASA
// 2014 (exponent 1, one dimension); G. Szekely and M. Rizzo 2005.
import { shuffle, type Uniform } from '../kernel/random.ts';
import { permutationP } from './resampling.ts';
import { median, medianAbsoluteDeviation } from './robust.ts';

type Split = {
  /** Place of the first value after the change. */
  readonly at: number;
  /** n m / (n + m) times the energy distance, in the values' unit. */
  readonly statistic: number;
};

/** How far from the median, in estimated deviations, a value is let stand. */
const clipDeviations = 4;

/** Values with what lies further from the median than four deviations (by MAD) put there. */
export function clipped(values: readonly number[]): number[] {
  const middle = median(values);
  const deviation = (medianAbsoluteDeviation(values) ?? 0) * 1.4826;
  // More than half of them equal: there is no spread to measure by, and nothing is wild by it.
  if (middle === null || deviation === 0) return [...values];
  const reach = clipDeviations * deviation;
  return values.map((value) => Math.min(middle + reach, Math.max(middle - reach, value)));
}

/**
 * Where the two sides differ most, with at least `headMin` values before and `tailMin` after, and the p-value of its statistic
 * among orders of the same values: 1 / (drawsMax + 1) at least. Null where there are too few.
 */
export function energySplit(
  values: readonly number[],
  sizes: { readonly headMin: number; readonly tailMin: number },
  draws: { readonly max: number; readonly enough: number },
  uniform: Uniform,
): (Split & { readonly p: number }) | null {
  const { headMin, tailMin } = sizes;
  if (values.length < headMin + tailMin) return null;
  const distances = distancesOf(values);
  const order = values.map((_, at) => at);
  const found = largest(distances, order, headMin, tailMin);
  const p = permutationP(found.statistic * (1 - 1e-12), draws.max, draws.enough, () => {
    shuffle(order, uniform);
    return largest(distances, order, headMin, tailMin).statistic;
  });
  return { ...found, p };
}

type Distances = { readonly size: number; readonly table: Float64Array; readonly total: number };

function distancesOf(values: readonly number[]): Distances {
  const size = values.length;
  const table = new Float64Array(size * size);
  let total = 0;
  for (let i = 0; i < size; i += 1)
    for (let j = 0; j < i; j += 1) {
      const distance = Math.abs((values[i] as number) - (values[j] as number));
      table[i * size + j] = distance;
      table[j * size + i] = distance;
      total += distance;
    }
  return { size, table, total };
}

/** Values move one by one from the right side to the left, and the three sums with them: O(n^2) for all splits. */
function largest({ size, table, total }: Distances, order: readonly number[], headMin: number, tailMin: number): Split {
  let [left, right, best, at] = [0, total, -Infinity, headMin];
  for (let moved = 0; moved < size - tailMin; moved += 1) {
    const row = (order[moved] as number) * size;
    let [toLeft, toRight] = [0, 0];
    for (let other = 0; other < moved; other += 1) toLeft += table[row + (order[other] as number)] as number;
    for (let other = moved + 1; other < size; other += 1) toRight += table[row + (order[other] as number)] as number;
    left += toLeft;
    right -= toRight;
    const [n, m] = [moved + 1, size - moved - 1];
    if (n < headMin) continue;
    const between = (2 * (total - left - right)) / (n * m);
    const within = (n > 1 ? (2 * left) / (n * (n - 1)) : 0) + (m > 1 ? (2 * right) / (m * (m - 1)) : 0);
    const statistic = ((n * m) / size) * (between - within);
    if (statistic > best) [best, at] = [statistic, n];
  }
  return { at, statistic: best };
}
