// What placement, batches and stealing come to together: makespans in virtual time, against what no schedule can beat.
import { expect, test } from 'vitest';
import { Fleet } from '../testing/fleet.ts';
import { only, suiteOf, tasksOf } from '../testing/lab.ts';

const shared = { suites: [suiteOf({ batching: 'shared' })] };

/** A skewed suite as they are: many short files, some long, drawn from a fixed rule so that the reader sees them. */
function skewed(target: string): number {
  const number = Number(target.slice(1));
  return number % 29 === 0 ? 8_000 : number % 7 === 0 ? 1_500 : 100 + ((number * 37) % 400);
}

function totalMs(count: number, realMs: (target: string) => number): number {
  return tasksOf(count).reduce((sum, { target }) => sum + realMs(target), 0);
}

const fleets: [number, number][] = [
  [2, 1],
  [3, 2],
  [2, 8],
];
test.each(fleets)(
  'on %i workers with %i slots each, the second run of a skewed suite ends within 10 % of the best possible',
  (workers, slots) => {
    const startupMs = 400;
    const fleet = new Fleet({ workers, slots, realMs: skewed, startupMs });
    const tasks = tasksOf(240);
    const first = fleet.run(tasks, shared);
    const second = fleet.run(tasks, shared);
    const best = Math.max((totalMs(240, skewed) + workers * slots * startupMs) / (workers * slots), 8_000 + startupMs);
    expect(second.makespanMs / best).toBeLessThan(1.1);
    // The first knows nothing, and counts: the long files are a surprise, and stealing repairs most of it.
    expect(first.makespanMs / best).toBeLessThan(1.35);
    expect(second.makespanMs).toBeLessThanOrEqual(first.makespanMs);
  },
);

test('start-up is a small part of the time once it was measured, and nobody waits for the other', () => {
  const fleet = new Fleet({ workers: 2, slots: 1, realMs: () => 60, startupMs: 2_000 });
  fleet.run(tasksOf(600), shared);
  const second = fleet.run(tasksOf(600), shared);
  expect(second.startupMs / (second.startupMs + second.workMs)).toBeLessThan(0.2);
  expect(second.makespanMs).toBeLessThan(1.1 * (600 * 30 + 2_000));
});

test('without stealing a wrong prediction costs the whole of it; with stealing little of it', () => {
  // Yesterday every file took 300 ms; today the first of them take twenty times as long.
  let isSlow = false;
  const realMs = (target: string): number => (isSlow && Number(target.slice(1)) < 4 ? 6_000 : 300);
  const makespans = [Infinity, 100].map((stealGainMinMs) => {
    isSlow = false;
    const fleet = new Fleet({ workers: 4, slots: 1, realMs, startupMs: 100, config: { stealGainMinMs } });
    fleet.run(tasksOf(80), shared);
    isSlow = true;
    return fleet.run(tasksOf(80), shared);
  });
  const [without, withStealing] = makespans;
  expect(without?.takeBacks).toBe(0);
  expect(withStealing?.returned).toBeGreaterThan(0);
  expect(withStealing!.makespanMs).toBeLessThan(without!.makespanMs);
});

test('stealing does not go to and fro: few requests, and none for what is not worth a start-up', () => {
  const costly = new Fleet({ workers: 4, slots: 2, realMs: skewed, startupMs: 5_000 });
  costly.run(tasksOf(100), shared);
  const second = costly.run(tasksOf(100), shared);
  expect(second.takeBacks).toBeLessThanOrEqual(8);
  expect(second.returned).toBeLessThanOrEqual(50);
  for (const { lastAttempt } of [...costly.lab.engine.state.runs.values()].flatMap(({ tasks }) => tasks))
    expect(lastAttempt).toBeLessThanOrEqual(4);
});

test('while nothing is known, no slot is given more than its share', () => {
  const fleet = new Fleet({ workers: 4, slots: 2, realMs: () => 100, startupMs: 50 });
  fleet.run(tasksOf(64), shared);
  const submitted = fleet.lab.journal.find(({ input }) => input.kind === 'submitRun')?.events ?? [];
  const sizes = only(submitted, 'tasksAssigned').map(({ tasks }) => tasks.length);
  expect(sizes[0]).toBe(8);
  expect(sizes).toHaveLength(8);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(64 / 8);
});
