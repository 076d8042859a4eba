// Sets of places against planted truths: how often they hold it must be what they say.
import { expect, test } from 'vitest';
import { uniformOf } from '../kernel/random.ts';
import { locateCulprit, locateShift, type Tried } from './change-location.ts';

const luck = uniformOf('change-location');
const tries = (rate: number, count: number): Tried => {
  const failed = Array.from({ length: count }, () => luck()).filter((draw) => draw < rate).length;
  return { failed, passed: count - failed };
};

test('a clean break lies where it is, and of constants or too few values no place is said', () => {
  expect(locateShift([1, 1.1, 0.9, 1, 9, 9.1, 8.9, 9])).toMatchObject({ first: 4, last: 4, likeliest: 4 });
  expect(locateShift([3, 3, 3, 3, 3])).toBeNull();
  expect(locateShift([1, 2, 3])).toBeNull();
  expect(locateCulprit([{ failed: 1, passed: 0 }])).toBeNull();
});

test('a regression of a test that never flaked lies between the last pass and the first failure', () => {
  const revisions = [
    tries(0, 3),
    tries(0, 3),
    { failed: 0, passed: 0 },
    { failed: 0, passed: 0 },
    tries(1, 3),
    tries(1, 3),
  ];
  const found = locateCulprit(revisions);
  expect(found?.changed).toBeGreaterThan(0.9);
  expect([found?.first, found?.last]).toEqual([2, 4]);
  const sum = (found?.posterior ?? []).reduce((total, one) => total + one, 0);
  expect(sum).toBeCloseTo(1, 9);
});

test('a flake that fails everywhere alike is no change, and a test that got better is none either', () => {
  const flake = Array.from({ length: 30 }, (_, at): Tried =>
    at % 4 === 0 ? { failed: 1, passed: 1 } : { failed: 0, passed: 2 },
  );
  expect(locateCulprit(flake)?.changed).toBeLessThan(0.3);
  expect(
    locateCulprit([...Array.from({ length: 8 }, () => tries(1, 2)), ...Array.from({ length: 8 }, () => tries(0, 2))])
      ?.changed,
  ).toBeLessThan(0.2);
});

test('in 300 drawn histories of a flaky test that broke, the set holds the culprit about as often as it says', () => {
  let held = 0;
  for (let round = 0; round < 300; round += 1) {
    const at = 1 + Math.floor(luck() * 19);
    const revisions = Array.from({ length: 20 }, (_, revision) => tries(revision < at ? 0.1 : 0.7, 2));
    const found = locateCulprit(revisions);
    if (found !== null && found.first <= at && at <= found.last) held += 1;
  }
  expect(held / 300).toBeGreaterThan(0.92);
});
