// Planted truths: what was drawn is known, and the judgement must name it. How often it is right is measured by bench/flakes.
import { expect, test } from 'vitest';
import { uniformOf } from '../kernel/random.ts';
import { clusterFailures, signatureOf, type Failure } from './cluster-failures.ts';
import { placeOfFailures, type Placed } from './flake-place.ts';
import { judgeFlake } from './flake-score.ts';
import {
  passesNeededFor,
  quarantineMaxMs,
  stepQuarantine,
  type Quarantine,
  type QuarantineInput,
} from './quarantine.ts';

const luck = uniformOf('flakes');
const tries = (rate: number, count: number): { failed: number; passed: number } => {
  const failed = Array.from({ length: count }, luck).filter((draw) => draw < rate).length;
  return { failed, passed: count - failed };
};

test('passing and failing at one revision is a flake, also where a retry made each run good', () => {
  const groups = Array.from({ length: 12 }, (_, at) =>
    at % 3 === 0 ? { failed: 1, passed: 1 } : { failed: 0, passed: 1 },
  );
  const judged = judgeFlake([groups]);
  expect(judged).toMatchObject({ kind: 'judged', verdict: 'flaky', mixedGroups: 4, executions: 16, failures: 4 });
  if (judged.kind !== 'judged') return;
  expect(judged.rate.low).toBeLessThan(0.25);
  expect(judged.rate.high).toBeGreaterThan(0.25);
});

test('what a revision broke is no flake: it fails there each time and passes elsewhere each time', () => {
  const groups = [
    ...Array.from({ length: 9 }, () => ({ failed: 0, passed: 2 })),
    { failed: 6, passed: 0 },
    { failed: 6, passed: 0 },
  ];
  expect(judgeFlake([groups])).toMatchObject({ verdict: 'steady' });
  expect(judgeFlake([[{ failed: 40, passed: 0 }]])).toMatchObject({ verdict: 'steady', mixedGroups: 0 });
});

test('one failure among very many passes is not yet a flake, and of four executions nothing is said', () => {
  expect(judgeFlake([[{ failed: 1, passed: 3_000 }]])).toMatchObject({ verdict: expect.not.stringMatching('flaky') });
  expect(judgeFlake([[{ failed: 2, passed: 2 }]])).toEqual({ kind: 'tooFew', executions: 4, need: 5 });
  expect(judgeFlake([])).toEqual({ kind: 'tooFew', executions: 0, need: 5 });
});

const where = (worker: string, gpu: string, driver: string): Record<string, string> => ({ worker, gpu, driver });

test('a flake that lives on one driver is said to live there, not on the worker where it was seen most', () => {
  const placed: Placed[] = [
    { where: where('w1', 'A', '550'), ...tries(0.4, 30) },
    { where: where('w2', 'B', '550'), ...tries(0.4, 30) },
    { where: where('w1', 'A', '535'), ...tries(0, 30) },
    { where: where('w2', 'B', '535'), ...tries(0, 30) },
  ];
  expect(placeOfFailures(placed)).toMatchObject({ dimension: 'driver', value: '550', alike: [] });
});

test('what was never executed apart is not told apart: the only worker of a class and its class are both named', () => {
  const placed: Placed[] = [
    { where: where('w1', 'A', '550'), failed: 9, passed: 11 },
    { where: where('w2', 'B', '550'), failed: 0, passed: 20 },
    { where: where('w3', 'B', '550'), failed: 0, passed: 20 },
  ];
  const place = placeOfFailures(placed);
  expect(place).toMatchObject({ dimension: 'gpu', value: 'A', alike: [{ dimension: 'worker', value: 'w1' }] });
});

test('a flake that fails everywhere alike lives nowhere: among 300 drawn ones at most 6 are said to', () => {
  let named = 0;
  for (let round = 0; round < 300; round += 1) {
    const placed = Array.from({ length: 8 }, (_, at) => ({
      where: where(`w${at}`, `g${at % 3}`, `d${at % 2}`),
      ...tries(0.2, 15),
    }));
    if (placeOfFailures(placed) !== null) named += 1;
  }
  expect(named).toBeLessThanOrEqual(6);
  expect(placeOfFailures([{ where: { worker: 'only' }, failed: 5, passed: 5 }])).toBeNull();
  expect(placeOfFailures([])).toBeNull();
});

const day = 24 * 3_600_000;
const request = {
  kind: 'quarantine',
  mode: 'mute',
  owner: 'ada',
  reason: 'races',
  expiresAtMs: 10 * day,
  rate: 0.1,
} as const;
const after = (state: Quarantine, inputs: readonly QuarantineInput[], nowMs = day): Quarantine =>
  inputs.reduce((last, input) => stepQuarantine(last, input, nowMs).state, state);
