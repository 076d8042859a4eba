import { breakerDefaults, type BreakerSettings } from '@assay/core';
import { expect, test } from 'vitest';
import { HandClock } from '../testing/hand-clock.ts';
import { CallRefused, Circuit, type Reason } from './circuit.ts';

const settings: BreakerSettings = {
  ...breakerDefaults,
  window: { kind: 'time', spanMs: 10_000, buckets: 10 },
  consecutiveFailures: 2,
  openMs: 1_000,
  openJitter: 0,
};
const broken = new Error('connect ECONNREFUSED');
const fails = (): Promise<string> => Promise.reject(broken);
const hangs = (): Promise<string> => new Promise(() => undefined);

function circuitOf(changes: Partial<BreakerSettings> = {}): { circuit: Circuit; clock: HandClock } {
  const clock = new HandClock();
  return { circuit: new Circuit({ clock, settings: { ...settings, ...changes }, random: () => 0.5 }), clock };
}
const outcomeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (value) => value,
    (error: unknown) => error,
  );
const tripped = async (circuit: Circuit): Promise<void> => {
  const call = circuit.wrap(fails);
  for (let failure = 0; failure < 2; failure += 1) await outcomeOf(call(null));
};

test('a call is handed its arguments and gives its result, whether it is a promise or not', async () => {
  const { circuit } = circuitOf();
  expect(await circuit.wrap((_, a: number, b: number) => Promise.resolve(a + b))(null, 1, 2)).toBe(3);
  expect(await circuit.wrap((_, text: string) => text.length)(null, 'four')).toBe(4);
  expect(circuit.health()).toBe(1);
});

test('health is not known before anything was measured', () => {
  expect(circuitOf().circuit.health()).toBeNull();
});

test('a failure that comes later is a failure, and so is one that is thrown at once', async () => {
  const { circuit } = circuitOf();
  expect(await outcomeOf(circuit.wrap(fails)(null))).toBe(broken);
  const throwsAtOnce = circuit.wrap(() => {
    throw broken;
  });
  expect(await outcomeOf(throwsAtOnce(null))).toBe(broken);
  expect(circuit.breaker.state.kind).toBe('open');
  expect(circuit.health()).toBe(0);
});

test('an open circuit calls nothing, says until when, and looks again when that time has come', async () => {
  const { circuit, clock } = circuitOf();
  await tripped(circuit);
  let calls = 0;
  const call = circuit.wrap(() => {
    calls += 1;
    return 'well';
  });
  const refused = await outcomeOf(call(null));
  expect(refused).toBeInstanceOf(CallRefused);
  expect(refused).toMatchObject({ reason: { kind: 'refused', state: 'open', retryAtMs: 1_000 } });
  expect(calls).toBe(0);
  clock.pass(1_000);
  expect(await call(null)).toBe('well');
  expect(circuit.breaker.state.kind).toBe('closed');
});

test('the fallback is told the reason and the arguments', async () => {
  const { circuit } = circuitOf();
  const told: [Reason, string][] = [];
  const call = circuit.wrap((_, text: string) => (text === 'good' ? text : fails()), {
    fallback: (reason, text) => {
      told.push([reason, text]);
      return 'instead';
    },
  });
  for (const text of ['good', 'first', 'second', 'third']) await call(null, text);
  expect(told).toEqual([
    [{ kind: 'failed', error: broken }, 'first'],
    [{ kind: 'failed', error: broken }, 'second'],
    [{ kind: 'refused', state: 'open', retryAtMs: 1_000 }, 'third'],
  ]);
});

test('a call that takes too long is aborted and has failed, though it obeys no signal; what it says later is dropped', async () => {
  const { circuit, clock } = circuitOf();
  const signals: AbortSignal[] = [];
  const late = Promise.withResolvers<string>();
  const call = circuit.wrap(
    (signal) => {
      signals.push(signal);
      return late.promise;
    },
    { timeoutMs: 200, bulkhead: 1 },
  );
  const asked = call(null);
  clock.pass(200);
  expect(await outcomeOf(asked)).toMatchObject({ reason: { kind: 'timedOut', timeoutMs: 200 } });
  expect(signals[0]?.aborted).toBe(true);
  expect(circuit.health()).toBe(0);
  late.resolve('too late');
  await late.promise;
  expect(circuit.health()).toBe(0);
  // Its place in the bulkhead came back.
  expect(await call(null)).toBe('too late');
  expect(clock.timerTimes()).toEqual([]);
});

