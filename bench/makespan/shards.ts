// Splitting by test name alone, as CI matrices do: each test goes to a slot that fits it, chosen by the hash of its name, or by
// turns in the order of names. Nobody's speed and no test's time is looked at, and nothing is moved afterwards.
import { createHash } from 'node:crypto';
import type { Workload } from './workload.ts';

export type Split = 'hash' | 'turns';

/** When the last slot is done with its part; `runMs` are the times of this run, by test and class. */
export function shardsMakespanMs(workload: Workload, runMs: readonly (readonly number[])[], split: Split): number {
  const classOf = workload.classes.flatMap(({ workers, slots }, at) =>
    Array.from({ length: workers * slots }, () => at),
  );
  const loads = classOf.map(() => 0);
  const slotsOfSuite = workload.suites.map(({ classes }) =>
    [...classOf.keys()].filter((slot) => classes.includes(classOf[slot]!)),
  );
  const turns = workload.suites.map(() => 0);
  const order = [...workload.tests.entries()].toSorted(([, a], [, b]) => (a.target < b.target ? -1 : 1));
  for (const [index, { target, suite }] of order) {
    const fitting = slotsOfSuite[suite]!;
    const number = split === 'hash' ? hashOf(target) : turns[suite]!++;
    const slot = fitting[number % fitting.length]!;
    loads[slot]! += runMs[index]![classOf[slot]!]!;
  }
  return Math.max(...loads) + workload.startupMs;
}

function hashOf(name: string): number {
  return createHash('sha256').update(name).digest().readUInt32BE(0);
}
