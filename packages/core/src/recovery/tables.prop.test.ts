// What always holds of the tables of recovery, whatever they are asked.
import { failureClasses, verdicts } from '@assay/protocol';
import type { AttemptFailure, FailureClass, WorkerId } from '@assay/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseRecovery, recoveryTable } from './choose.ts';
import type { Situation } from './choose.ts';
import { diagnose, diagnosisTable } from './diagnose.ts';
import { recoveryDefaults } from './recovery-config.ts';
import { isOneTrouble } from './shield.ts';
import { suspectsOf } from './suspicion.ts';
import type { Suspicion } from './suspicion.ts';
import { isFailing } from './tried.ts';
import type { Tried } from './tried.ts';
import { meetsWish, nextBest } from './wish.ts';

const codes = [
  'TESTS_FAILED',
  'DEVICE_LOST',
  'CONNECTION_REFUSED',
  'OUT_OF_MEMORY',
  'WORKER_LOST',
  'SETUP_FAILED',
  'TIMED_OUT',
];
const failure: fc.Arbitrary<AttemptFailure> = fc.record({
  class: fc.constantFrom(...failureClasses),
  code: fc.constantFrom(...codes),
  message: fc.constant(''),
  rule: fc.record({
    id: fc.constantFrom('network/refused', 'gpu/xid-lost', 'assay/tests-failed'),
    source: fc.constantFrom('kernel', 'agent', 'exit', 'message', 'output'),
    matched: fc.constant('x'),
  }),
}) as fc.Arbitrary<AttemptFailure>;
const attempt = fc.record({
  worker: fc.constantFrom('a1', 'a2', 'b1', null) as fc.Arbitrary<WorkerId | null>,
  class: fc.constantFrom('a', 'b', null),
  verdict: fc.constantFrom(...verdicts),
  failure: fc.option(failure, { nil: undefined }),
  hasStarted: fc.boolean(),
  spent: fc.constantFrom('userRetry', 'infrastructureRetry', 'nothing', null),
  variant: fc.constant(null),
}) as fc.Arbitrary<Omit<Tried, 'attempt'>>;
const history = fc
  .array(attempt, { minLength: 1, maxLength: 8 })
  .map((list) => list.map((one, index): Tried => ({ ...one, attempt: index + 1 })));
const situation: fc.Arbitrary<Situation> = fc.record({
  tried: history,
  places: fc.record({ sameClass: fc.boolean(), otherClass: fc.boolean(), elsewhere: fc.constant(true) }),
  userRetriesLeft: fc.integer({ min: 0, max: 3 }),
  infrastructureRetriesLeft: fc.integer({ min: 0, max: 5 }),
  variants: fc.constantFrom([], [0], [1, 2]),
  hasFellowSuspects: fc.boolean(),
  isMassLoss: fc.boolean(),
  isPlaceSuspected: fc.boolean(),
  isOutage: fc.boolean(),
});
const many = { numRuns: 2_000 };

test('safety: a result is never retried, and every choice names its row', () => {
  const rows = new Set(recoveryTable.map(({ rule }) => rule));
  fc.assert(
    fc.property(situation, (its) => {
      const choice = chooseRecovery(its, recoveryDefaults);
      expect(rows.has(choice.rule)).toBe(true);
      if (!isFailing(its.tried.at(-1)!)) expect(choice).toEqual({ kind: 'settle', rule: 'result' });
    }),
    many,
  );
});

