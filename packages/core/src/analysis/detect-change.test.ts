// Planted truths: steps, spikes, modes and nothing at all, drawn here. How often it is right is measured by bench/detect.
import { expect, test } from 'vitest';
import { uniformOf } from '../kernel/random.ts';
import { comparePaired, confirmed } from './compare-paired.ts';
import { changesOf, judgeSeries, relativeShift } from './detect-change.ts';
import { discoveries } from './many-tests.ts';
import { measureDetector } from './measure-detector.ts';

const luck = uniformOf('detect-change');
const normal = (): number => Math.sqrt(-2 * Math.log(1 - luck())) * Math.cos(2 * Math.PI * luck());
const around = (level: number, noise: number, count: number): number[] =>
  Array.from({ length: count }, () => level + noise * normal());

test('a step of 5 % at 2 % noise is found once, with its place, its size and both between bounds that hold the truth', () => {
  const [found, ...more] = changesOf([...around(200, 4, 30), ...around(210, 4, 30)], luck);
  expect(more).toEqual([]);
  expect(found?.seenAt).toBeLessThan(48);
  expect(found?.location?.first).toBeLessThanOrEqual(30);
  expect(found?.location?.last).toBeGreaterThanOrEqual(30);
  const share = found === undefined ? null : relativeShift(found);
  expect(share?.low).toBeLessThan(0.05);
  expect(share?.high).toBeGreaterThan(0.05);
  expect(share?.low).toBeGreaterThan(0);
});

test('two steps are two changes, down as well as up', () => {
  const found = changesOf([...around(100, 1, 25), ...around(110, 1, 25), ...around(95, 1, 25)], luck);
  expect(found.map(({ shift }) => Math.sign(shift.value))).toEqual([1, -1]);
});

test('one spike, or three, is no change, however high', () => {
  const values = around(100, 1, 40);
  values.splice(30, 1, 900);
  values.splice(37, 3, 900, 900, 900);
  expect(changesOf(values, luck)).toEqual([]);
});

test('a series of two modes is steady while their shares are, and changes with them', () => {
  const modes = (share: number, count: number): number[] =>
    around(100, 1, count).map((value) => value + (luck() < share ? 15 : 0));
  expect(changesOf(modes(0.3, 50), luck)).toEqual([]);
  expect(changesOf([...modes(0.1, 40), ...modes(0.95, 25)], luck)).toHaveLength(1);
});

test('values that are all equal are steady, a change between constants is seen, and of too few nothing is said', () => {
  const equal = Array.from({ length: 30 }, () => 7);
  expect(judgeSeries(equal, luck)).toMatchObject({ kind: 'steady' });
  expect(changesOf([...equal, ...Array.from({ length: 12 }, () => 8)], luck)).toMatchObject([
    { at: 30, before: 7, after: 8 },
  ]);
  expect(judgeSeries(equal.slice(0, 13), luck)).toEqual({ kind: 'tooFew', have: 13, need: 14 });
  expect(judgeSeries([], luck)).toEqual({ kind: 'tooFew', have: 0, need: 14 });
});

test('the same values and the same stream give the same answer', () => {
  const values = [...around(100, 3, 30), ...around(106, 3, 20)];
  expect(changesOf(values, uniformOf('same'))).toEqual(changesOf(values, uniformOf('same')));
});

test('the detector measures itself on the scatter of a series: large steps are found, small ones are not', () => {
  const steady = around(100, 2, 30);
  const plant = { before: 30, afterMax: 20, rounds: 30 };
  expect(measureDetector(steady, { ...plant, share: 0.1 }, luck)?.recall).toBe(1);
  const hard = measureDetector(steady, { ...plant, share: 0.002 }, luck);
  expect(hard?.recall).toBeLessThan(0.3);
  expect(hard?.judged).toBeGreaterThan(500);
  expect(measureDetector(steady.slice(0, 9), { ...plant, share: 0.1 }, luck)).toBeNull();
});

test('pairs say slower, no difference larger than a share, or that they are not enough', () => {
  const settings = { better: 'less', margin: 0.02, level: 0.01 } as const;
  const pairs = (factor: number, noise: number, count: number): [number, number][] =>
    around(100, noise, count).map((base, at) => [base + at, (100 + noise * normal() + at) * factor]);
  const slower = comparePaired(pairs(1.08, 2, 20), settings);
  expect(slower.verdict).toBe('slower');
  expect(slower.change?.low).toBeLessThan(0.08);
  expect(slower.change?.high).toBeGreaterThan(0.08);
  expect(comparePaired(pairs(1.08, 2, 20), { ...settings, better: 'more' }).verdict).toBe('faster');
  const same = comparePaired(pairs(1, 0.5, 30), settings);
  expect(same.verdict).toBe('noDifference');
  expect(same.atMost).toBeLessThanOrEqual(0.02);
  expect(comparePaired(pairs(1, 20, 12), settings).verdict).toBe('notEnough');
  expect(comparePaired(pairs(2, 0.1, 7), settings)).toMatchObject({ verdict: 'notEnough', p: null, pairs: 7 });
  expect(
    comparePaired(
      [
        [0, 1],
        [-1, 4],
      ],
      settings,
    ),
  ).toMatchObject({ pairs: 0, leftOut: 2, change: null });
  expect(
    comparePaired(
      Array.from({ length: 9 }, () => [5, 5] as const),
      settings,
    ).verdict,
  ).toBe('noDifference');
  expect(confirmed(slower, same)).toBe('notEnough');
  expect(confirmed(slower, slower)).toBe('slower');
});

test('of many series judged together those without a p-value are not counted', () => {
  const items = [{ p: 0.001 }, { p: null }, { p: 0.9 }, { p: 0.04 }];
  expect(discoveries(items, ({ p }) => p, 0.05)).toEqual([{ p: 0.001 }]);
});
