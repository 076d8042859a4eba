// What one attempt really does on one worker at one time, by the plant: how long it takes, how it ends, and why in truth. The
// cause is kept beside the outcome and never told to the engine. Failures are written as real ones are (kernel lines, messages
// of drivers and runners) and get class and code from the production table of failure rules, as on an agent.
import { explainFailure, type AttemptFailure, type AttemptOutcome } from '@assay/protocol';
import { randomOf, type Random } from '../sim/random.ts';
import type { Badness, Plant, PlantedTest, PlantedWorker } from './plant.ts';

/** Why an attempt ended as it did. */
export type Cause = 'well' | 'test' | 'flaky' | 'device' | 'driver' | 'blackHole' | 'poison' | 'dependency';

export type Deed = {
  readonly cause: Cause;
  readonly durationMs: number;
  /** Null: it takes its worker down. */
  readonly outcome: (Pick<AttemptOutcome, 'verdict' | 'counts'> & { failure?: AttemptFailure }) | null;
};

const passed: Deed['outcome'] = { verdict: 'passed', counts: { passed: 1, failed: 0, skipped: 0, todo: 0 } };
const failedCounts = { passed: 0, failed: 1, skipped: 0, todo: 0 };
const nothingCounts = { passed: 0, failed: 0, skipped: 0, todo: 0 };

export function deedOf(
  plant: Plant,
  test: PlantedTest,
  worker: PlantedWorker,
  run: number,
  attempt: number,
  atMs: number,
): Deed {
  const { truth } = plant;
  const random = randomOf(plant.seed, `deed ${plant.kind} ${run} ${test.target} ${attempt} ${worker.name}`);
  const durationMs = Math.max(1, Math.round(test.durationMs * (0.8 + 0.4 * random.real())));
  if (truth.blackHoles.has(worker.name))
    return { cause: 'blackHole', durationMs: random.int(5, 60), outcome: blackHole(plant) };
  if (truth.poison.has(test.target)) return { cause: 'poison', durationMs: Math.round(durationMs / 2), outcome: null };
  if (
    test.suite === 'service' &&
    truth.down !== null &&
    atMs < truth.down.untilMs &&
    atMs + durationMs > truth.down.fromMs
  )
    return { cause: 'dependency', durationMs: random.int(50, 500), outcome: refusedConnection() };
  if (test.suite === 'gpu') {
    const badDevice = truth.badDevices.get(worker.name);
    if (badDevice !== undefined && random.chance(badDevice.failShare))
      return { cause: 'device', durationMs, outcome: badResult(random, badDevice, deviceSigns) };
    const { badDriver } = truth;
    if (badDriver?.class === worker.class && random.chance(badDriver.badness.failShare))
      return { cause: 'driver', durationMs, outcome: badResult(random, badDriver.badness, driverSigns) };
  }
  if (test.ownFailures === 1) return { cause: 'test', durationMs, outcome: assertion(test.target) };
  if (random.chance(test.ownFailures)) return { cause: 'flaky', durationMs, outcome: assertion(test.target) };
  return { cause: 'well', durationMs, outcome: passed };
}

type Sign = { readonly kernel?: string; readonly failures?: readonly string[] };

const deviceSigns: readonly Sign[] = [
  { kernel: 'NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, name=node, GPU has fallen off the bus.' },
  {
    kernel:
      'NVRM: Xid (PCI:0000:3b:00): 48, pid=1234, An uncorrectable double bit error (DBE) has been detected on GPU',
  },
  { failures: ['RuntimeError: CUDA error: uncorrectable ECC error encountered'] },
];
const driverSigns: readonly Sign[] = [
  { kernel: 'NVRM: Xid (PCI:0000:3b:00): 62, pid=1234, name=node, Internal micro-controller halt' },
  {
    kernel:
      'NVRM: Xid (PCI:0000:3b:00): 119, pid=1234, name=node, Timeout after 6s of waiting for RPC response from GPU',
  },
];

function badResult(random: Random, { wrongResultShare }: Badness, signs: readonly Sign[]): Deed['outcome'] {
  if (random.chance(wrongResultShare)) return assertion('the product');
  return explained(random.pick(signs), 'TESTS_FAILED', 'test', true);
}

function assertion(what: string): Deed['outcome'] {
  return explained(
    { failures: [`AssertionError: expected ${what} to equal what was asked for`] },
    'TESTS_FAILED',
    'test',
    false,
  );
}

function refusedConnection(): Deed['outcome'] {
  return explained({ failures: ['Error: connect ECONNREFUSED 10.0.0.7:5432'] }, 'TESTS_FAILED', 'test', false);
}

/** A machine on which everything fails at once: no runner starts, a library is missing, or every test finds its answer wrong. */
function blackHole(plant: Plant): Deed['outcome'] {
  const looks = randomOf(plant.seed, 'looks of black holes').pick(['noRunner', 'noModule', 'wrong'] as const);
  if (looks === 'wrong') return assertion('anything');
  const failures = looks === 'noModule' ? ["Error: Cannot find module 'left-pad'"] : [];
  const code = looks === 'noModule' ? 'FILE_FAILED_TO_LOAD' : 'RUNNER_FAILED_TO_START';
  const outcome = explained({ failures }, code, looks === 'noModule' ? 'test' : 'infrastructure', false);
  return { ...outcome!, verdict: looks === 'noModule' ? 'failed' : 'errored', counts: nothingCounts };
}

function explained(sign: Sign, code: string, own: AttemptFailure['class'], usesDevice: boolean): Deed['outcome'] {
  const message = sign.failures?.[0] ?? '1 case failed';
  const seen = explainFailure({
    class: own,
    code,
    message,
    exit: { code: 1, signal: null },
    kernel: sign.kernel ?? '',
    failures: sign.failures ?? [],
    failuresLeftOut: 0,
    output: '',
    usesDevice,
  });
  return { verdict: 'failed', counts: failedCounts, failure: { ...seen, message } };
}
