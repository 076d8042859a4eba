// Two versions measured side by side on the same device, pair by pair: which is faster, by how much, or that nothing larger
// than a stated share lies between them. What always holds: of too few pairs nothing is said, and "no difference" is shown
// (two one-sided tests, D. Schuirmann 1987) and never just what was left when nothing was found.
import { normalQuantile } from './distributions.ts';
import { wilcoxonSignedRank } from './ranks.ts';
import { median, type Estimate } from './robust.ts';

export type PairedSettings = {
  /** Whether less is better (milliseconds) or more (operations a second). */
  readonly better: 'less' | 'more';
  /** The share that is called no difference: 0.02 is 2 %. */
  readonly margin: number;
  /** Largest probability of "faster" or "slower" where there is no difference. */
  readonly level: number;
};

export type PairedVerdict = {
  readonly verdict: 'faster' | 'slower' | 'noDifference' | 'notEnough';
  readonly pairs: number;
  /** Pairs left out because a value was not above 0: of those there is no ratio. */
  readonly leftOut: number;
  /** Head over base, less 1: 0.05 is 5 % more. Null without pairs. The interval has the confidence 1 - level. */
  readonly change: Estimate | null;
  readonly p: number | null;
  /** The largest change that is not excluded at 95 %, one-sided either way: "no difference larger than". */
  readonly atMost: number | null;
};

/** Under these the smallest possible p, 2 / 2^n, is above any useful level. */
const pairsMin = 8;

export function comparePaired(
  pairs: readonly (readonly [base: number, head: number])[],
  { better, margin, level }: PairedSettings,
): PairedVerdict {
  const usable = pairs.filter(([base, head]) => base > 0 && head > 0);
  const ratios = usable.map(([base, head]) => Math.log(head / base));
  const counts = { pairs: usable.length, leftOut: pairs.length - usable.length };
  if (usable.length < pairsMin) return { verdict: 'notEnough', ...counts, change: null, p: null, atMost: null };
  // Without any difference at all there is nothing to rank, and nothing that speaks against equality.
  const p = wilcoxonSignedRank(ratios)?.p ?? 1;
  const change = pseudoMedian(ratios, 1 - level);
  const narrow = pseudoMedian(ratios, 0.9);
  const atMost = Math.max(Math.abs(narrow.low), Math.abs(narrow.high));
  const isShifted = p <= level && (change.low > 0 || change.high < 0);
  const shared = { ...counts, change: shareOf(change), p, atMost: Math.expm1(atMost) };
  if (isShifted) return { verdict: change.value < 0 === (better === 'less') ? 'faster' : 'slower', ...shared };
  return { verdict: atMost <= Math.log1p(margin) ? 'noDifference' : 'notEnough', ...shared };
}

/** A difference is one only where two devices say the same: what one of them says alone may be its own. */
export function confirmed(first: PairedVerdict, second: PairedVerdict): PairedVerdict['verdict'] {
  return first.verdict === second.verdict ? first.verdict : 'notEnough';
}

const shareOf = ({ value, low, high }: Estimate): Estimate => ({
  value: Math.expm1(value),
  low: Math.expm1(low),
  high: Math.expm1(high),
});

/**
 * Hodges and Lehmann's estimate with the interval that inverts the signed-rank test (Hollander, Wolfe and Chicken 2014,
 * section 3.3, large samples).
 */
function pseudoMedian(values: readonly number[], confidence: number): Estimate {
  const n = values.length;
  const means: number[] = [];
  for (const [at, one] of values.entries())
    for (let other = at; other < n; other += 1) means.push((one + (values[other] as number)) / 2);
  means.sort((a, b) => a - b);
  const reach = normalQuantile(1 - (1 - confidence) / 2) * Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
  const low = Math.max(0, Math.floor(means.length / 2 - reach));
  return { value: median(means) as number, low: means[low] as number, high: means[means.length - 1 - low] as number };
}
