// Stories of circuits. Open periods are two seconds here instead of fifteen, so that a story is short; everything else is as shipped.
import { circuitsDefaults, engineDefaults, type BreakerSettings, type CircuitsConfig } from '@assay/core';
import type { AttemptFailure, Task } from '@assay/protocol';
import type { Plan, PlanOf } from '../agents/executor.ts';
import { machineKinds } from '../agents/machines.ts';
import type { SeedPlan } from '../plan.ts';
import { submission, suite, worker, world } from './worlds.ts';
import type { Scenario } from './worlds.ts';

const quick = (breaker: BreakerSettings): BreakerSettings => ({ ...breaker, openMs: 2_000 });
const { breakers } = circuitsDefaults;
const circuits: CircuitsConfig = {
  ...circuitsDefaults,
  breakers: {
    ...breakers,
    worker: quick(breakers.worker),
    device: quick(breakers.device),
    workerTask: quick(breakers.workerTask),
    classTask: quick(breakers.classTask),
    class: quick(breakers.class),
    task: quick(breakers.task),
  },
};

function fleet(over: Partial<SeedPlan>): SeedPlan {
  const { config } = world({});
  return world({ ...over, config: { ...engineDefaults, ...config, circuits } });
}

const files = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(2, '0')}.test`);

const well = (target: string, durationMs: number): Plan => ({
  durationMs,
  cases: [{ path: [target, 'works'], status: 'passed', durationMs }],
  verdict: 'passed',
});

function failing(failureClass: AttemptFailure['class'], code: string, durationMs: number): Plan {
  const failure: AttemptFailure = { class: failureClass, code, message: code };
  if (failureClass !== 'test') return { durationMs, cases: [], verdict: 'errored', failure };
  const cases: Plan['cases'] = [{ path: ['works'], status: 'failed', durationMs, failure: { message: 'expected' } }];
  return { durationMs, cases, verdict: 'failed', failure };
}

/** Runs well, but as `trouble` says where it applies. */
const but =
  (durationMs: number, trouble: (target: string, worker: string, atMs: number) => Plan | null): PlanOf =>
  (target, _attempt, on, atMs) =>
    trouble(target, on, atMs) ?? well(target, durationMs);

const three = [worker(), worker(), worker()];

/** Two suites in one submission. */
function pagesAndUnits(): SeedPlan['submissions'] {
  const one = submission(files('page', 12), 400, { suite: { name: 'pages' } });
  const units: Task[] = files('unit', 12).map((target) => ({ suite: 1, target, expectedMs: 400 }));
  const spec = { ...one.spec, suites: [...one.spec.suites, suite({ name: 'units' })] };
  return [{ ...one, spec, chunks: [[...(one.chunks[0] ?? []), ...units]] }];
}

export const circuitScenarios: readonly Scenario[] = [
  {
    name: 'one-bad-worker',
    story:
      'On w-0 no runner starts for five seconds. Its circuit opens after three failures, what it had not started goes elsewhere, and no circuit of its class opens. A probe then fails and the next open period is longer; w-0 comes back by its probes once it works again. Every test passes.',
    plan: fleet({ workers: three, submissions: [submission(files('t', 60), 500)], faultsEndMs: 20_000 }),
    planOf: but(500, (_target, on, atMs) =>
      on === 'w-0' && atMs < 5_000 ? failing('infrastructure', 'RUNNER_FAILED_TO_START', 200) : null,
    ),
  },
  {
    name: 'broken-driver-of-a-class',
    story:
      'The driver of the three GPU machines crashes under pages, and under nothing else. Several of them fail alike: pages are kept from that class, finish on the other machines, and the GPU machines go on with the unit tests.',
    plan: fleet({
      workers: [
        ...[0, 1, 2].map(() => worker({ machine: machineKinds[2] })),
        worker({ machine: machineKinds[1] }),
        worker({ machine: machineKinds[1] }),
      ],
      submissions: pagesAndUnits(),
      faultsEndMs: 20_000,
    }),
    planOf: but(400, (target, on) =>
      target.startsWith('page') && ['w-0', 'w-1', 'w-2'].includes(on) ? failing('driver', 'DRIVER_RESET', 300) : null,
    ),
  },
  {
    name: 'black-hole',
    story:
      'On w-0 every test fails in a few milliseconds, as a failed assertion, while its peers are still at their first. It is stopped within five tasks, because none of its peers looks like that; its probes fail too, and it stays away.',
    plan: fleet({
      workers: [worker(), worker(), worker(), worker(), worker()],
      submissions: [submission(files('t', 24), 900, { suite: { retries: 2, batching: 'single' } })],
      faultsEndMs: 20_000,
    }),
    planOf: but(900, (_target, on) => (on === 'w-0' ? failing('test', 'TESTS_FAILED', 8) : null)),
  },
  {
    name: 'half-open-canary',
    story:
      'The browser of w-0 is broken for pages and stays so. Pages are kept from w-0 and unit tests are not. Each time it is half-open one task goes there as its probe, alone, fails, and finishes elsewhere; the open periods grow.',
    plan: fleet({
      workers: three,
      submissions: [
        submission(files('page', 40), 600, { suite: { name: 'pages' } }),
        submission(files('unit', 4), 600, { key: 'units', atMs: 3_000, suite: { name: 'units' } }),
      ],
      faultsEndMs: 20_000,
    }),
    planOf: but(600, (target, on) =>
      target.startsWith('page') && on === 'w-0' ? failing('browser', 'BROWSER_CRASHED', 100) : null,
    ),
  },
  {
    name: 'idle-hour',
    story:
      'w-0 fails two tasks, and two more an hour and a half later. Nothing is left of the first two by then: no circuit opens.',
    plan: fleet({
      workers: [worker(), worker()],
      submissions: [
        submission(files('t', 4), 300),
        submission(files('later', 4), 300, { key: 'later', atMs: 5_400_000 }),
      ],
      faultsEndMs: 5_420_000,
      patienceMs: 7_200_000,
    }),
    planOf: but(300, (target, on) =>
      on === 'w-0' && /0[0-3]/.test(target) ? failing('infrastructure', 'RUNNER_FAILED_TO_START', 300) : null,
    ),
  },
  {
    name: 'dependency-down-and-back',
    story:
      'The payments service is seen to be down three times. What needs it waits, with that reason, and what does not goes on. When it answers again, the rest is let go. No test fails, and none is blamed.',
    plan: fleet({
      workers: [worker(), worker()],
      submissions: [
        submission(files('pay', 8), 500, { suite: { name: 'payments', uses: ['payments'] } }),
        submission(files('unit', 4), 500, { key: 'units', atMs: 1_500, suite: { name: 'units' } }),
      ],
      faults: [
        ...[1_000, 1_100, 1_200].map((atMs) => ({ atMs, outcome: 'failure' as const })),
        { atMs: 6_000, outcome: 'success' as const },
      ].map(({ atMs, outcome }) => ({
        atMs,
        fault: { kind: 'dependency seen' as const, dependency: 'payments', outcome },
      })),
      faultsEndMs: 8_000,
    }),
    planOf: but(500, (target, _on, atMs) =>
      target.startsWith('pay') && atMs > 900 && atMs < 6_000
        ? failing('infrastructure', 'CONNECTION_REFUSED', 50)
        : null,
    ),
  },
  {
    name: 'circuit-opens-an-alternative',
    story:
      'A GPU is asked for, and after ten minutes a machine with AVX2 will do. No runner starts on the two GPU machines and their circuits open. Nobody waits the ten minutes: with every GPU stopped the next alternative opens at once. The small machine, which no alternative admits, gets nothing.',
    plan: fleet({
      workers: [
        worker(),
        worker({ machine: machineKinds[1] }),
        worker({ machine: machineKinds[2] }),
        worker({ machine: machineKinds[2] }),
      ],
      submissions: [
        submission(files('draw', 6), 400, {
          suite: {
            requires: 'gpus.exists(g, g.vendor == "nvidia")',
            alternatives: [{ requires: '"avx2" in cpu.isa', afterMs: 600_000 }],
            batching: 'single',
          },
        }),
      ],
      faultsEndMs: 20_000,
    }),
    planOf: but(400, (_target, on) =>
      ['w-2', 'w-3'].includes(on) ? failing('infrastructure', 'RUNNER_FAILED_TO_START', 200) : null,
    ),
  },
  {
    name: 'flapping-link',
    story:
      'The link of w-0 breaks every 700 ms, five times, and is back within the time that it is waited for. What w-0 runs goes on, what it reports meanwhile is delivered when it is back, nothing runs twice, and no circuit is opened by it.',
    plan: fleet({
      workers: [worker(), worker()],
      submissions: [submission(files('t', 8), 900)],
      faults: [1, 2, 3, 4, 5].map((nth) => ({
        atMs: nth * 700,
        fault: { kind: 'link cut' as const, worker: 0, agentHearsMs: 20, serverHearsMs: 20 },
      })),
      faultsEndMs: 8_000,
    }),
    planOf: but(900, () => null),
  },
  ...[1, 2, 3, 4, 5].map((size): Scenario => ({
    name: `small-fleet-of-${size}`,
    story: `${size === 1 ? 'The only worker' : `Each of ${size} workers`} fails every other task. That is a bad rate, and no row of failures: the last one of its class is never stopped for it, and works on with one task at a time as the probe of its circuit. Everything is done in the end.`,
    plan: fleet({
      workers: Array.from({ length: size }, () => worker()),
      submissions: [submission(files('t', size > 3 ? 9 * size : 14), 300, { suite: { batching: 'single' } })],
      faultsEndMs: 60_000,
    }),
    planOf: (target, attempt) =>
      attempt % 2 === 1 ? failing('infrastructure', 'RUNNER_FAILED_TO_START', 300) : well(target, 300),
  })),
];
