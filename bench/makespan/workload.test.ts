import { expect, test } from 'vitest';
import { median } from '../statistics.ts';
import { loadBoundSolver } from './bound.ts';
import { drive, histories } from './drive.ts';
import { readRecordings, recordedWorkloads } from './recorded.ts';
import { shardsMakespanMs } from './shards.ts';
import { drawRunMs, drawWorkload, slotsOf, type Workload } from './workload.ts';

const seeds = Array.from({ length: 60 }, (_, index) => index + 1);

test('a seed is always the same workload, within what is promised of fleets', () => {
  expect(drawWorkload(7)).toEqual(drawWorkload(7));
  for (const { classes, tests } of seeds.map(drawWorkload)) {
    const workers = classes.reduce((sum, { workers: each }) => sum + each, 0);
    expect(workers).toBeGreaterThanOrEqual(2);
    expect(workers).toBeLessThanOrEqual(64);
    expect(classes.length).toBeLessThanOrEqual(8);
    for (const { usualMs } of tests) {
      expect(usualMs).toHaveLength(classes.length);
      expect(Number.isFinite(Math.min(...usualMs))).toBe(true);
    }
  }
});

test('one test may differ hundredfold and more between classes, most do not', () => {
  const spreads = seeds.map(drawWorkload).flatMap(({ tests }) =>
    tests.map(({ usualMs }) => {
      const real = usualMs.filter(Number.isFinite);
      return Math.max(...real) / Math.min(...real);
    }),
  );
  expect(median(spreads)).toBeLessThan(10);
  expect(spreads.filter((spread) => spread > 300).length).toBeGreaterThan(100);
});

test('runs differ by their noise around the usual times, and a run is always the same', () => {
  const workload = drawWorkload(3);
  const runMs = drawRunMs(workload, 'measured', 0.2);
  expect(runMs).toEqual(drawRunMs(workload, 'measured', 0.2));
  expect(runMs).not.toEqual(drawRunMs(workload, 'earlier 0', 0.2));
  const ratios = workload.tests.flatMap(({ usualMs }, index) =>
    usualMs.flatMap((usual, at) => (usual > 200 && Number.isFinite(usual) ? [runMs[index]![at]! / usual] : [])),
  );
  expect(median(ratios)).toBeCloseTo(1, 1);
  expect(Math.max(...ratios)).toBeGreaterThan(1.3);
});

const small: Workload = {
  name: 'by hand',
  seed: 1,
  kind: 'recorded',
  classes: [
    { name: 'quick', workers: 1, slots: 1 },
    { name: 'slow', workers: 1, slots: 1 },
  ],
  suites: [{ name: 'unit', batching: 'single', classes: [0, 1] }],
  tests: ['a', 'b', 'c', 'd'].map((target) => ({ target, suite: 0, usualMs: [10, 100] })),
  startupMs: 5,
};

test('split by turns: in the order of names, every second to each of two slots', () => {
  expect(shardsMakespanMs(small, drawRunMs(small, 'run', 0), 'turns')).toBe(205);
});

test('every run through the engine ends no sooner than the bound, and a run of one class within the longest test of it', async () => {
  const bound = await loadBoundSolver();
  for (const seed of seeds.slice(0, 8)) {
    const workload = drawWorkload(seed);
    for (const history of histories) {
      const { makespanMs, runMs, waitsMs } = drive(workload, { history, noise: 0.2 });
      const { boundMs, longestMs } = bound({ slots: slotsOf(workload), durationsMs: runMs });
      expect(makespanMs).toBeGreaterThanOrEqual(boundMs);
      expect(waitsMs.size).toBe(workload.tests.length);
      // Graham 1966: no list schedule on equal machines is worse than this. Messages take their 4 ms a test.
      const messagesMs = 4 * workload.tests.length;
      if (workload.classes.length === 1)
        expect(makespanMs).toBeLessThanOrEqual(boundMs * 1.000_01 + longestMs + messagesMs);
    }
  }
});

test('recorded workloads keep the recorded times on their first class, and start-ups of their runner', () => {
  const recordings = readRecordings();
  const workloads = recordedWorkloads();
  expect(recordings.map(({ name }) => name)).toEqual(['networkx', 'zod']);
  for (const recording of recordings) {
    expect(recording.tests.length).toBeGreaterThan(150);
    expect(recording.startupMs).toBeGreaterThan(10);
    const own = workloads.filter(({ name }) => name.startsWith(recording.name));
    expect(own.length).toBeGreaterThanOrEqual(4);
    for (const { tests, startupMs } of own) {
      expect(startupMs).toBe(recording.startupMs);
      expect(tests.map(({ target, usualMs }) => [target, usualMs[0]])).toEqual(recording.tests);
    }
  }
});
