// One seed, run twice: what a simulation finds is worth nothing if it cannot be seen again.
import { simulateSeed, type SimOptions, type SimResult } from './simulate.ts';

export async function runSeedTwice(seed: number, options: SimOptions = {}): Promise<SimResult> {
  const { onTrace: _, ...silent } = options;
  const first = await simulateSeed(seed, options);
  const second = await simulateSeed(seed, silent);
  if (first.digest === second.digest) return first;
  const message = `the first run left ${first.digest}, the second ${second.digest}`;
  return { ...first, violation: first.violation ?? { invariant: 'the same seed runs the same way', message } };
}
