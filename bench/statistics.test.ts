import { expect, test } from 'vitest';
import { randomOf } from '../packages/simulator/src/sim/random.ts';
import { median, quantile, wilson } from './statistics.ts';

test('quantiles lie between their neighbours, as R type 7 has them', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([10, 20, 30, 40, 50], 0.95)).toBeCloseTo(48, 9);
  expect(median([7])).toBe(7);
  expect(quantile([], 0.5)).toBeNaN();
});

test('the Wilson interval has its published values', () => {
  // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
  const cases = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const;
  for (const [hits, trials, low, high] of cases) {
    const interval = wilson(hits, trials);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  }
  expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
});

test('of drawn shares, about nineteen in twenty lie in their interval', () => {
  const random = randomOf(1, 'wilson');
  let inside = 0;
  for (let round = 0; round < 2_000; round += 1) {
    const truth = 0.02 + 0.96 * random.real();
    let hits = 0;
    for (let trial = 0; trial < 60; trial += 1) hits += random.chance(truth) ? 1 : 0;
    const { low, high } = wilson(hits, 60);
    if (low <= truth && truth <= high) inside += 1;
  }
  expect(inside / 2_000).toBeGreaterThan(0.93);
  expect(inside / 2_000).toBeLessThan(0.975);
});
