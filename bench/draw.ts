// Luck with shapes, for benchmarks: over the simulator's seeded streams. Checked against their moments in draw.test.ts.
import type { Random } from '../packages/simulator/src/sim/random.ts';

/** Standard normal (Box and Muller, 1958). */
export function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.real()));
  return radius * Math.cos(2 * Math.PI * random.real());
}

/** Log-normal: half lie below `median`; `sigma` is the standard deviation of the logarithm. */
export function logNormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(random));
}

/** Pareto from `least` up: a share (least / x) ** alpha lies above x. */
export function pareto(random: Random, least: number, alpha: number): number {
  return least / (1 - random.real()) ** (1 / alpha);
}

/** Each of `items` once, in any order (Fisher and Yates). */
export function shuffled<Item>(random: Random, items: readonly Item[]): Item[] {
  const list = [...items];
  for (let at = list.length - 1; at > 0; at -= 1) {
    const other = random.int(0, at);
    [list[at], list[other]] = [list[other]!, list[at]!];
  }
  return list;
}
