// A recorded run under other policies and with more workers.
import { expect, test } from 'vitest';
import { simulate } from './simulate.ts';
import type { Recorded } from './simulate.ts';
import { profileOf } from '../../testing/lab.ts';

const worker = (name: string, kind: string) => ({
  worker: name,
  pool: 'default',
  slots: 1,
  profile: profileOf(),
  profileDigest: kind,
  declared: { kind },
});

/** 40 tasks of a second on the quick one, ten times as long on the slow ones; the engine knew it. */
const recorded: Recorded = {
  project: 'project',
  suites: [{ name: 'unit', requires: '', batching: 'single' }],
  workers: [worker('quick', 'quick'), worker('slow-1', 'slow'), worker('slow-2', 'slow')],
  tasks: Array.from({ length: 40 }, (_, index) => ({
    suite: 0,
    target: `t${index}`,
    expectedMs: 1_000,
    costMs: index < 34 ? 1_000 : 10_000,
    worker: index < 34 ? 'quick' : index % 2 === 0 ? 'slow-1' : 'slow-2',
  })),
  startupMs: 0,
};

test('the same record gives the same answer', () => {
  expect(simulate(recorded, { policy: 'expected-finish' })).toEqual(simulate(recorded, { policy: 'expected-finish' }));
});

test('more quick workers shorten it, and say by how much', () => {
  const now = simulate(recorded, { policy: 'expected-finish' });
  const more = simulate(recorded, { policy: 'expected-finish', add: { like: 'quick', count: 3 } });
  expect(more.workers).toBe(6);
  expect(more.makespanMs).toBeLessThan(now.makespanMs * 0.6);
  expect(more.waitMedianMs).toBeLessThan(now.waitMedianMs);
  expect(now.utilisation).toBeGreaterThan(0.5);
});

test('every policy brings it to its end', () => {
  for (const policy of ['expected-finish', 'round-robin', 'least-loaded', 'cache-affinity'] as const)
    expect(simulate(recorded, { policy }).makespanMs).toBeGreaterThan(20_000);
});

test('a worker that had no part cannot be multiplied', () => {
  expect(() => simulate(recorded, { policy: 'expected-finish', add: { like: 'nobody', count: 1 } })).toThrow(
    /no worker nobody/,
  );
});
