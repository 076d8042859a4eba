// Lives in which much is stolen: one worker is given everything, then others come with nothing to do.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyState, replay } from '../engine/evolve.ts';
import { restore, snapshot } from '../engine/snapshot.ts';
import { createEngine } from '../engine/engine.ts';
import { play } from '../testing/chaos.ts';
import type { Move } from '../testing/chaos.ts';
import { Fleet } from '../testing/fleet.ts';
import { asJson, Lab, only, suiteOf } from '../testing/lab.ts';

// Of chaos.ts: cancel, join, cut, silent, wait, done with everything, give back, report.
const move: fc.Arbitrary<Move> = fc.tuple(
  fc.constantFrom(2, 3, 3, 3, 5, 6, 9, 9, 12, 13, 13, 13, 13, 14, 14),
  fc.nat(20),
  fc.nat(20),
);
const life = fc.array(move, { maxLength: 60, size: 'max' });

function begin(): Lab {
  const lab = new Lab({ stealGainMinMs: 0, batchTargetMs: 1e9 });
  lab.join('w0');
  const tasks = Array.from({ length: 24 }, (_, index) => ({
    suite: 0,
    target: `f${index}`,
    expectedMs: 100 + index * 7,
  }));
  lab.submit(tasks, { suites: [suiteOf({ batching: 'shared' })] });
  // The whole run went to the only worker there was; this one has nothing.
  lab.join('w3', { slots: 2 });
  return lab;
}

test('safety: asked-for work is unstarted, asked for once, in no more requests than idle slots, and recovery decides alike', () => {
  let requests = 0;
  fc.assert(
    fc.property(life, fc.nat(59), (moves, cut) => {
      const lab = begin();
      let middle = snapshot(lab.engine.state);
      let already = lab.journal.length;
      for (const [at, one] of moves.entries()) {
        if (at === cut) {
          middle = snapshot(lab.engine.state);
          already = lab.journal.length;
        }
        play(lab, one);
        for (const { group, takeBack } of lab.engine.state.assignments.values())
          if (takeBack !== null) expect(group.asked).toBeGreaterThan(0);
      }
      requests += lab.journal.flatMap(({ events }) => only(events, 'takeBackRequested')).length;
      const folded = emptyState();
      for (const entry of asJson(lab.journal)) replay(folded, entry);
      expect(snapshot(folded)).toBe(snapshot(lab.engine.state));
      const restored = createEngine(lab.config, restore(middle));
      for (const { input, atMs, events } of lab.journal.slice(already))
        expect(asJson(restored.step(asJson(input), atMs).events)).toEqual(events);
    }),
    { numRuns: 60 },
  );
  // A property about stealing that saw none would prove nothing.
  expect(requests).toBeGreaterThanOrEqual(60);
});

const stolen = fc.record({
  workers: fc.integer({ min: 2, max: 6 }),
  // Predicted alike; what they really take differs up to fortyfold.
  realMs: fc.array(fc.integer({ min: 50, max: 2_000 }), { minLength: 4, maxLength: 40 }),
  startupMs: fc.integer({ min: 0, max: 600 }),
});

test('safety: what is asked back is done once, elsewhere, and nothing is asked back more than three times', () => {
  let returned = 0;
  fc.assert(
    fc.property(stolen, ({ workers, realMs, startupMs }) => {
      const fleet = new Fleet({
        workers,
        slots: 1,
        startupMs,
        realMs: (target) => realMs[Number(target.slice(1))] ?? 100,
        config: { stealGainMinMs: 0, batchTargetMs: 1e9 },
      });
      const tasks = realMs.map((_, index) => ({ suite: 0, target: `f${index}`, expectedMs: 400 }));
      const result = fleet.run(tasks, { suites: [suiteOf({ batching: 'shared', hedge: 'never' })] });
      const events = fleet.lab.journal.flatMap((entry) => entry.events);
      const askedOf = new Map<string, number>();
      for (const { attempts } of only(events, 'takeBackRequested'))
        for (const { task } of attempts) askedOf.set(task, (askedOf.get(task) ?? 0) + 1);
      for (const count of askedOf.values()) expect(count).toBeLessThanOrEqual(3);
      const settled = only(events, 'taskSettled');
      expect(settled.map(({ verdict }) => verdict)).toEqual(realMs.map(() => 'passed'));
      expect(new Set(settled.map(({ task }) => task)).size).toBe(realMs.length);
      // Each file ran once, whoever had it before.
      expect(result.workMs).toBe(realMs.reduce((sum, ms) => sum + ms, 0));
      // Nobody is idle for long while another has unstarted work: the end is no later than even shares, the longest file, and
      // what moving work costs: a start-up and the answers of two requests each time.
      const even = result.workMs / workers;
      const moved = (1 + Math.max(0, ...askedOf.values())) * (startupMs + 10);
      expect(result.makespanMs).toBeLessThanOrEqual(even + 2 * Math.max(...realMs) + 2 * moved);
      returned += result.returned;
    }),
    { numRuns: 100 },
  );
  expect(returned).toBeGreaterThan(50);
});

test('a request that the link lost is made again when the worker is back', () => {
  const lab = new Lab();
  lab.join('w1');
  const suites = [suiteOf({ batching: 'shared' })];
  lab.submit(
    [0, 1, 2, 3].map((index) => ({ suite: 0, target: `f${index}`, expectedMs: 5_000 })),
    { suites },
  );
  const held = lab.held('w1');
  lab.start('w1', held[0]!);
  while (lab.held('w1').length < 2) lab.finish('w1', lab.held('w1')[0]!);
  const before = lab.held('w1');
  lab.start('w1', before[0]!);
  // The rest of the queue goes to the newcomers, and then they are idle.
  for (const name of ['w2', 'w3', 'w4', 'w5']) lab.join(name);
  const asked = lab.journal.flatMap(({ events }) => only(events, 'takeBackRequested'));
  if (asked.length === 0) {
    for (const name of ['w2', 'w3', 'w4', 'w5']) for (const ref of lab.held(name)) lab.finish(name, ref);
  }
  const first = lab.journal.flatMap(({ events }) => only(events, 'takeBackRequested'));
  expect(first.map(({ worker }) => worker)).toEqual(['w1']);
  lab.cut('w1');
  const again = lab.join('w1', { held: lab.held('w1') });
  expect(only(again, 'takeBackRequested').map(({ attempts }) => attempts)).toEqual(
    first.map(({ attempts }) => attempts),
  );
});
