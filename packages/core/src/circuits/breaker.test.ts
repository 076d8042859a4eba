// What breakers elsewhere were seen to do wrong, each as a test, and the plain story of one circuit.
import { expect, test } from 'vitest';
import { createBreaker } from './breaker-state.ts';
import type { Breaker, Permit } from './breaker-state.ts';
import { admit, dueAtMs, healthOf, observe, record, tick, tripCause } from './breaker.ts';
import type { CallOutcome } from './breaker.ts';
import { order } from './orders.ts';
import { breakerDefaults, settingsProblem } from './settings.ts';
import type { BreakerSettings } from './settings.ts';

const of = (change: Partial<BreakerSettings> = {}): Breaker =>
  createBreaker({ ...breakerDefaults, openJitter: 0, consecutiveFailures: null, ...change });

const permitOf = (breaker: Breaker, nowMs: number): Permit => {
  const admission = admit(breaker, nowMs);
  if (typeof admission !== 'number') throw new Error(`refused while ${admission.state}`);
  return admission;
};
const call = (breaker: Breaker, outcome: CallOutcome, nowMs: number, durationMs = 1) =>
  record(breaker, permitOf(breaker, nowMs), outcome, durationMs, nowMs);
const calls = (breaker: Breaker, outcome: CallOutcome, count: number, nowMs: number): void => {
  for (let each = 0; each < count; each += 1) call(breaker, outcome, nowMs);
};
const by = { actor: 'ada', reason: 'maintenance' };

test('a circuit trips, waits, lets one probe through and closes again', () => {
  const breaker = of();
  calls(breaker, 'success', 5, 1_000);
  calls(breaker, 'failure', 5, 2_000);
  expect(breaker.state).toEqual({ kind: 'open', sinceMs: 2_000, untilMs: 7_000 });
  expect(admit(breaker, 6_999)).toEqual({ kind: 'refused', state: 'open', retryAtMs: 7_000 });
  const probe = permitOf(breaker, 7_000);
  expect(admit(breaker, 7_001)).toEqual({ kind: 'refused', state: 'halfOpen', retryAtMs: 67_000 });
  expect(record(breaker, probe, 'success', 1, 7_500)?.to).toBe('closed');
  expect(breaker.history.map(({ from, to, cause }) => `${from} ${to} ${cause}`)).toEqual([
    'closed open failureRate',
    'open halfOpen openPeriodEnded',
    'halfOpen closed probesSucceeded',
  ]);
});

test('the first open period is the base one and not already doubled; later ones grow to a cap and shrink while closed', () => {
  const breaker = of({ consecutiveFailures: 1, openMs: 1_000, openMaxMs: 3_000, openDecayMs: 10_000 });
  call(breaker, 'failure', 0);
  expect(dueAtMs(breaker)).toBe(1_000);
  record(breaker, permitOf(breaker, 1_000), 'failure', 1, 1_000);
  expect(dueAtMs(breaker)).toBe(3_000);
  record(breaker, permitOf(breaker, 3_000), 'failure', 1, 3_000);
  expect(dueAtMs(breaker)).toBe(6_000);
  record(breaker, permitOf(breaker, 6_000), 'success', 1, 6_000);
  // Two of its three steps were forgotten in 20 s.
  call(breaker, 'failure', 26_000);
  expect(dueAtMs(breaker)).toBe(28_000);
});

test('an open period is drawn around its length, and no shorter than the jitter allows', () => {
  const length = (random01: number): number => {
    const breaker = of({ consecutiveFailures: 1, openMs: 1_000, openJitter: 0.1 });
    record(breaker, permitOf(breaker, 0), 'failure', 1, 0, random01);
    return dueAtMs(breaker) ?? -1;
  };
  expect([length(0), length(0.5), length(0.999999)]).toEqual([900, 1_000, 1_100]);
});

test('an idle hour, then two failures: a breaker that asks for ten calls does not trip', () => {
  for (const window of [
    { kind: 'time', spanMs: 60_000, buckets: 12 },
    { kind: 'count', calls: 20, ageMaxMs: 60_000 },
  ] as const) {
    const breaker = of({ window, consecutiveFailures: 5 });
    calls(breaker, 'failure', 4, 1_000);
    calls(breaker, 'success', 5, 1_000);
    calls(breaker, 'failure', 2, 3_601_000);
    expect(breaker.state.kind).toBe('closed');
    expect(breaker.window.calls).toBe(2);
    expect(breaker.consecutiveFailures).toBe(2);
  }
});

test('what is asked an hour later is asked of an empty window: it moves before it is read, too', () => {
  const breaker = of({ consecutiveFailures: 5 });
  for (let each = 0; each < 10; each += 1) observe(breaker, true, false, 1_000);
  expect(tripCause(breaker, 1_000)).toBe('consecutiveFailures');
  expect(tripCause(breaker, 3_601_000)).toBeNull();
});

test('failures on both sides of an idle hour do not stand in a row', () => {
  const breaker = of({ consecutiveFailures: 5 });
  calls(breaker, 'failure', 4, 1_000);
  call(breaker, 'failure', 3_601_000);
  expect(breaker.state.kind).toBe('closed');
});

test('half-open probes cannot run out and lock it open: each comes back, also those that say nothing or never answer', () => {
  const breaker = of({ consecutiveFailures: 1, probes: 2, probeSuccesses: 2 });
  call(breaker, 'failure', 0);
  for (let round = 0; round < 100; round += 1) calls(breaker, 'ignored', 2, 5_000);
  const silent = permitOf(breaker, 5_000);
  call(breaker, 'success', 5_000);
  expect(tick(breaker, 65_000)?.cause).toBe('probeExpired');
  expect(breaker.state).toMatchObject({ kind: 'open', untilMs: 75_000 });
  expect(record(breaker, silent, 'success', 1, 66_000)).toBeNull();
  expect(breaker.lateResults).toBe(1);
  calls(breaker, 'success', 2, 75_000);
  expect(breaker.state.kind).toBe('closed');
});

