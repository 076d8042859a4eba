// What a seed means: the machines, the work, the settings, and the faults with their times. Everything is drawn before the
// first moment, each concern from its own stream, so that a seed can be printed before it is run.
import { engineDefaults, type EngineConfig } from '@assay/core';
import type { RunSpec, Suite, Task } from '@assay/protocol';
import { impossibleNeed, machineKinds, needs, type MachineKind } from './agents/machines.ts';
import { drawPlans } from './agents/executor.ts';
import type { Cure } from './agents/sim-soundness.ts';
import { drawPolicies, withAdmission } from './plan-admission.ts';
import type { PlannedPolicy } from './plan-admission.ts';
import { clockText } from './sim/world.ts';
import { randomOf, type Random } from './sim/random.ts';
import { fairWeather, type Weather } from './sim/network.ts';
import type { ClientWeather, Submission } from './submitters.ts';

export type PlannedWorker = {
  machine: MachineKind;
  slots: number;
  slowness: number;
  startupMs: number;
  joinsAtMs: number;
};

export type Fault =
  /** `downMs` null: it never comes back; once the faults are over, another one is there in its place. */
  | { kind: 'worker crash'; worker: number; isMachineGone: boolean; lostWrites: number; downMs: number | null }
  | { kind: 'worker stopped'; worker: number; forMs: number }
  | { kind: 'worker drained'; worker: number; by: 'operator' | 'itself' }
  | { kind: 'worker changed'; worker: number }
  | { kind: 'worker clock jump'; worker: number; byMs: number }
  /** Its checks fail from here on, until the step `cure` is taken, or for `forMs` where time alone cures it. */
  | { kind: 'worker unsound'; worker: number; device: 'gpu:0' | null; cure: Cure; forMs: number }
  /** The coordinator looked at a dependency, and this is what it saw. */
  | { kind: 'dependency seen'; dependency: string; outcome: 'success' | 'failure' }
  | { kind: 'link cut'; worker: number; agentHearsMs: number | null; serverHearsMs: number | null }
  | { kind: 'partition'; workers: number[]; forMs: number }
  | { kind: 'weather'; weather: Weather; clients: ClientWeather; forMs: number }
  | { kind: 'coordinator crash'; isMachineGone: boolean; isCommitting: boolean; downMs: number }
  | { kind: 'coordinator restart'; downMs: number }
  | { kind: 'coordinator stopped'; forMs: number }
  | { kind: 'coordinator clock jump'; byMs: number }
  | { kind: 'disk full'; forMs: number }
  | { kind: 'results broken'; forMs: number }
  | { kind: 'snapshot' };
export type PlannedFault = { atMs: number; fault: Fault };

export type SeedPlan = {
  seed: number;
  config: EngineConfig;
  workers: PlannedWorker[];
  submissions: Submission[];
  policies?: PlannedPolicy[];
  faults: PlannedFault[];
  /** From here on nothing goes wrong any more, and all has to settle by `patienceMs` later. */
  faultsEndMs: number;
  patienceMs: number;
  diskSpeed: { minMs: number; maxMs: number };
  startMs: { min: number; max: number };
  weather: Weather;
  longestTaskMs: number;
};

export function drawPlan(seed: number): SeedPlan {
  const random = randomOf(seed, 'plan');
  const faultsEndMs = random.skewed(15_000, 120_000);
  const workers = drawWorkers(randomOf(seed, 'workers'), faultsEndMs);
  const longestTaskMs = random.skewed(500, 120_000);
  const submissions = withAdmission(
    randomOf(seed, 'admission'),
    drawSubmissions(randomOf(seed, 'submissions'), faultsEndMs),
  );
  return {
    seed,
    config: drawConfig(randomOf(seed, 'config')),
    workers,
    policies: drawPolicies(randomOf(seed, 'policy'), faultsEndMs),
    submissions,
    faults: [
      ...drawFaults(randomOf(seed, 'faults'), faultsEndMs, workers.length),
      ...drawUnsound(randomOf(seed, 'soundness'), faultsEndMs, workers.length),
    ].sort((a, b) => a.atMs - b.atMs),
    faultsEndMs,
    patienceMs: hourMs + workMs(seed, longestTaskMs, submissions, workers),
    diskSpeed: { minMs: 1, maxMs: random.pick([2, 20, 150]) },
    startMs: { min: 20, max: 400 },
    weather: fairWeather,
    longestTaskMs,
  };
}

const hourMs = 3_600_000;

