import { beforeAll, expect, test } from 'vitest';
import { randomOf } from '../../packages/simulator/src/sim/random.ts';
import { loadBoundSolver, type BoundProblem, type BoundSolver } from './bound.ts';

let bound: BoundSolver;
beforeAll(async () => {
  bound = await loadBoundSolver();
});

/** The best that any assignment of whole tests does: all are tried. */
function bestMakespanMs({ slots, durationsMs }: BoundProblem): number {
  const classOf = slots.flatMap((count, at) => Array.from({ length: count }, () => at));
  const loads = classOf.map(() => 0);
  let bestMs = Infinity;
  const place = (at: number): void => {
    const row = durationsMs[at];
    if (row === undefined) {
      bestMs = Math.min(bestMs, Math.max(...loads));
      return;
    }
    for (const [slot, kind] of classOf.entries()) {
      const durationMs = row[kind]!;
      if (loads[slot]! + durationMs >= bestMs) continue;
      loads[slot]! += durationMs;
      place(at + 1);
      loads[slot]! -= durationMs;
    }
  };
  place(0);
  return bestMs;
}

/** Two classes, exactly: the tests that the first is relatively quickest at go to it, one of them cut where both end at once. */
function twoClassBoundMs({ slots, durationsMs }: BoundProblem): number {
  const [first = 0, second = 0] = slots;
  const rows = durationsMs.toSorted((a, b) => a[0]! / a[1]! - b[0]! / b[1]!);
  let firstMs = 0;
  let secondMs = rows.reduce((sum, row) => sum + row[1]!, 0);
  for (const row of rows) {
    const [one = 0, two = 0] = row;
    if ((firstMs + one) / first < (secondMs - two) / second) {
      firstMs += one;
      secondMs -= two;
      continue;
    }
    const part = (secondMs / second - firstMs / first) / (one / first + two / second);
    firstMs += part * one;
    break;
  }
  const longestMs = Math.max(...durationsMs.map((row) => Math.min(...row)));
  return Math.max(firstMs / first, longestMs);
}

test('one class: the sum over its slots, or the longest test', () => {
  expect(bound({ slots: [4], durationsMs: [[10], [20], [30], [40]] }).boundMs).toBeCloseTo(40, 3);
  expect(bound({ slots: [2], durationsMs: [[10], [20], [30], [40]] }).boundMs).toBeCloseTo(50, 3);
});

test('a test that does not fit a class is not put there', () => {
  const durationsMs = [
    [100, Infinity],
    [100, Infinity],
    [Infinity, 1],
  ];
  expect(bound({ slots: [1, 1], durationsMs }).boundMs).toBeCloseTo(200, 3);
  expect(() => bound({ slots: [1, 1], durationsMs: [[Infinity, Infinity]] })).toThrow('fits no class');
});

test('two classes: it is what the exact solution by ratios says, over drawn problems', () => {
  const random = randomOf(1, 'two classes');
  for (let round = 0; round < 200; round += 1) {
    const problem = {
      slots: [random.int(1, 5), random.int(1, 5)],
      durationsMs: Array.from({ length: random.int(1, 40) }, () => [
        random.skewed(1, 100_000),
        random.skewed(1, 100_000),
      ]),
    };
    const { boundMs } = bound(problem);
    expect(boundMs / twoClassBoundMs(problem)).toBeCloseTo(1, 4);
  }
});

test('small problems: never above what brute force finds, and seldom far below', () => {
  const random = randomOf(2, 'brute force');
  const ratios: number[] = [];
  for (let round = 0; round < 100; round += 1) {
    const classes = random.int(1, 3);
    const problem = {
      slots: Array.from({ length: classes }, () => random.int(1, 2)),
      durationsMs: Array.from({ length: random.int(2, 7) }, () =>
        Array.from({ length: classes }, (_, at) =>
          at > 0 && random.chance(0.2) ? Infinity : random.skewed(10, 10_000),
        ),
      ),
    };
    const ratio = bestMakespanMs(problem) / bound(problem).boundMs;
    expect(ratio).toBeGreaterThanOrEqual(1 - 1e-9);
    // Rounding the relaxation at most doubles it (Lenstra, Shmoys, Tardos, for the bound that knows T); small ones stay near.
    ratios.push(ratio);
  }
  expect(ratios.filter((ratio) => ratio < 1.5).length).toBeGreaterThan(80);
});
