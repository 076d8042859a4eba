import type { DependencyProbed } from '@assay/core';
import { expect, test } from 'vitest';
import { DependencySetting } from '../settings.ts';
import { HandClock } from '../testing/hand-clock.ts';
import { startProber } from './dependency-prober.ts';

const api = DependencySetting.parse({ name: 'api', url: 'http://127.0.0.1:1', intervalMs: 1_000, timeoutMs: 200 });

/** Lets what is settled be told: a few turns of promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
}

function watch(probe: (signal: AbortSignal) => Promise<void>) {
  const clock = new HandClock();
  const told: DependencyProbed[] = [];
  const prober = startProber({
    dependencies: [api],
    clock,
    post: (input) => told.push(input),
    probeOf: () => probe,
    random: () => 0.5,
  });
  const pass = async (toMs: number): Promise<void> => {
    for (let next = clock.timerTimes()[0]; next !== undefined && next <= toMs; next = clock.timerTimes()[0]) {
      clock.pass(next);
      await settle();
    }
    clock.pass(toMs);
    await settle();
  };
  return { clock, told, prober, pass };
}

test('a dependency is looked at from the start on, and at its interval', async () => {
  const { told, prober, pass } = watch(() => Promise.resolve());
  await pass(2_500);
  expect(told).toEqual(
    [0, 1, 2].map(() => ({
      kind: 'dependencyProbed',
      dependency: 'api',
      outcome: 'success',
      durationMs: 0,
      detail: null,
    })),
  );
  expect(prober.nextProbeInMs('api')).toBe(500);
  expect(prober.nextProbeInMs('unknown')).toBeNull();
  prober.stop();
});

test('what is down is looked at less and less often, but never more than 30 s apart', async () => {
  const at: number[] = [];
  const watched = watch(() => {
    at.push(watched.clock.ms);
    return Promise.reject(new Error('connect ECONNREFUSED'));
  });
  await watched.pass(200_000);
  const apart = at.slice(1).map((ms, index) => ms - (at[index] ?? 0));
  expect(apart.slice(0, 7)).toEqual([1_000, 1_000, 1_000, 2_000, 4_000, 8_000, 16_000]);
  expect(Math.max(...apart)).toBe(30_000);
  // Each look that was made is told, and only those.
  expect(watched.told).toHaveLength(at.length);
  expect(watched.told[0]).toMatchObject({ outcome: 'failure', detail: 'connect ECONNREFUSED' });
  watched.prober.stop();
});

test('what comes back is looked at as often as before', async () => {
  let isUp = false;
  const { told, prober, pass } = watch(() => (isUp ? Promise.resolve() : Promise.reject(new Error('down'))));
  await pass(20_000);
  isUp = true;
  await pass(60_000);
  const before = told.length;
  await pass(70_000);
  expect(told.length - before).toBe(10);
  prober.stop();
});

test('a look without an answer is a failure after its time-out, and there is one at a time', async () => {
  let running = 0;
  const { told, prober, pass } = watch(
    (signal) =>
      new Promise((_, reject) => {
        running += 1;
        signal.addEventListener('abort', () => {
          running -= 1;
          reject(new Error('given up'));
        });
      }),
  );
  await pass(100);
  expect(running).toBe(1);
  await pass(250);
  expect(running).toBe(0);
  expect(told).toMatchObject([{ outcome: 'failure', durationMs: 200, detail: 'no answer within 200 ms' }]);
  prober.stop();
});

test('after stop nothing is looked at, and no look is left running', async () => {
  let aborted = 0;
  const { clock, told, prober, pass } = watch(
    (signal) => new Promise(() => signal.addEventListener('abort', () => (aborted += 1))),
  );
  await pass(50);
  prober.stop();
  await settle();
  expect(aborted).toBe(1);
  expect(clock.timerTimes()).toEqual([]);
  await pass(5_000);
  expect(told).toEqual([]);
});
