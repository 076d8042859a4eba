// Shows that the simulator bites: with each of five bugs planted around the production parts some of the first seeds fails,
// by an invariant that names the harm; without them the same seeds pass.
import { expect, test } from 'vitest';
import { simulateSeed } from './simulate.ts';
import { mutants } from './testing/mutants.ts';

const seeds = Array.from({ length: 40 }, (_, index) => index + 1);

/** The invariant that each bug is caught by. */
const catches: Record<string, readonly string[]> = {
  'no fence': ['a verdict never lands on a newer attempt'],
  'ack before commit': ['nothing is told before it is durable'],
  'lost credit': ['once faults stop, every task settles'],
  'double settle': ['an attempt is recorded at most once'],
  'forgotten lease': ['once faults stop, every task settles'],
};

test.each(mutants)('$name: $bug, and some seed fails', { timeout: 120_000 }, async ({ name, parts }) => {
  const harms = new Set<string>();
  const failed: number[] = [];
  for (const seed of seeds) {
    const { violation } = await simulateSeed(seed, { parts: parts() });
    if (violation === null) continue;
    failed.push(seed);
    harms.add(violation.invariant);
    // The harm that the bug is named for was seen: that is enough.
    if (violation.invariant === catches[name]?.[0]) break;
  }
  expect(failed).not.toEqual([]);
  expect([...harms]).toContain(catches[name]?.[0]);
  for (const harm of harms) expect(catches[name]).toContain(harm);
  for (const seed of failed) expect((await simulateSeed(seed)).violation).toBeNull();
});
