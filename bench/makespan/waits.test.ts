import { expect, test } from 'vitest';
import { Lab, tasksOf, refsOf, only } from '../../packages/core/src/testing/lab.ts';
import { measureWaits, overtakingsIn } from './waits.ts';

test('an overtaking within the bound is seen, and one beyond it too', () => {
  const lab = new Lab({ ageingPerPriorityMs: 10_000 });
  lab.submit(tasksOf(2));
  lab.wait(5_000);
  lab.submit(tasksOf(1), { priority: 1 });
  lab.join('w', { slots: 1 });
  const [first] = only(lab.journal.at(-1)!.events, 'tasksAssigned');
  expect(first!.run).toBe('r-2');
  lab.start('w', refsOf(first!)[0]!);
  lab.finish('w', refsOf(first!)[0]!);
  expect(overtakingsIn(lab.journal, 10_000)).toMatchObject({ placements: 2, allowed: 1, beyond: 0, nearest: 0.5 });
  // The same journal under a promise that it does not keep.
  expect(overtakingsIn(lab.journal, 1_000)).toMatchObject({ beyond: 1 });
});

test('safety: in drawn streams nobody waits beyond the bound of starvation, and priorities do overtake', () => {
  let allowed = 0;
  for (let seed = 1; seed <= 6; seed += 1) {
    const waits = measureWaits(seed);
    expect(waits.beyond).toBe(0);
    expect(waits.nearest).toBeLessThanOrEqual(1);
    allowed += waits.allowed;
  }
  expect(allowed).toBeGreaterThan(0);
}, 60_000);
