// Against SciPy's numbers (fixtures/reference.json says which version, fixtures/reference.py prints it), published values, and
// data drawn here.
import { expect, test } from 'vitest';
import { uniformOf } from '../kernel/random.ts';
import { betaCdf, betaQuantile, logGamma, normalCdf, normalQuantile, studentCdf } from './distributions.ts';
import reference from './fixtures/reference.json' with { type: 'json' };
import { benjaminiHochberg, fisherExact, type Table } from './many-tests.ts';
import { kolmogorovSmirnov, mannWhitney, spearman, wilcoxonSignedRank } from './ranks.ts';
import { bcaInterval, permutationTest } from './resampling.ts';
import { hodgesLehmann, mean, median, medianAbsoluteDeviation, shiftBetween } from './robust.ts';

const isNear = (actual: number | undefined, expected: number, relative = 1e-9): void => {
  expect(Math.abs((actual ?? Number.NaN) - expected)).toBeLessThanOrEqual(Math.abs(expected) * relative + 1e-300);
};

test('distributions have the values that SciPy has', () => {
  for (const [x, p] of reference.normalCdf as [number, number][]) isNear(normalCdf(x), p, 1e-11);
  for (const [x, value] of reference.logGamma as [number, number][])
    expect(logGamma(x)).toBeCloseTo(value, value > 1_000 ? 8 : 11);
  for (const [x, a, b, p] of reference.betaCdf as [number, number, number, number][]) isNear(betaCdf(x, a, b), p, 1e-9);
  for (const [t, freedom, p] of reference.studentCdf as [number, number, number][])
    isNear(studentCdf(t, freedom), p, 1e-9);
  expect(normalQuantile(0.975)).toBeCloseTo(1.959_963_984_540_054, 10);
  expect(betaCdf(betaQuantile(0.3, 2, 5), 2, 5)).toBeCloseTo(0.3, 10);
});

test('rank tests have the values that SciPy has, counted out and approximated', () => {
  for (const { a, b, u, mannWhitneyP, ks, ksP, shift, mad } of reference.pairs) {
    const rank = mannWhitney(a, b);
    expect(rank?.statistic).toBe(u);
    isNear(rank?.p, mannWhitneyP, 1e-8);
    const distance = kolmogorovSmirnov(a, b);
    isNear(distance?.statistic, ks);
    isNear(distance?.p, ksP, 1e-8);
    isNear(shiftBetween(a, b)?.value, shift, 1e-9);
    isNear(medianAbsoluteDeviation(a) ?? undefined, mad, 1e-9);
  }
  for (const { differences, p } of reference.signed) isNear(wilcoxonSignedRank(differences)?.p, p, 1e-8);
  const { x, y, rho, p } = reference.spearman;
  const found = spearman(x.map((value, at) => [value, y[at] as number]));
  isNear(found?.statistic, rho, 1e-9);
  isNear(found?.p, p, 1e-7);
});

test('tables and adjusted p-values have the values that SciPy has', () => {
  for (const [table, p] of reference.fisher as unknown as [Table, number][]) isNear(fisherExact(table), p, 1e-6);
  const { p, adjusted } = reference.benjaminiHochberg;
  for (const [at, value] of benjaminiHochberg(p).entries()) isNear(value, adjusted[at] as number);
});

test('the BCa interval of a mean is where SciPy draws it, but for luck', () => {
  const { values, low, high } = reference.bca;
  const interval = bcaInterval(values, (list) => mean(list) as number, uniformOf('bca'), { draws: 20_000 });
  expect(interval?.low).toBeCloseTo(low, 1.7);
  expect(interval?.high).toBeCloseTo(high, 1.7);
});

test('published: Fisher tasting tea, and the worked example of Benjamini and Hochberg 1995', () => {
  expect(
    fisherExact([
      [3, 1],
      [1, 3],
    ]),
  ).toBeCloseTo(34 / 70, 10);
  const ps = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
  ];
  expect(benjaminiHochberg(ps).filter((p) => p <= 0.05)).toHaveLength(4);
});

test('of nothing there is no number', () => {
  expect(median([])).toBeNull();
  expect(hodgesLehmann([])).toBeNull();
  expect(shiftBetween([], [1])).toBeNull();
  expect(mannWhitney([], [1])).toBeNull();
  expect(kolmogorovSmirnov([1], [])).toBeNull();
  expect(wilcoxonSignedRank([0, 0])).toBeNull();
  expect(
    spearman([
      [1, 1],
      [2, 2],
      [3, 3],
    ]),
  ).toBeNull();
  expect(permutationTest([], [1], uniformOf('x'))).toBeNull();
  expect(bcaInterval([1, 2, 3], (list) => mean(list) as number, uniformOf('x'))).toBeNull();
});

test('Hodges and Lehmann stay where most values are, whatever one does', () => {
  expect(hodgesLehmann([1, 2, 3, 4, 5])).toBe(3);
  expect(hodgesLehmann([1, 2, 3, 4, 5_000])).toBeLessThan(5);
  expect(hodgesLehmann([9, 10, 11, 10, 9, 10, 11, 1e9])).toBeLessThan(11);
});

test('of drawn pairs without a difference about one in twenty has p at most 0.05, and intervals hold the truth', () => {
  const uniform = uniformOf('null');
  const draw = (n: number, by = 0): number[] =>
    Array.from({ length: n }, () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()) + by);
  const hits = { rank: 0, ks: 0, permutation: 0, shift: 0, bca: 0 };
  const rounds = 400;
  for (let round = 0; round < rounds; round += 1) {
    const [a, b] = [draw(12), draw(15)];
    if ((mannWhitney(a, b)?.p ?? 1) <= 0.05) hits.rank += 1;
    if ((kolmogorovSmirnov(a, b)?.p ?? 1) <= 0.05) hits.ks += 1;
    if ((permutationTest(a, b, uniform, 199) ?? 1) <= 0.05) hits.permutation += 1;
    const shift = shiftBetween(a, draw(15, 1));
    if (shift !== null && shift.low <= 1 && shift.high >= 1) hits.shift += 1;
    const interval = bcaInterval(draw(20, 3), (list) => mean(list) as number, uniform, { draws: 200 });
    if (interval !== null && interval.low <= 3 && interval.high >= 3) hits.bca += 1;
  }
  for (const name of ['rank', 'permutation'] as const) {
    expect(hits[name] / rounds).toBeGreaterThan(0.02);
    expect(hits[name] / rounds).toBeLessThan(0.085);
  }
  // Steps of the statistic make it careful.
  expect(hits.ks / rounds).toBeLessThan(0.07);
  expect(hits.shift / rounds).toBeGreaterThan(0.92);
  expect(hits.bca / rounds).toBeGreaterThan(0.89);
});
