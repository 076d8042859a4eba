import { expect, test } from 'vitest';
import type { Rung } from '@assay/protocol';
import type { TriedRung } from '../lifecycle/condition.ts';
import { hopelessAfter, hopelessForMs, ladder, nextRung, withJudged } from './ladder.ts';
import type { RungHistory } from './ladder.ts';

const tried = (...rungs: Rung[]): TriedRung[] => rungs.map((rung) => ({ rung, outcome: 'done', durationMs: 1 }));
const nothing = (): undefined => undefined;
const never: RungHistory = { taken: hopelessAfter, cured: 0, meanMs: 10, lastAtMs: 1_000 };

test('the steps are taken from the mildest to the strongest, and then a person is asked', () => {
  const taken: Rung[] = [];
  for (let rung = nextRung([], nothing, 0); rung !== null; rung = nextRung(tried(...taken), nothing, 0))
    taken.push(rung);
  expect(taken).toEqual(ladder);
});

test('a step that never helped on such devices is passed over while that is recent', () => {
  const historyOf = (rung: Rung) => (rung === 'runner' ? never : undefined);
  expect(nextRung(tried('gpuProcess'), historyOf, 2_000)).toBe('agent');
  expect(nextRung(tried('gpuProcess'), historyOf, 1_000 + hopelessForMs)).toBe('runner');
});

test('a step that helped once in many times is still taken', () => {
  const historyOf = (): RungHistory => ({ ...never, taken: 1_000, cured: 1 });
  expect(nextRung(tried('gpuProcess'), historyOf, 2_000)).toBe('runner');
});

test('where no step ever helped, the mildest that is left is taken all the same', () => {
  expect(nextRung(tried('agent'), () => never, 2_000)).toBe('rebootHook');
});

test('a history counts what was judged, with the mean of its times', () => {
  const once = withJudged(undefined, false, 100, 1);
  expect(withJudged(once, true, 300, 2)).toEqual({ taken: 2, cured: 1, meanMs: 200, lastAtMs: 2 });
});
