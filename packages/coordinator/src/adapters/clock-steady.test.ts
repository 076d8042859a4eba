import { expect, test } from 'vitest';
import { aheadOfMachine, steadyClock } from './clock-system.ts';

test('after a start on a machine that was set back, time goes on from what it was, until the machine has caught up', () => {
  let wallMs = 1_000_000;
  let monotonicMs = 0;
  const nowMs = steadyClock(
    () => wallMs,
    () => monotonicMs,
    4_600_000,
  );
  expect(nowMs()).toBe(4_600_000);
  wallMs += 15_000;
  monotonicMs += 15_000;
  expect(nowMs()).toBe(4_615_000);
  wallMs = 4_700_000;
  expect(nowMs()).toBe(4_700_000);
});

test('time goes on while the machine is set back, and follows it when it is set forward', () => {
  let wallMs = 1_000_000;
  let monotonicMs = 0;
  const nowMs = steadyClock(
    () => wallMs,
    () => monotonicMs,
  );
  const pass = (ms: number): void => void ((wallMs += ms), (monotonicMs += ms));
  pass(500);
  expect(nowMs()).toBe(1_000_500);
  wallMs -= 3_600_000;
  pass(200);
  expect(nowMs()).toBe(1_000_700);
  pass(1_000);
  expect(nowMs()).toBe(1_001_700);
  wallMs += 2 * 3_600_000;
  expect(nowMs()).toBe(1_001_700 + 3_600_000);
});

test('a coordinator whose machine was once far ahead says so when it starts, and its windows go by time that passes', () => {
  const yearMs = 365 * 86_400_000;
  expect(aheadOfMachine(1_000_000, 1_000_500)).toBeNull();
  expect(aheadOfMachine(1_000_500, 1_000_000)).toBeNull();
  expect(aheadOfMachine(1_000_000 + yearMs, 1_000_000)).toContain('31536000 s ahead');
  let wallMs = 1_000_000;
  let monotonicMs = 0;
  const nowMs = steadyClock(
    () => wallMs,
    () => monotonicMs,
    1_000_000 + yearMs,
  );
  const begunMs = nowMs();
  for (let second = 1; second <= 60; second += 1) {
    wallMs += 1_000;
    monotonicMs += 1_000;
    expect(nowMs() - begunMs).toBe(1_000 * second);
  }
});