const free: Quarantine = { kind: 'free' };
const executed = (count: number, isFailed = false): QuarantineInput[] =>
  Array.from({ length: count }, () => ({ kind: 'executed', isFailed }));

test('a quarantine needs an owner, a reason and an end within 90 days', () => {
  const refusals = [
    { owner: ' ' },
    { reason: '' },
    { expiresAtMs: 0 },
    { expiresAtMs: day + quarantineMaxMs + 1 },
    { expiresAtMs: Number.NaN },
  ];
  for (const wrong of refusals)
    expect(stepQuarantine(free, { ...request, ...wrong }, day)).toMatchObject({ kind: 'refused', state: free });
  expect(stepQuarantine(free, request, day)).toMatchObject({
    kind: 'quarantined',
    state: { sinceMs: day, owner: 'ada' },
  });
});

test('it ends on as many passes in a row as its rate asks for, and one failure starts the count again', () => {
  const needed = passesNeededFor(0.1);
  expect(0.9 ** needed).toBeLessThanOrEqual(0.05);
  expect(0.9 ** (needed - 1)).toBeGreaterThan(0.05);
  const almost = [request, ...executed(needed - 1)];
  expect(after(free, almost)).toMatchObject({ kind: 'quarantined', passesInRow: needed - 1 });
  expect(after(free, [...almost, ...executed(1, true), ...executed(needed - 1)])).toMatchObject({
    kind: 'quarantined',
  });
  expect(stepQuarantine(after(free, almost), { kind: 'executed', isFailed: false }, day)).toMatchObject({
    kind: 'released',
    because: 'passes',
  });
  expect(passesNeededFor(0)).toBe(1_000);
});

test('it ends at its end whatever happens, by a person at any time, and what is skipped never earns its way out', () => {
  const held = after(free, [request]);
  expect(stepQuarantine(held, { kind: 'executed', isFailed: true }, 10 * day)).toMatchObject({
    kind: 'released',
    because: 'expired',
  });
  expect(stepQuarantine(held, { kind: 'timePassed' }, 10 * day)).toMatchObject({
    kind: 'released',
    because: 'expired',
  });
  expect(stepQuarantine(held, { kind: 'release', by: 'bob' }, day)).toMatchObject({
    kind: 'released',
    because: 'person',
  });
  expect(after(free, [{ ...request, mode: 'skip' }, ...executed(2_000)])).toMatchObject({
    kind: 'quarantined',
    passesInRow: 0,
  });
  expect(stepQuarantine(held, request, 2 * day)).toEqual({ kind: 'unchanged', state: held });
  expect(stepQuarantine(held, { ...request, expiresAtMs: 20 * day }, 11 * day)).toMatchObject({
    kind: 'quarantined',
    state: { expiresAtMs: 20 * day },
  });
});

test('failures that differ in numbers, paths, times and colours are one; those that differ in words are two', () => {
  const one = signatureOf('\u001b[31mexpected 3 to equal 4.5 at /home/a/p/x.test.ts:12:3 (2026-01-02T03:04:05Z)', null);
  expect(signatureOf('expected 17 to equal 0 at /tmp/cache/b/x.test.ts:99:1 (2025-11-12T13:14:15.123Z)', null)).toBe(
    one,
  );
  expect(signatureOf('expected 3 to contain 4.5', null)).not.toBe(one);
  const stack = (line: number): string =>
    `Error: x\n    at add (/w/src/sum.ts:${line}:9)\n    at run (/w/node_modules/runner/a.js:1:1)`;
  expect(signatureOf('boom', stack(4))).toBe(signatureOf('boom', stack(44)));
  expect(signatureOf('boom', stack(4))).not.toBe(signatureOf('boom', 'Error: x\n    at sub (/w/src/sub.ts:4:9)'));
});

test('a cluster says when it was first and last seen, in which revisions, on what, and in which tests', () => {
  const failure = (at: number, more: Partial<Failure>): Failure => ({
    test: 'a',
    message: `timeout after ${at} ms`,
    stack: null,
    atMs: at,
    run: `r-${at}`,
    revision: 'one',
    hardware: 'gpu',
    ...more,
  });
  const list = [
    failure(5, {}),
    failure(2, { revision: 'zero' }),
    failure(9, { test: 'b', hardware: 'cpu' }),
    failure(7, { message: 'refused' }),
  ];
  const [first, second] = clusterFailures(list);
  expect(first).toMatchObject({
    failures: 3,
    tests: ['a', 'b'],
    revisions: ['one', 'zero'],
    hardware: ['cpu', 'gpu'],
    firstSeen: { atMs: 2, run: 'r-2' },
    lastSeen: { atMs: 9, run: 'r-9' },
    message: 'timeout after 9 ms',
  });
  expect(second).toMatchObject({ failures: 1, message: 'refused' });
  expect(clusterFailures(list.toReversed())).toEqual(clusterFailures(list));
});
