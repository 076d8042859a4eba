// What must hold of a breaker whatever happens to it, in whatever order and at whatever times.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { breakerTransitions, createBreaker } from './breaker-state.ts';
import type { Breaker, Permit } from './breaker-state.ts';
import { admit, dueAtMs, record, tick } from './breaker.ts';
import { order } from './orders.ts';
import { breakerDefaults, settingsProblem } from './settings.ts';
import type { BreakerSettings } from './settings.ts';
import { add, advance, createWindow } from './window.ts';

const windows = fc.oneof(
  fc.record({
    kind: fc.constant('time' as const),
    spanMs: fc.integer({ min: 100, max: 5_000 }),
    buckets: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({
    kind: fc.constant('count' as const),
    calls: fc.integer({ min: 1, max: 30 }),
    ageMaxMs: fc.integer({ min: 1, max: 5_000 }),
  }),
);
const settings: fc.Arbitrary<BreakerSettings> = fc
  .record({
    window: windows,
    volumeMin: fc.integer({ min: 1, max: 12 }),
    failureRate: fc.constantFrom(null, 0.2, 0.5, 1),
    consecutiveFailures: fc.constantFrom(null, 1, 3, 8),
    openMs: fc.integer({ min: 1, max: 2_000 }),
    openMaxMs: fc.integer({ min: 2_000, max: 20_000 }),
    openDecayMs: fc.integer({ min: 1, max: 20_000 }),
    probes: fc.integer({ min: 1, max: 4 }),
    probeSuccesses: fc.integer({ min: 1, max: 4 }),
    probeExpiryMs: fc.integer({ min: 1, max: 3_000 }),
  })
  .map((change) => ({ ...breakerDefaults, ...change, slowCallMs: 50, slowRate: 0.5, historyMax: 8 }))
  .filter((each) => settingsProblem(each) === null);

const action = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('admit' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('record' as const),
      which: fc.nat(20),
      outcome: fc.constantFrom('success' as const, 'failure' as const, 'ignored' as const),
      durationMs: fc.nat(100),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.oneof(fc.nat(300), fc.nat(10_000)) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('order' as const),
      what: fc.constantFrom('disable' as const, 'watch' as const, 'release' as const, 'reset' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('force' as const), forMs: fc.option(fc.nat(5_000)) }) },
);

const by = { actor: 'ada', reason: 'a property' };

/** Lives through the actions; `check` sees the breaker after each, with the permits that are out. */
function live(
  breaker: Breaker,
  actions: readonly (typeof action extends fc.Arbitrary<infer A> ? A : never)[],
  check: (out: readonly Permit[], nowMs: number) => void,
): number {
  let nowMs = 1_000;
  const out: Permit[] = [];
  for (const each of actions) {
    if (each.kind === 'wait') nowMs += each.ms;
    else if (each.kind === 'admit') {
      const admission = admit(breaker, nowMs);
      if (typeof admission === 'number') out.push(admission);
      else
        expect(admission.retryAtMs === null || admission.retryAtMs >= nowMs || admission.state === 'halfOpen').toBe(
          true,
        );
    } else if (each.kind === 'record') {
      const [permit] = out.splice(each.which % Math.max(1, out.length), 1);
      if (permit !== undefined) record(breaker, permit, each.outcome, each.durationMs, nowMs, 0.3);
    } else if (each.kind === 'force')
      order(breaker, { kind: 'forceOpen', untilMs: each.forMs === null ? null : nowMs + each.forMs }, by, nowMs);
    else order(breaker, { kind: each.what }, by, nowMs);
    check(out, nowMs);
  }
  return nowMs;
}

test('safety: an idle window equals a fresh one', () => {
  const call = fc.record({ waitMs: fc.nat(2_000), isFailure: fc.boolean(), isSlow: fc.boolean() });
  fc.assert(
    fc.property(
      windows,
      fc.array(call, { maxLength: 60 }),
      fc.array(call, { maxLength: 20 }),
      (of, before, afterwards) => {
        const used = createWindow(of);
        const fresh = createWindow(of);
        let nowMs = 10_000;
        for (const { waitMs, isFailure, isSlow } of before) add(used, isFailure, isSlow, (nowMs += waitMs));
        nowMs += of.kind === 'time' ? of.spanMs + of.spanMs / of.buckets : of.ageMaxMs;
        const idle = () => ({ calls: used.calls, failures: used.failures, slow: used.slow });
        advance(used, nowMs);
        expect(idle()).toEqual({ calls: 0, failures: 0, slow: 0 });
        for (const { waitMs, isFailure, isSlow } of afterwards) {
          nowMs += waitMs;
          add(used, isFailure, isSlow, nowMs);
          add(fresh, isFailure, isSlow, nowMs);
          expect(idle()).toEqual({ calls: fresh.calls, failures: fresh.failures, slow: fresh.slow });
        }
      },
    ),
  );
});