test('safety: a failed assertion is retried on the user’s account, where its place is in doubt, as one trouble of many, and never else', () => {
  fc.assert(
    fc.property(situation, (drawn) => {
      const last: Tried = {
        ...drawn.tried.at(-1)!,
        verdict: 'failed',
        failure: { class: 'test', code: 'TESTS_FAILED', message: '' },
      };
      const its = { ...drawn, tried: [...drawn.tried.slice(0, -1), last], isOutage: false, variants: [] };
      const choice = chooseRecovery(its, recoveryDefaults);
      if (choice.kind === 'settle') return;
      expect(['user-retry', 'place-in-doubt']).toContain(choice.rule);
      // Never as infrastructure: neither its budget nor its count.
      expect(choice.spends).toBe(choice.rule === 'place-in-doubt' ? 'nothing' : 'userRetry');
      if (choice.rule === 'place-in-doubt') {
        expect(its.isPlaceSuspected).toBe(true);
        expect(its.tried.filter(isFailing).length).toBeLessThanOrEqual(recoveryDefaults.saidRetriesMax);
      }
      if (choice.spends === 'userRetry') expect(its.userRetriesLeft).toBeGreaterThan(0);
    }),
    many,
  );
});

test('liveness: retries of one task end, whatever fails and however, and each class keeps to its budget', () => {
  fc.assert(
    fc.property(
      fc.infiniteStream(attempt),
      fc.integer({ min: 0, max: 3 }),
      fc.boolean(),
      (stream, retries, isOutage) => {
        const tried: Tried[] = [];
        let user = retries;
        let infrastructure = 5;
        for (const one of stream) {
          const verdict = isFailing(one) ? one.verdict : 'failed';
          tried.push({ ...one, verdict, attempt: tried.length + 1, spent: null });
          const choice = chooseRecovery(
            {
              tried,
              places: { sameClass: true, otherClass: true, elsewhere: true },
              userRetriesLeft: user,
              infrastructureRetriesLeft: infrastructure,
              variants: [],
              hasFellowSuspects: true,
              isMassLoss: true,
              isPlaceSuspected: true,
              isOutage,
            },
            recoveryDefaults,
          );
          if (choice.kind === 'settle') break;
          if (choice.spends === 'userRetry') user -= 1;
          if (choice.spends === 'infrastructureRetry') infrastructure -= 1;
          tried[tried.length - 1] = { ...tried.at(-1)!, spent: choice.spends };
          expect(user).toBeGreaterThanOrEqual(0);
          expect(choice.delayMs).toBeLessThanOrEqual(recoveryDefaults.delayMaxMs);
        }
        expect(tried.length).toBeLessThanOrEqual(recoveryDefaults.attemptsMax);
        for (const of of failureClasses as readonly FailureClass[]) {
          const spent = tried.filter(
            (one) =>
              one.spent === 'infrastructureRetry' &&
              one.failure?.class === of &&
              !codes.slice(4, 6).includes(one.failure.code) &&
              one.verdict !== 'lost',
          );
          expect(spent.length).toBeLessThanOrEqual(
            Math.max(recoveryDefaults.retriesMax[of], recoveryDefaults.saidRetriesMax),
          );
        }
      },
    ),
    { numRuns: 300 },
  );
});

const nobody = {
  isPoison: false,
  outage: null,
  hasFailedInSoundPlaces: false,
  isSuspected: () => false,
  isSuspectedClass: () => false,
  nameOfWorker: (worker: string) => worker,
  difference: () => null,
};

test('safety: a diagnosis is given exactly where there was trouble, names its row, and its attempts are the task’s own', () => {
  const rows = new Set([...diagnosisTable.passed, ...diagnosisTable.failed].map(({ rule }) => rule));
  fc.assert(
    fc.property(history, fc.boolean(), (tried, isSuspected) => {
      const diagnosis = diagnose({
        ...nobody,
        tried,
        isSuspected: () => isSuspected,
        isSuspectedClass: () => isSuspected,
      });
      const last = tried.at(-1)!;
      const hasTrouble = last.verdict !== 'canceled' && tried.some(isFailing);
      expect(diagnosis !== null).toBe(hasTrouble);
      if (diagnosis === null) return;
      expect(rows.has(diagnosis.rule)).toBe(true);
      expect(diagnosis.attempts.length).toBeGreaterThan(0);
      for (const number of diagnosis.attempts) expect(tried.some((one) => one.attempt === number)).toBe(true);
      // Nothing is proven by one place alone, but for what was lost with its worker.
      const places = new Set(tried.map(({ worker }) => worker));
      if (diagnosis.confidence === 'proven' && diagnosis.rule !== 'lost-workers-only' && diagnosis.fault !== 'flaky')
        expect(places.size).toBeGreaterThan(1);
    }),
    many,
  );
});