test('results from before the trip are counted and move nothing', () => {
  const breaker = of({ consecutiveFailures: 2 });
  const late = Array.from({ length: 50 }, () => permitOf(breaker, 0));
  calls(breaker, 'failure', 2, 1);
  const before = structuredClone({ ...breaker, lateResults: 0 });
  for (const permit of late) record(breaker, permit, 'failure', 1, 2);
  expect({ ...breaker, lateResults: 0 }).toEqual(before);
  expect(breaker.lateResults).toBe(50);
  const probe = permitOf(breaker, 5_001);
  for (const permit of late) record(breaker, permit, 'success', 1, 5_002);
  expect(breaker.state.kind).toBe('halfOpen');
  expect(record(breaker, probe, 'success', 1, 5_003)?.to).toBe('closed');
});

test('slow calls open it by their own rate, although each of them succeeded', () => {
  const breaker = of({ slowCallMs: 100, slowRate: 0.5 });
  for (let each = 0; each < 6; each += 1) call(breaker, 'success', 0, 10);
  for (let each = 0; each < 6; each += 1) call(breaker, 'success', 0, 101);
  expect(breaker.history.at(-1)).toMatchObject({ to: 'open', cause: 'slowRate' });
});

test('below the minimum volume no rate opens it', () => {
  const breaker = of({ volumeMin: 10 });
  calls(breaker, 'failure', 9, 0);
  expect(breaker.state.kind).toBe('closed');
  call(breaker, 'failure', 0);
  expect(breaker.state.kind).toBe('open');
});

test('a count window trips by the last calls only', () => {
  const breaker = of({ window: { kind: 'count', calls: 10, ageMaxMs: 60_000 } });
  calls(breaker, 'failure', 4, 0);
  calls(breaker, 'success', 30, 0);
  calls(breaker, 'failure', 4, 0);
  expect(breaker.state.kind).toBe('closed');
  call(breaker, 'failure', 0);
  expect(breaker.state.kind).toBe('open');
});

test('by hand: forced open until released, with who and why; then it is probed and not simply trusted', () => {
  const breaker = of();
  order(breaker, { kind: 'forceOpen', untilMs: null }, by, 1_000);
  expect(admit(breaker, 1e12)).toEqual({ kind: 'refused', state: 'forcedOpen', retryAtMs: null });
  expect(breaker.history.at(-1)).toMatchObject({ to: 'forcedOpen', actor: 'ada', reason: 'maintenance' });
  order(breaker, { kind: 'release' }, { actor: 'bob', reason: 'done' }, 2_000);
  expect(breaker.state.kind).toBe('halfOpen');
  call(breaker, 'success', 2_001);
  expect(breaker.state.kind).toBe('closed');
  expect(order(breaker, { kind: 'release' }, by, 3_000)).toBeNull();
});

test('forced open for a time ends by itself in a probe', () => {
  const breaker = of();
  order(breaker, { kind: 'forceOpen', untilMs: 5_000 }, by, 1_000);
  expect(tick(breaker, 4_999)).toBeNull();
  expect(tick(breaker, 5_000)?.to).toBe('halfOpen');
});

test('disabled counts nothing; metrics only counts and says how often it would have opened', () => {
  const breaker = of({ consecutiveFailures: 3 });
  order(breaker, { kind: 'disable' }, by, 0);
  calls(breaker, 'failure', 30, 0);
  expect(breaker.window.calls).toBe(0);
  order(breaker, { kind: 'watch' }, by, 0);
  calls(breaker, 'failure', 30, 0);
  expect(breaker.state.kind).toBe('metricsOnly');
  expect(breaker.wouldOpen).toBe(10);
  order(breaker, { kind: 'reset' }, by, 0);
  expect(breaker.window.calls).toBe(0);
  expect(breaker.state.kind).toBe('closed');
});

test('the health of what was not measured is unknown, and never 100', () => {
  const breaker = of();
  expect(healthOf(breaker, 0)).toBeNull();
  call(breaker, 'success', 0);
  calls(breaker, 'failure', 1, 0);
  expect(healthOf(breaker, 0)).toBe(0.5);
  expect(healthOf(breaker, 3_600_000)).toBeNull();
  order(breaker, { kind: 'disable' }, by, 0);
  expect(healthOf(breaker, 0)).toBeNull();
});

test.each([
  [{ probes: 2, probeSuccesses: 3 }, /probeSuccesses .* could never be reached/],
  [{ probeSuccesses: 0 }, /probeSuccesses/],
  [{ openMaxMs: Infinity }, /openMs/],
  [{ openMs: 10, openMaxMs: 5 }, /openMs/],
  [{ window: { kind: 'count', calls: 5, ageMaxMs: 1_000 } as const }, /never reached/],
  [{ window: { kind: 'count', calls: 20, ageMaxMs: 0 } as const }, /never forgets/],
  [{ failureRate: 0 }, /failureRate/],
  [{ slowRate: 0.5 }, /slowCallMs/],
  [{ openJitter: 1 }, /openJitter/],
])('settings that could lock it are refused: %j', (change, problem) => {
  expect(settingsProblem({ ...breakerDefaults, ...change })).toMatch(problem);
  expect(() => of(change)).toThrow(problem);
});

test('the history is bounded', () => {
  const breaker = of({ historyMax: 4 });
  for (let each = 0; each < 50; each += 1) order(breaker, { kind: 'reset' }, by, each);
  expect(breaker.history.map(({ atMs }) => atMs)).toEqual([46, 47, 48, 49]);
});
