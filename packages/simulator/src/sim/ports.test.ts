// The simulated clock and journal keep what their ports promise: the same suites as the real ones.
import { clockContract } from '@assay/coordinator/contracts/clock';
import { journalContract } from '@assay/coordinator/contracts/journal';
import { expect, test } from 'vitest';
import { createSimClock, WallClock } from './clock.ts';
import { openSimJournal, SimDisk } from './disk.ts';
import { SimProcess } from './process.ts';
import { World } from './world.ts';

clockContract('simulated', () => {
  const world = new World();
  const clock = createSimClock(world, new SimProcess(world, 'test'), new WallClock(world));
  return { clock, pass: (ms) => world.run(world.nowMs + ms) };
});

journalContract('simulated', () => {
  const disk = new SimDisk();
  return {
    open: () =>
      openSimJournal({
        disk,
        schedule: (act) => {
          queueMicrotask(act);
          return () => undefined;
        },
      }),
    remove: async () => undefined,
  };
});

test('a clock that is set back goes on, and one that is set forward follows', async () => {
  const world = new World();
  const wall = new WallClock(world);
  const clock = createSimClock(world, new SimProcess(world, 'test'), wall);
  const startMs = clock.nowMs();
  wall.jump(-3_600_000);
  await world.run(500);
  expect(clock.nowMs()).toBe(startMs + 500);
  wall.jump(2 * 3_600_000);
  expect(clock.nowMs()).toBe(startMs + 500 + 3_600_000);
});

test('a stopped process misses nothing: timers first, then what came in, when it goes on', async () => {
  const world = new World();
  const process = new SimProcess(world, 'test');
  const done: string[] = [];
  process.after(10, () => done.push(`timer at ${world.nowMs}`));
  process.pause(50);
  world.after(5, () => process.arrive(() => done.push(`frame at ${world.nowMs}`)));
  await world.run(100);
  expect(done).toEqual(['timer at 50', 'frame at 50']);
});

test('a crash keeps what was acknowledged and a prefix of what was under way', async () => {
  const disk = new SimDisk();
  const commits: (() => void)[] = [];
  const journal = openSimJournal({ disk, schedule: (act) => (commits.push(act), () => undefined) });
  const told: number[] = [];
  for (const seq of [1, 2, 3, 4]) {
    const entry = { seq, atMs: 1, input: { kind: 'timePassed' }, events: [] } as const;
    journal.append([{ ...entry, events: [...entry.events] }], () => told.push(seq));
  }
  commits[0]!();
  expect(told).toEqual([1]);
  expect(disk.crash(2)).toEqual({ kept: 2, torn: 1 });
  expect(disk.lastSeq()).toBe(3);
  expect(told).toEqual([1]);
});
