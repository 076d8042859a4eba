// What is kept up of when classes are free again says the same as looking at every assignment, whatever happens and whenever it is
// asked; and asking changes no decision.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { moveKinds, play } from '../testing/chaos.ts';
import { Lab } from '../testing/lab.ts';
import { endsOf } from './ends.ts';
import { leftMs } from './left.ts';

const lives = fc.array(fc.tuple(fc.nat({ max: moveKinds - 1 }), fc.nat({ max: 30 }), fc.nat({ max: 40 })), {
  minLength: 5,
  maxLength: 60,
});

test('safety: the soonest end of each class is the least that is left of its assignments, whenever it is asked', () => {
  let compared = 0;
  fc.assert(
    fc.property(lives, fc.integer({ min: 1, max: 5 }), (moves, every) => {
      const lab = new Lab();
      for (const [at, move] of moves.entries()) {
        play(lab, move);
        if (at % every !== 0) continue;
        const { state } = lab.engine;
        const ends = endsOf(state, lab.nowMs);
        for (const capability of state.index.classes.values()) {
          let least = Infinity;
          for (const assignment of state.assignments.values())
            if (state.workers.get(assignment.worker)?.class === capability)
              least = Math.min(least, leftMs(assignment, lab.nowMs));
          expect(ends.soonestMs(capability)).toBe(least);
          if (least !== Infinity) compared += 1;
        }
      }
    }),
    { numRuns: 200 },
  );
  expect(compared).toBeGreaterThan(100);
});

test('safety: an engine that was asked decides as one that was not', () => {
  fc.assert(
    fc.property(lives, (moves) => {
      const asked = new Lab();
      const plain = new Lab();
      for (const move of moves) {
        expect(play(asked, move)).toEqual(play(plain, move));
        endsOf(asked.engine.state, asked.nowMs);
      }
    }),
    { numRuns: 50 },
  );
});