test("a caller's abort is no failure: it ends the call at once, leaves no timer, and its permit comes back", async () => {
  const { circuit, clock } = circuitOf();
  await tripped(circuit);
  clock.pass(1_000);
  const call = circuit.wrap(hangs, { timeoutMs: 5_000, fallback: () => 'never asked for' });
  const controller = new AbortController();
  const probe = call(controller.signal);
  expect(circuit.breaker.state.kind).toBe('halfOpen');
  expect(await outcomeOf(circuit.wrap(fails)(null))).toMatchObject({ reason: { state: 'halfOpen' } });
  controller.abort(new Error('the caller left'));
  expect(await outcomeOf(probe)).toMatchObject({ message: 'the caller left' });
  expect(clock.timerTimes()).toEqual([]);
  // The only permit is there again: the next call is the probe.
  expect(await circuit.wrap(() => 'well')(null)).toBe('well');
  expect(circuit.breaker.state.kind).toBe('closed');
});

test('a call that rejects because its caller aborted is no failure either', async () => {
  const { circuit } = circuitOf({ consecutiveFailures: 1 });
  const controller = new AbortController();
  const call = circuit.wrap(
    (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  );
  const asked = call(controller.signal);
  controller.abort();
  expect(await outcomeOf(asked)).toMatchObject({ name: 'AbortError' });
  expect(circuit.breaker.state.kind).toBe('closed');
  expect(circuit.health()).toBeNull();
});

test('who has aborted before the call does not call', async () => {
  const { circuit } = circuitOf();
  let calls = 0;
  const call = circuit.wrap(() => (calls += 1));
  expect(await outcomeOf(call(AbortSignal.abort(new Error('gone'))))).toMatchObject({ message: 'gone' });
  expect(calls).toBe(0);
});

test('a full bulkhead refuses, is no failure, and takes none of the probes', async () => {
  const { circuit, clock } = circuitOf({ probes: 2, probeSuccesses: 2 });
  await tripped(circuit);
  clock.pass(1_000);
  const first = Promise.withResolvers<string>();
  const call = circuit.wrap(() => first.promise, { bulkhead: 1 });
  const running = call(null);
  for (let more = 0; more < 5; more += 1)
    expect(await outcomeOf(call(null))).toMatchObject({ reason: { kind: 'full', running: 1 } });
  first.resolve('one');
  expect(await running).toBe('one');
  expect(circuit.breaker.state.kind).toBe('halfOpen');
  expect(await call(null)).toBe('one');
  expect(circuit.breaker.state.kind).toBe('closed');
});

test('what is a failure can be said: of what is thrown and of what is returned', async () => {
  const { circuit } = circuitOf({ consecutiveFailures: null });
  const call = circuit.wrap<[number], { status: number }>(
    (_, status) => (status === 404 ? Promise.reject(new Error('not found')) : Promise.resolve({ status })),
    {
      isFailure: (settled) => settled.kind === 'returned' && settled.value.status >= 500,
      fallback: () => ({ status: -1 }),
    },
  );
  expect(await outcomeOf(call(null, 404))).toMatchObject({ message: 'not found' });
  expect(circuit.health()).toBe(1);
  expect(await call(null, 503)).toEqual({ status: -1 });
  expect(circuit.health()).toBe(0.5);
});

test('a judge that throws and a fallback that throws leave no permit out', async () => {
  const { circuit, clock } = circuitOf();
  await tripped(circuit);
  clock.pass(1_000);
  const judged = circuit.wrap(() => 'well', {
    isFailure: () => {
      throw new Error('the judge is wrong');
    },
    fallback: () => {
      throw new Error('the fallback too');
    },
  });
  expect(await outcomeOf(judged(null))).toMatchObject({ message: 'the fallback too' });
  expect(circuit.breaker.state.kind).toBe('open');
  clock.pass(10_000);
  expect(await circuit.wrap(() => 'well')(null)).toBe('well');
  expect(circuit.breaker.state.kind).toBe('closed');
});

test('slow calls are counted where slowness is set', async () => {
  const { circuit, clock } = circuitOf({ slowCallMs: 100, slowRate: 0.5, volumeMin: 2, consecutiveFailures: null });
  const call = circuit.wrap(() => clock.pass(clock.nowMs() + 150));
  await call(null);
  expect(circuit.breaker.state.kind).toBe('closed');
  await call(null);
  expect(circuit.breaker.state.kind).toBe('open');
});

test('a probe that never answers does not lock the circuit', async () => {
  const { circuit, clock } = circuitOf({ probeExpiryMs: 3_000 });
  await tripped(circuit);
  clock.pass(1_000);
  void circuit.wrap(hangs)(null);
  clock.pass(4_000);
  // It has failed by now: open again, for twice as long.
  expect(await outcomeOf(circuit.wrap(fails)(null))).toMatchObject({ reason: { state: 'open', retryAtMs: 6_000 } });
  clock.pass(6_000);
  expect(await circuit.wrap(() => 'well')(null)).toBe('well');
  expect(circuit.breaker.state.kind).toBe('closed');
});
