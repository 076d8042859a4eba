// What scenarios are written in: machines, suites and submissions in few words, in a world whose settings are quick to tell.
import { engineDefaults } from '@assay/core';
import type { RunSpec, Suite, Task } from '@assay/protocol';
import type { PlanOf } from '../agents/executor.ts';
import { machineKinds } from '../agents/machines.ts';
import type { PlannedWorker, SeedPlan } from '../plan.ts';
import type { Submission } from '../submitters.ts';

export type Scenario = { name: string; story: string; plan: SeedPlan; planOf: PlanOf };

const steady = { delayMinMs: 1, delayMaxMs: 1, duplicate: 0, swallow: 0, overtake: 0 };

export function worker(over: Partial<PlannedWorker> = {}): PlannedWorker {
  return { machine: machineKinds[0], slots: 1, slowness: 1, startupMs: 100, joinsAtMs: 0, ...over };
}

export function suite(over: Partial<Suite> = {}): Suite {
  return {
    name: 'unit',
    runner: 'command',
    directory: '',
    arguments: ['run', '{target}'],
    env: {},
    secrets: [],
    timeoutMs: 600_000,
    noOutputTimeoutMs: 0,
    requires: '',
    retries: 0,
    batching: 'shared',
    ...over,
  };
}

export function submission(
  targets: readonly string[],
  expectedMs: number,
  over: { suite?: Partial<Suite>; spec?: Partial<RunSpec>; key?: string; atMs?: number } = {},
): Submission {
  const tasks: Task[] = targets.map((target) => ({ suite: 0, target, expectedMs }));
  const spec: RunSpec = {
    name: 'a run',
    project: 'a project',
    priority: 0,
    source: { kind: 'directory', path: '/project' },
    suites: [suite(over.suite)],
    failFast: false,
    unplaceable: 'wait',
    ...over.spec,
  };
  return {
    key: over.key ?? 'the submission',
    spec,
    chunks: [tasks],
    atMs: over.atMs ?? 200,
    cancelAfterMs: null,
    cancelTasks: null,
  };
}

export function world(over: Partial<SeedPlan>): SeedPlan {
  return {
    seed: 1,
    config: {
      ...engineDefaults,
      heartbeatMs: 1_000,
      silentAfterMs: 2_500,
      reconnectGraceMs: 2_000,
      recoveryGraceMs: 3_000,
    },
    workers: [worker(), worker()],
    submissions: [],
    faults: [],
    faultsEndMs: 30_000,
    patienceMs: 600_000,
    diskSpeed: { minMs: 1, maxMs: 1 },
    startMs: { min: 10, max: 10 },
    weather: steady,
    longestTaskMs: 1_000,
    ...over,
  };
}

export const passing =
  (durationMs: number): PlanOf =>
  (target) => ({ durationMs, cases: [{ path: [target, 'works'], status: 'passed', durationMs }], verdict: 'passed' });
