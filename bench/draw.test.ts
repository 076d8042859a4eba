import { expect, test } from 'vitest';
import { randomOf } from '../packages/simulator/src/sim/random.ts';
import { logNormal, normal, pareto, shuffled } from './draw.ts';
import { median, quantile } from './statistics.ts';

const many = 20_000;
const draw = (concern: string, one: (random: ReturnType<typeof randomOf>) => number): number[] => {
  const random = randomOf(1, concern);
  return Array.from({ length: many }, () => one(random));
};

test('normal draws have mean 0 and variance 1', () => {
  const values = draw('normal', normal);
  const mean = values.reduce((sum, value) => sum + value, 0) / many;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / many;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(variance).toBeCloseTo(1, 1);
});

test('log-normal draws have their median, and sigma between it and the 84th percentile', () => {
  const values = draw('log-normal', (random) => logNormal(random, 500, 1.5));
  expect(median(values) / 500).toBeCloseTo(1, 1);
  expect(Math.log(quantile(values, 0.8413) / 500)).toBeCloseTo(1.5, 1);
});

test('Pareto draws have the tail that alpha says', () => {
  const values = draw('pareto', (random) => pareto(random, 100, 1.2));
  expect(Math.min(...values)).toBeGreaterThanOrEqual(100);
  for (const x of [200, 1_000, 5_000])
    expect(values.filter((value) => value > x).length / many).toBeCloseTo((100 / x) ** 1.2, 2);
});

test('a shuffle keeps each item, and puts each anywhere alike', () => {
  const random = randomOf(1, 'shuffle');
  const firsts = new Map<number, number>();
  for (let round = 0; round < 4_000; round += 1) {
    const list = shuffled(random, [1, 2, 3, 4]);
    expect(list.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    firsts.set(list[0]!, (firsts.get(list[0]!) ?? 0) + 1);
  }
  for (const count of firsts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(120);
});