/** What all that is submitted takes one by one where it is slowest: all of it may fit one machine with one slot only. */
function workMs(seed: number, longestMs: number, submissions: Submission[], workers: PlannedWorker[]): number {
  const planOf = drawPlans(seed, longestMs);
  const slowest = Math.max(...workers.map(({ slowness }) => slowness));
  let sum = 0;
  for (const { target } of submissions.flatMap(({ chunks }) => chunks.flat())) {
    sum += planOf(target, 1).durationMs * slowest;
  }
  return Math.round(sum);
}

function drawConfig(random: Random): EngineConfig {
  const heartbeatMs = random.pick([1_000, 2_000, 3_000]);
  return {
    ...engineDefaults,
    heartbeatMs,
    silentAfterMs: heartbeatMs * random.pick([2, 3]),
    reconnectGraceMs: random.pick([1_000, 4_000, 8_000]),
    recoveryGraceMs: random.pick([4_000, 10_000]),
    forgetWorkerAfterMs: random.pick([20_000, 86_400_000]),
    cancelGraceMs: random.pick([2_000, 10_000, 30_000]),
    batchTargetMs: random.pick([1_000, 30_000]),
    infrastructureRetriesMax: random.pick([2, 5]),
    durationsMax: random.pick([20, 200_000]),
    retiredKeysMax: random.pick([2, 10_000]),
    hedgeAfterMs: random.pick([500, 5_000]),
    hedgeShare: random.pick([0.1, 0.5]),
  };
}

function drawWorkers(random: Random, faultsEndMs: number): PlannedWorker[] {
  const count = random.int(1, 4);
  const kinds: MachineKind[] = [
    ...machineKinds,
    ...Array.from({ length: count }, () => random.pick(machineKinds)),
  ].slice(0, 3 + count);
  // One of each kind in the end, so that every possible requirement can be met; some come late.
  return kinds.map((machine) => ({
    machine,
    slots: random.int(1, 3),
    slowness: random.chance(0.2) ? 6 : 1,
    startupMs: random.skewed(1, 400),
    joinsAtMs: random.chance(0.25) ? random.int(0, faultsEndMs) : random.int(0, 300),
  }));
}

function drawSubmissions(random: Random, faultsEndMs: number): Submission[] {
  return Array.from({ length: random.int(1, 5) }, (_, index) => {
    const suites = Array.from({ length: random.int(1, 3) }, (_suite, at) => drawSuite(random, index, at));
    const unplaceable = random.pick(['wait', 'settle'] as const);
    if (unplaceable === 'settle' && random.chance(0.3)) suites[0] = { ...suites[0]!, requires: impossibleNeed.text };
    const isCanceled = random.chance(0.2);
    const spec: RunSpec = {
      name: `run ${index}`,
      project: random.pick(['a project', 'another project']),
      priority: random.pick([0, 0, 0, 5, -5]),
      source: { kind: 'directory', path: '/project' },
      suites,
      failFast: random.chance(0.15),
      unplaceable,
    };
    const tasks: Task[] = Array.from({ length: random.skewed(3, 90) }, (_task, at) => ({
      suite: random.int(0, suites.length - 1),
      target: `t${index}-${at}.test`,
      ...(random.chance(0.3) ? { expectedMs: random.skewed(10, 20_000) } : {}),
    }));
    return {
      key: `key-${index}-of-this-seed`,
      spec,
      chunks: cutInChunks(random, tasks),
      atMs: random.int(0, Math.floor(faultsEndMs * 0.6)),
      cancelAfterMs: isCanceled ? random.skewed(100, 30_000) : null,
      cancelTasks: isCanceled && random.chance(0.4) ? 3 : null,
    };
  });
}

function drawSuite(random: Random, run: number, at: number): Suite {
  return {
    name: `suite ${run}.${at}`,
    runner: 'command',
    directory: '',
    arguments: ['run', '{target}'],
    env: {},
    secrets: [],
    // Longer than the longest task on the slowest machine: nothing here is ended by the clock.
    timeoutMs: 1_200_000,
    noOutputTimeoutMs: 0,
    requires: random.chance(0.5) ? '' : random.pick(needs).text,
    retries: random.pick([0, 0, 1, 2]),
    batching: random.pick(['shared', 'shared', 'single']),
  };
}

function cutInChunks(random: Random, tasks: Task[]): Task[][] {
  const chunks: Task[][] = [];
  for (let from = 0; from < tasks.length;) {
    const size = random.chance(0.5) ? tasks.length : random.int(1, 15);
    chunks.push(tasks.slice(from, from + size));
    from += size;
  }
  return chunks;
}

