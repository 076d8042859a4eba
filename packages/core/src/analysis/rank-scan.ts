// The rank test of Mann and Whitney at every place of a series at once, and what its largest value is worth: the maximally
// selected rank statistic (A. Pettitt, "A non-parametric approach to the change-point problem", Applied Statistics 1979; each
// place standardised, as B. Lausen and M. Schumacher 1992 do). p by drawing orders of the ranks.
import { shuffle, type Uniform } from '../kernel/random.ts';
import { midRanks, rankSumTest } from './ranks.ts';
import { permutationP } from './resampling.ts';

export type RankScan = {
  /** What it is worth that the largest was looked for: 1 / (draws + 1) at least. */
  readonly drawnP: number;
  /** The same without drawing, by Bonferroni over the places: larger in the middle, and as small as need be. */
  readonly boundP: number;
};

/**
 * Over all places that leave `headMin` values before and `tailMin` after. Where the bound is above a half nothing is drawn and
 * both are 1: most points of most series end there. Null where there is no such place.
 */
export function scanRanks(
  values: readonly number[],
  sizes: { readonly headMin: number; readonly tailMin: number },
  draws: { readonly max: number; readonly enough: number },
  uniform: Uniform,
): RankScan | null {
  const { headMin, tailMin } = sizes;
  const places = values.length - headMin - tailMin + 1;
  if (places < 1) return null;
  const { ranks, tieTerm } = midRanks(values);
  const boundP = places * smallestP(ranks, tieTerm, headMin, tailMin);
  if (boundP > 0.5) return { drawnP: 1, boundP: 1 };
  const weights = weightsOf(values.length);
  const observed = largest(ranks, weights, headMin, tailMin) * (1 - 1e-12);
  const drawnP = permutationP(observed, draws.max, draws.enough, () => {
    shuffle(ranks, uniform);
    return largest(ranks, weights, headMin, tailMin);
  });
  return { drawnP, boundP };
}

function smallestP(ranks: readonly number[], tieTerm: number, headMin: number, tailMin: number): number {
  let [sum, smallest] = [0, 1];
  for (let n = 1; n <= ranks.length - tailMin; n += 1) {
    sum += ranks[n - 1] as number;
    if (n >= headMin) smallest = Math.min(smallest, rankSumTest(sum, n, ranks.length - n, tieTerm).p);
  }
  return smallest;
}

/** One over the deviation of the rank sum of n of all, but for a factor that is the same at all places. */
const weightsOf = (all: number): Float64Array =>
  Float64Array.from({ length: all }, (_, n) => (n === 0 ? 0 : 1 / Math.sqrt(n * (all - n))));

function largest(ranks: readonly number[], weights: Float64Array, headMin: number, tailMin: number): number {
  const middle = (ranks.length + 1) / 2;
  let [sum, most] = [0, 0];
  for (let n = 1; n <= ranks.length - tailMin; n += 1) {
    sum += (ranks[n - 1] as number) - middle;
    if (n < headMin) continue;
    const size = Math.abs(sum) * (weights[n] as number);
    if (size > most) most = size;
  }
  return most;
}