test('safety: the totals of a window are those of the calls within its span', () => {
  const call = fc.record({ waitMs: fc.nat(700), isFailure: fc.boolean() });
  fc.assert(
    fc.property(windows, fc.array(call, { maxLength: 80 }), (of, made) => {
      const window = createWindow(of);
      const all: { atMs: number; isFailure: boolean }[] = [];
      let nowMs = 10_000;
      for (const { waitMs, isFailure } of made) {
        nowMs += waitMs;
        add(window, isFailure, false, nowMs);
        all.push({ atMs: nowMs, isFailure });
        const bucket = (atMs: number): number => (of.kind === 'time' ? Math.floor(atMs / (of.spanMs / of.buckets)) : 0);
        const within = all.filter(({ atMs }) =>
          of.kind === 'time' ? bucket(nowMs) - bucket(atMs) < of.buckets : atMs > nowMs - of.ageMaxMs,
        );
        const seen = of.kind === 'time' ? within : within.slice(-of.calls);
        expect([window.calls, window.failures]).toEqual([seen.length, seen.filter((one) => one.isFailure).length]);
      }
    }),
  );
});

test('safety: permits are conserved: those out are known, and there are never more than probes', () => {
  fc.assert(
    fc.property(settings, fc.array(action, { maxLength: 120 }), (of, actions) => {
      const breaker = createBreaker(of, 1_000);
      live(breaker, actions, (out) => {
        if (breaker.state.kind !== 'halfOpen') return;
        expect(breaker.state.permits.length).toBeLessThanOrEqual(of.probes);
        for (const { permit } of breaker.state.permits) expect(out).toContain(permit);
      });
    }),
    { numRuns: 300 },
  );
});

test('liveness: every state can be left, and what only waits for time leaves by itself and closes on good probes', () => {
  for (const [state, next] of Object.entries(breakerTransitions))
    expect([state, ...Object.values(next).filter((to) => to !== state)].length).toBeGreaterThan(1);
  fc.assert(
    fc.property(settings, fc.array(action, { maxLength: 80 }), (of, actions) => {
      const breaker = createBreaker(of, 1_000);
      let nowMs = live(breaker, actions, () => undefined);
      if (
        breaker.state.kind === 'disabled' ||
        breaker.state.kind === 'metricsOnly' ||
        (breaker.state.kind === 'forcedOpen' && breaker.state.untilMs === null)
      )
        order(breaker, { kind: 'release' }, by, nowMs);
      // Probes that never answer, then good ones: at most one expiry and one open period, then as many successes as it asks for.
      for (let turn = 0; turn < 3 && breaker.state.kind !== 'closed'; turn += 1) {
        const dueMs = dueAtMs(breaker);
        if (dueMs !== null) nowMs = Math.max(nowMs, dueMs);
        tick(breaker, nowMs);
        for (let each = 0; each < of.probeSuccesses && breaker.state.kind === 'halfOpen'; each += 1) {
          const admission = admit(breaker, nowMs);
          if (typeof admission === 'number') record(breaker, admission, 'success', 1, nowMs);
        }
      }
      expect(breaker.state.kind).toBe('closed');
    }),
    { numRuns: 300 },
  );
});

test('safety: never are more successes required than there are permits', () => {
  fc.assert(
    fc.property(fc.integer({ min: -2, max: 2_000 }), fc.integer({ min: -2, max: 2_000 }), (probes, probeSuccesses) => {
      const problem = settingsProblem({ ...breakerDefaults, probes, probeSuccesses });
      if (problem === null) expect(probeSuccesses).toBeLessThanOrEqual(probes);
      if (probeSuccesses > probes) expect(problem).not.toBeNull();
    }),
  );
});

test('safety: open refuses all until its time, the history and the open period are bounded, and JSON loses nothing', () => {
  fc.assert(
    fc.property(settings, fc.array(action, { maxLength: 100 }), (of, actions) => {
      const breaker = createBreaker(of, 1_000);
      live(breaker, actions, (_out, nowMs) => {
        expect(breaker.history.length).toBeLessThanOrEqual(of.historyMax);
        const { state } = breaker;
        if (state.kind === 'open') {
          expect(state.untilMs - state.sinceMs).toBeLessThanOrEqual(of.openMaxMs * (1 + of.openJitter) + 1);
          if (nowMs < state.untilMs) expect(typeof admit(breaker, nowMs)).toBe('object');
        }
        expect(JSON.parse(JSON.stringify(breaker))).toEqual(breaker);
      });
    }),
  );
});