function drawFaults(random: Random, endMs: number, workers: number): PlannedFault[] {
  const count = random.int(0, 24);
  const faults = Array.from({ length: count }, () => ({
    atMs: random.int(50, endMs),
    fault: drawFault(random, workers),
  }));
  return faults.sort((a, b) => a.atMs - b.atMs);
}

/** In a third of the seeds some machine or GPU stops being sound. */
function drawUnsound(random: Random, endMs: number, workers: number): PlannedFault[] {
  if (!random.chance(0.35)) return [];
  return Array.from({ length: random.int(1, 3) }, () => ({
    atMs: random.int(1_000, Math.max(2_000, Math.floor(endMs * 0.8))),
    fault: {
      kind: 'worker unsound',
      worker: random.int(0, workers - 1),
      device: random.pick(['gpu:0', null] as const),
      cure: random.pick(['runner', 'agent', 'rebootHook', 'time'] as const),
      forMs: random.skewed(1_000, 30_000),
    },
  }));
}

function drawFault(random: Random, workers: number): Fault {
  const worker = random.int(0, workers - 1);
  const some = (): number[] => Array.from({ length: workers }, (_, index) => index).filter(() => random.chance(0.5));
  const hears = (): number | null => (random.chance(0.3) ? null : random.skewed(1, 4_000));
  const jump = (): number => random.pick([-3_600_000, -5_000, 5_000, 60_000, 3_600_000]);
  const draws: readonly (() => Fault)[] = [
    () => ({
      kind: 'worker crash',
      worker,
      isMachineGone: random.chance(0.4),
      lostWrites: random.int(0, 3),
      downMs: random.chance(0.3) ? null : random.skewed(50, 30_000),
    }),
    () => ({
      kind: 'worker crash',
      worker,
      isMachineGone: random.chance(0.4),
      lostWrites: random.int(0, 3),
      downMs: random.chance(0.3) ? null : random.skewed(50, 30_000),
    }),
    () => ({ kind: 'worker stopped', worker, forMs: random.skewed(200, 30_000) }),
    () => ({ kind: 'worker drained', worker, by: random.pick(['operator', 'itself'] as const) }),
    () => ({ kind: 'worker changed', worker }),
    () => ({ kind: 'worker clock jump', worker, byMs: jump() }),
    () => ({ kind: 'link cut', worker, agentHearsMs: hears(), serverHearsMs: hears() }),
    () => ({ kind: 'link cut', worker, agentHearsMs: hears(), serverHearsMs: hears() }),
    () => ({ kind: 'partition', workers: some(), forMs: random.skewed(100, 20_000) }),
    () => ({ kind: 'weather', ...drawWeather(random), forMs: random.skewed(1_000, 40_000) }),
    () => ({
      kind: 'coordinator crash',
      isMachineGone: random.chance(0.4),
      isCommitting: random.chance(0.7),
      downMs: random.skewed(100, 15_000),
    }),
    () => ({
      kind: 'coordinator crash',
      isMachineGone: random.chance(0.4),
      isCommitting: random.chance(0.7),
      downMs: random.skewed(100, 15_000),
    }),
    () => ({ kind: 'coordinator restart', downMs: random.skewed(100, 5_000) }),
    () => ({ kind: 'coordinator stopped', forMs: random.skewed(200, 15_000) }),
    () => ({ kind: 'coordinator clock jump', byMs: jump() }),
    () => ({ kind: 'disk full', forMs: random.skewed(200, 10_000) }),
    () => ({ kind: 'results broken', forMs: random.skewed(200, 20_000) }),
    () => ({ kind: 'snapshot' }),
    () => ({ kind: 'snapshot' }),
  ];
  return random.pick(draws)();
}

function drawWeather(random: Random): { weather: Weather; clients: ClientWeather } {
  const often = (): number => (random.chance(0.5) ? 0 : random.pick([0.02, 0.1]));
  return {
    weather: {
      delayMinMs: 1,
      delayMaxMs: random.pick([5, 100, 1_500]),
      duplicate: often(),
      swallow: often(),
      overtake: often(),
    },
    clients: { loseRequest: often() * 3, loseReply: often() * 3 },
  };
}

/** The faults as they are printed before a seed is run. */
export function describeFault({ atMs, fault }: PlannedFault): string {
  const { kind, ...rest } = fault;
  const details = Object.entries(rest).map(
    ([name, value]) => `${name} ${name === 'worker' ? `w-${String(value)}` : JSON.stringify(value)}`,
  );
  return `${clockText(atMs)} ${kind}${details.length === 0 ? '' : `: ${details.join(', ')}`}`;
}
