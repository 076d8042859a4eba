// Matching: what fits what is kept pair by pair as workers, runs and the policy come and go. It says what evaluating every pair
// anew says, and what is placed was placed where it fits.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fit, parseRequirement } from '../hardware/requirement.ts';
import type { Fit } from '../hardware/requirement.ts';
import { moveKinds, play } from '../testing/chaos.ts';
import { Lab, only, profileOf, suiteOf, tasksOf } from '../testing/lab.ts';
import { choicesOf } from './groups.ts';

const lives = fc.array(fc.tuple(fc.nat({ max: moveKinds - 1 }), fc.nat({ max: 30 }), fc.nat({ max: 40 })), {
  minLength: 20,
  maxLength: 60,
  size: 'max',
});

function fitOf(text: string, facts: Parameters<typeof fit>[1]): Fit {
  const parsed = parseRequirement(text);
  if (parsed.kind === 'refused') throw new Error(parsed.reason);
  return fit(parsed.requirement, facts);
}

test('safety: of every class and lane it is known whether they fit, and it is what a new evaluation says', () => {
  const seen = { fits: 0, misfits: 0 };
  fc.assert(
    fc.property(lives, fc.nat({ max: 60 }), (moves, reservedAt) => {
      const lab = new Lab();
      let isReserved = false;
      for (const [at, move] of moves.entries()) {
        if (at === reservedAt) {
          isReserved = true;
          const policy = { weights: {}, quotas: [], pools: { default: { reserved: true } }, keys: {} };
          lab.step({ kind: 'setPolicy', policy, actor: 'op' });
        }
        play(lab, move);
        const { index, runs } = lab.engine.state;
        for (const run of runs.values())
          for (const lane of run.lanes)
            for (const capability of index.classes.values()) {
              const isShut = isReserved && capability.pool === 'default' && run.spec.pool === undefined;
              const choices = choicesOf(run.spec.suites[lane.suite]!).slice(0, lane.opened + 1);
              const expected = !isShut && choices.some((text) => fitOf(text, capability.facts).kind === 'fits');
              expect(lane.group.fitting.has(capability)).toBe(expected);
              seen[expected ? 'fits' : 'misfits'] += 1;
            }
      }
    }),
    { numRuns: 60 },
  );
  expect(seen.fits).toBeGreaterThan(20);
  expect(seen.misfits).toBeGreaterThan(20);
});

const parts = fc.constantFrom(
  'memory.totalMiB >= 4096',
  'memory.totalMiB < 8192',
  'cpu.count > 4',
  '"avx2" in cpu.isa',
  'size(gpus) > 0',
  'declared.lab == "north"',
  'pool == "default"',
  'cpu.unheardOf == 1',
);
const machines = fc.record({
  memoryMiB: fc.constantFrom(1_024, 4_096, 16_384),
  count: fc.constantFrom(2, 4, 8),
  isa: fc.subarray(['avx', 'avx2']),
  hasGpu: fc.boolean(),
  isNorth: fc.boolean(),
});

test('safety: both of two parts fit exactly where each does, a reason is given for each part that does not, and nothing else is placed', () => {
  fc.assert(
    fc.property(parts, parts, machines, (a, b, { memoryMiB, count, isa, hasGpu, isNorth }) => {
      const lab = new Lab();
      const profile = profileOf({
        memory: { totalMiB: memoryMiB },
        cpu: { count, isa },
        gpus: hasGpu ? [{ vendor: 'nvidia', via: 'nvidia-smi' }] : [],
      });
      lab.join('w1', { slots: 4, profile, declared: isNorth ? { lab: 'north' } : {} });
      const [capability] = lab.engine.state.index.classes.values();
      if (capability === undefined) throw new Error('no class');
      const alone = [a, b].map((text) => fitOf(text, capability.facts));
      const together = fitOf(`${a} && ${b}`, capability.facts);
      expect(together.kind === 'fits').toBe(alone.every(({ kind }) => kind === 'fits'));
      const reasons = new Set(alone.flatMap((one) => (one.kind === 'misfits' ? one.reasons : [])));
      expect(new Set(together.kind === 'misfits' ? together.reasons : [])).toEqual(reasons);
      lab.submit(tasksOf(1), { suites: [suiteOf({ requires: `${a} && ${b}` })] });
      const placed = only(lab.journal.at(-1)?.events ?? [], 'tasksAssigned');
      expect(placed.length).toBe(together.kind === 'fits' ? 1 : 0);
    }),
    { numRuns: 200 },
  );
});
