// The statistics that benchmarks print. Pure; checked against drawn data and published values in statistics.test.ts.

/** The value below which a share `share` of the values lie, between neighbours by straight line (R's type 7). */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  const below = sorted[low]!;
  return below + (sorted[Math.min(low + 1, sorted.length - 1)]! - below) * (at - low);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export type Interval = { readonly low: number; readonly high: number };

/**
 * Where a probability lies of which `hits` of `trials` were seen, by Wilson's score interval (E. B. Wilson, 1927); 95 % by
 * default. It stays inside 0 to 1 and is honest where hits are 0 or all.
 */
export function wilson(hits: number, trials: number, z = 1.959_963_985): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const share = hits / trials;
  const square = z * z;
  const middle = share + square / (2 * trials);
  const reach = z * Math.sqrt((share * (1 - share)) / trials + square / (4 * trials * trials));
  const scale = 1 + square / trials;
  return { low: Math.max(0, (middle - reach) / scale), high: Math.min(1, (middle + reach) / scale) };
}

/** "97.3 % (95.1 to 98.6; 973 of 1000)" */
export function shareText(hits: number, trials: number): string {
  if (trials === 0) return 'none seen';
  const { low, high } = wilson(hits, trials);
  const percent = (value: number): string => (value * 100).toFixed(1);
  return `${percent(hits / trials)} % (${percent(low)} to ${percent(high)}; ${hits} of ${trials})`;
}
