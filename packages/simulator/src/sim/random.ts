// Luck, seeded: one stream for each concern, so that drawing once more for one of them does not change the others.
import { uniformOf } from '@assay/core';

export type Random = {
  /** In [0, 1). */
  real(): number;
  /** A whole number from `min` to `max`, both possible. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** From `min` to `max`, small values more often: evenly spread over the orders of magnitude. */
  skewed(min: number, max: number): number;
};

export function randomOf(seed: number, concern: string): Random {
  const real = uniformOf(`${seed} ${concern}`);
  const int = (min: number, max: number): number => min + Math.floor(real() * (max - min + 1));
  return {
    real,
    int,
    chance: (probability) => real() < probability,
    pick: (items) => items[int(0, items.length - 1)]!,
    skewed: (min, max) => Math.round(Math.exp(Math.log(min) + real() * (Math.log(max) - Math.log(min)))),
  };
}
