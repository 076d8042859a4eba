// Tables and many tests at once: what may be believed of p-values that were looked at together.
import { logChoose } from './distributions.ts';

/**
 * p-values adjusted for the false discovery rate (Benjamini and Hochberg 1995), in the order given: those at or below q are
 * discoveries of which at most a share q is false, where the tests are independent or depend positively.
 */
export function benjaminiHochberg(ps: readonly number[]): number[] {
  const order = ps.map((_, at) => at).sort((a, b) => (ps[b] as number) - (ps[a] as number) || a - b);
  const adjusted = Array.from<number>({ length: ps.length });
  let least = 1;
  for (const [place, at] of order.entries()) {
    least = Math.min(least, ((ps[at] as number) * ps.length) / (ps.length - place));
    adjusted[at] = least;
  }
  return adjusted;
}

/** Those of the items that are discoveries at the false discovery rate `q`; an item without a p-value (null) was not judged. */
export function discoveries<Item>(items: readonly Item[], pOf: (item: Item) => number | null, q: number): Item[] {
  const judged = items.flatMap((item) => {
    const p = pOf(item);
    return p === null ? [] : [{ item, p }];
  });
  const adjusted = benjaminiHochberg(judged.map(({ p }) => p));
  return judged.filter((_, at) => (adjusted[at] as number) <= q).map(({ item }) => item);
}

/** Two by two counts: rows are groups, columns are hit and miss. */
export type Table = readonly [readonly [number, number], readonly [number, number]];

/**
 * Two-sided p of Fisher's exact test (Fisher 1922): the probability of all tables with these margins that are no likelier
 * than this one.
 */
export function fisherExact([[a, b], [c, d]]: Table): number {
  const [row, column, total] = [a + b, a + c, a + b + c + d];
  const logP = (x: number): number => logChoose(row, x) + logChoose(total - row, column - x) - logChoose(total, column);
  const limit = logP(a) + 1e-7;
  let p = 0;
  for (let x = Math.max(0, column - (total - row)); x <= Math.min(row, column); x += 1) {
    const one = logP(x);
    if (one <= limit) p += Math.exp(one);
  }
  return Math.min(1, p);
}
