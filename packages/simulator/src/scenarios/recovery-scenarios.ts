// Stories of recovery: where a retry goes and what it tells, a task that takes workers down, one trouble of many, and another
// configuration than the one that was asked for. Failures get class and code from the rules, as an agent would give them.
import { explainFailure } from '@assay/protocol';
import type { Plan, PlanOf } from '../agents/executor.ts';
import { machineKinds } from '../agents/machines.ts';
import { submission, suite, worker, world } from './worlds.ts';
import type { Scenario } from './worlds.ts';

const well = (target: string, durationMs = 400): Plan => ({
  durationMs,
  cases: [{ path: [target, 'works'], status: 'passed', durationMs }],
  verdict: 'passed',
});

/** A case that fails with these words, while the kernel writes those. */
function failing(message: string, kernel = '', durationMs = 400): Plan {
  const said = explainFailure({
    class: 'test',
    code: 'TESTS_FAILED',
    message: '1 case failed',
    exit: null,
    kernel,
    failures: [message],
    failuresLeftOut: 0,
    output: '',
    usesDevice: true,
  });
  const cases: Plan['cases'] = [{ path: ['works'], status: 'failed', durationMs, failure: { message } }];
  return { durationMs, cases, verdict: 'failed', failure: { ...said, message } };
}

const but =
  (trouble: (target: string, worker: string, atMs: number, attempt: number) => Plan | null): PlanOf =>
  (target, attempt, on, atMs) =>
    trouble(target, on, atMs, attempt) ?? well(target);

const gpu = worker({ machine: machineKinds[2] });
const large = worker({ machine: machineKinds[1] });
const launch = 'RuntimeError: CUDA error: unspecified launch failure';
const xid = 'NVRM: Xid (PCI:0000:3b:00): 79, pid=17, name=python3, GPU has fallen off the bus.';
const firmware = 'NVRM: Xid (PCI:0000:3b:00): 119, pid=17, name=python3, Timeout waiting for RPC from GSP0!';
const one = [submission(['kernels.test'], 400)];
const settled = { faultsEndMs: 20_000 };

export const recoveryScenarios: readonly Scenario[] = [
  {
    name: 'verdict-this-device',
    story:
      'The GPU of w-0 falls off its bus. The retry goes to w-1, which has the same hardware and driver: it passes there, so the unit is at fault and not the test or the driver.',
    plan: world({ ...settled, workers: [gpu, gpu, large], submissions: one }),
    planOf: but((_target, on) => (on === 'w-0' ? failing('RuntimeError: no', xid) : null)),
  },
  {
    name: 'verdict-this-driver',
    story:
      "The driver of the GPU machines stops answering. The first retry goes to another unit of the same kind and fails alike; the second goes to another kind of machine and passes: the driver's version is at fault, proven by three attempts.",
    plan: world({ ...settled, workers: [gpu, gpu, worker({ ...large, joinsAtMs: 1_000 })], submissions: one }),
    planOf: but((_target, on) => (on === 'w-2' ? null : failing('RuntimeError: no', firmware, 1_500))),
  },
  {
    name: 'verdict-the-test',
    story:
      'A test whose words could mean the device fails on a second kind of machine too: what they have in common is the test. No place is left that could tell otherwise, and nothing more is spent.',
    plan: world({ ...settled, workers: [gpu, large, worker()], submissions: one }),
    planOf: but(() => failing(launch)),
  },
  {
    name: 'verdict-infrastructure',
    story:
      'A worker loses its power in the middle of a test. The test passes elsewhere, and is not called flaky: the worker went away.',
    plan: world({ ...settled, workers: [worker(), worker()], submissions: one }),
    planOf: but((target, _on, _atMs, attempt) => (attempt === 1 ? { ...well(target), killsMachine: true } : null)),
  },
  {
    name: 'verdict-flaky',
    story:
      'A test with a retry of its user fails by its own assertion and passes on a machine of the same kind: flaky, and nothing else.',
    plan: world({
      ...settled,
      workers: [worker(), worker()],
      submissions: [submission(['a.test'], 400, { suite: { retries: 2 } })],
    }),
    planOf: but((_target, _on, _atMs, attempt) => (attempt === 1 ? failing('AssertionError: 1 is not 2') : null)),
  },
  {
    name: 'poison',
    story:
      'A test takes down the machine that runs it. After two machines it is set aside with its evidence, the third is spared, and everything else passes.',
    plan: world({
      ...settled,
      workers: [worker(), worker(), worker()],
      submissions: [submission(['a.test', 'poison.test', 'b.test', 'c.test'], 400, { suite: { batching: 'single' } })],
    }),
    planOf: but((target) => (target === 'poison.test' ? { ...well(target), killsMachine: true } : null)),
  },
  {
    name: 'one-trouble-of-many',
    story:
      'A database goes away for twenty seconds, and tests of two suites fail with it on several workers. That is told once; their retries are not spent and nobody is flaky. One test looks whether it is back, and then all go on and pass.',
    plan: world({
      ...settled,
      workers: [worker(), worker(), worker()],
      submissions: [twoSuites()],
      faultsEndMs: 30_000,
    }),
    planOf: but((target, _on, atMs) =>
      target.startsWith('pure') || atMs < 500 || atMs > 20_000
        ? null
        : failing('Error: connect ECONNREFUSED 10.0.0.5:5432', '', 200),
    ),
  },
  {
    name: 'another-configuration',
    story:
      'With batch 32 the device runs out of memory, on the only kind there is. The run allows "batch 16": that passes, and the result is stored under that label, never as the one that was asked for.',
    plan: world({
      ...settled,
      workers: [gpu, gpu],
      submissions: [
        submission(['train.test'], 400, {
          suite: { env: { BATCH: '32' }, variants: [{ label: 'batch 16', env: { BATCH: '16' } }] },
        }),
      ],
    }),
    planOf: but((_target, _on, _atMs, attempt) =>
      attempt === 1 ? failing('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.') : null,
    ),
  },
];

/** Two suites that use one database, and a test that does not. */
function twoSuites(): ReturnType<typeof submission> {
  const first = submission(['o1', 'o2', 'o3', 'o4'], 200, { suite: { name: 'orders', batching: 'single' } });
  const more = ['u1', 'u2', 'u3', 'u4', 'pure1'].map((target) => ({ suite: 1, target, expectedMs: 200 }));
  const spec = { ...first.spec, suites: [...first.spec.suites, suite({ name: 'users', batching: 'single' })] };
  return { ...first, spec, chunks: [[...(first.chunks[0] ?? []), ...more]] };
}