const suspicion = fc.record({
  key: fc.constantFrom('t1', 't2', 't3', 't4'),
  atMs: fc.integer({ min: 0, max: 4_000_000 }),
  class: fc.constantFrom('a', 'b'),
  isMeasured: fc.boolean(),
  usesDevice: fc.constant(true),
}) as fc.Arbitrary<Suspicion>;
const members = { workers: 10, membersOf: () => 4 };

test('safety: an idle window equals a fresh one: nothing is suspected by what is older than the window, or by the task itself', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('w1', 'w2', 'w3'), fc.array(suspicion, { maxLength: 10 })), (drawn) => {
      const all = new Map(Object.entries(drawn)) as Map<WorkerId, Suspicion[]>;
      const self = { key: 'other', usesDevice: true };
      const late = suspectsOf(all, recoveryDefaults, 4_000_001 + recoveryDefaults.suspicionMs, self, members);
      expect([late.workers.size, late.classes.size]).toEqual([0, 0]);
      const own = new Map([...all].map(([worker, entries]) => [worker, entries.filter(({ key }) => key === 't1')]));
      const bySelf = suspectsOf(own, recoveryDefaults, 4_000_000, { key: 't1', usesDevice: true }, members);
      expect([bySelf.workers.size, bySelf.classes.size]).toEqual([0, 0]);
      const byOtherKind = suspectsOf(all, recoveryDefaults, 4_000_000, { key: 'x', usesDevice: false }, members);
      expect(byOtherKind.workers.size).toBe(0);
    }),
  );
});

test('safety: one trouble needs its number of tests, suites and workers within the window; an idle window equals a fresh one', () => {
  const trouble = fc.record({
    task: fc.constantFrom('r-1.0', 'r-1.1', 'r-1.2', 'r-1.3', 'r-1.4'),
    attempt: fc.constant(1),
    suite: fc.constantFrom('x', 'y'),
    worker: fc.constantFrom('w1', 'w2', 'w3'),
    atMs: fc.integer({ min: 0, max: 60_000 }),
  });
  fc.assert(
    fc.property(fc.array(trouble, { maxLength: 20 }), (drawn) => {
      const troubles = drawn as never[] as Parameters<typeof isOneTrouble>[0];
      expect(isOneTrouble(troubles, recoveryDefaults, 60_001 + recoveryDefaults.shieldWindowMs)).toBe(false);
      const recent = troubles.filter(({ atMs }) => atMs > 60_000 - recoveryDefaults.shieldWindowMs);
      const isOne =
        new Set(recent.map(({ task }) => task)).size >= 4 &&
        new Set(recent.map(({ suite }) => suite)).size >= 2 &&
        new Set(recent.map(({ worker }) => worker)).size >= 2;
      expect(isOneTrouble(troubles, recoveryDefaults, 60_000)).toBe(isOne);
    }),
    many,
  );
});

test('safety: what meets a wish meets every weaker one after it, and every wish ends in what is always there', () => {
  const places = fc.record({
    worker: fc.constantFrom('a1', 'a2', 'b1', 'c1'),
    class: fc.record({ id: fc.constantFrom('a', 'b', 'c') }),
  });
  fc.assert(
    fc.property(places, fc.constantFrom('sameClass', 'otherClass', 'elsewhere', 'here'), (place, where) => {
      const wish = { where, workers: ['a1'] as WorkerId[], classes: ['a'], isSoft: false };
      const at = place as { worker: WorkerId; class: { id: string } };
      if (where !== 'here' && meetsWish(wish, where, at)) expect(meetsWish(wish, 'elsewhere', at)).toBe(true);
      expect(nextBest[where][0]).toBe(where);
    }),
  );
});
