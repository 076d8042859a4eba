// Test support: plain profiles, suites, runs, tasks and outcomes, of which a test or a benchmark says only what matters to it.
// The one place for them: a new field of the vocabulary that is required is written here once.
import type { AttemptOutcome, Profile, RunSpec, Suite, Task } from '@assay/protocol';

export function profileOf(change: Partial<Profile> = {}): Profile {
  return {
    os: { family: 'linux', arch: 'x64' },
    cpu: { count: 4, isa: ['avx', 'avx2', 'sse3'] },
    memory: { totalMiB: 8192 },
    gpus: [],
    runtimes: { node: { version: '24.0.0', major: 24 } },
    runners: {},
    browsers: [],
    drivers: {},
    unknown: [],
    ...change,
  };
}

export function suiteOf(change: Partial<Suite> = {}): Suite {
  return {
    name: 'unit',
    runner: 'vitest',
    directory: '',
    arguments: [],
    env: {},
    secrets: [],
    timeoutMs: 60_000,
    noOutputTimeoutMs: 0,
    requires: '',
    retries: 0,
    batching: 'single',
    ...change,
  };
}

export function specOf(change: Partial<RunSpec> = {}): RunSpec {
  return {
    name: 'run',
    project: 'project',
    priority: 0,
    source: { kind: 'directory', path: '/project' },
    suites: [suiteOf()],
    failFast: false,
    unplaceable: 'wait',
    ...change,
  };
}

/** Tasks of suite 0 with these targets, or as many as the number says. */
export function tasksOf(targets: number | readonly string[], suite = 0): Task[] {
  const names = typeof targets === 'number' ? Array.from({ length: targets }, (_, index) => `t${index}`) : targets;
  return names.map((target) => ({ suite, target }));
}

export function outcomeOf(change: Partial<AttemptOutcome> = {}): AttemptOutcome {
  return {
    verdict: 'passed',
    counts: { passed: 1, failed: 0, skipped: 0, todo: 0 },
    casesReported: 0,
    startedAtMs: 0,
    endedAtMs: 0,
    costMs: 100,
    ...change,
  };
}
