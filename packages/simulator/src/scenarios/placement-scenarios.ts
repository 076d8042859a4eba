// Stories of placement: each is of something that earlier systems did wrong and that must not come back.
import { machineKinds } from '../agents/machines.ts';
import type { PlanOf } from '../agents/executor.ts';
import { passing, submission, worker, world } from './worlds.ts';
import type { Scenario } from './worlds.ts';

const files = (count: number, name = 'f'): string[] => Array.from({ length: count }, (_, at) => `${name}${at}.test`);
const quick = machineKinds[1];
const slow = machineKinds[0];
const passingByWord: PlanOf = (target, ...rest) => passing(target.startsWith('long') ? 2_000 : 200)(target, ...rest);

export const placementScenarios: readonly Scenario[] = [
  {
    name: 'identical-workers-take-turns',
    story:
      'Three equal workers, and one short file at a time. None of them gets everything: who was given work longest ago goes first.',
    plan: world({
      workers: [worker(), worker(), worker()],
      submissions: [0, 1, 2, 3, 4, 5].map((at) =>
        submission(['a.test'], 100, { key: `change ${at}`, atMs: 300 + at * 1_000 }),
      ),
      faultsEndMs: 8_000,
    }),
    planOf: passing(100),
  },
  {
    name: 'history-changes-the-order',
    story:
      'Two runs of the same four files. The first knows nothing and begins them as they were named; the second knows which one is long, and begins it first.',
    plan: world({
      workers: [worker()],
      submissions: [300, 6_000].map((atMs) => {
        const one = submission(['a.test', 'b.test', 'c.test', 'long.test'], 0, {
          key: `run at ${atMs}`,
          atMs,
          suite: { batching: 'single' },
        });
        return { ...one, chunks: one.chunks.map((tasks) => tasks.map(({ suite, target }) => ({ suite, target }))) };
      }),
      faultsEndMs: 12_000,
    }),
    planOf: passingByWord,
  },
  {
    name: 'slow-worker-left-out',
    story:
      'w-0 is ten times slower than w-1, as each showed while it was alone with the suite. Then two files both go to w-1, one after the other: w-0 is free and would end later. Of many, w-0 takes some.',
    plan: world({
      workers: [worker({ machine: slow, slowness: 10 }), worker({ machine: quick, joinsAtMs: 12_000 })],
      submissions: [
        submission(files(3), 300, { key: 'alone with w-0', atMs: 300, suite: { batching: 'single' } }),
        submission(files(3), 300, {
          key: 'for w-1',
          atMs: 12_500,
          suite: { requires: '"avx2" in cpu.isa', batching: 'single' },
        }),
        submission(files(2), 300, { key: 'two files', atMs: 15_000, suite: { batching: 'single' } }),
        submission(files(24), 300, { key: 'many files', atMs: 20_000, suite: { batching: 'single' } }),
      ],
      faultsEndMs: 40_000,
    }),
    planOf: passing(300),
  },
  {
    name: 'one-key-one-score',
    story:
      'Two suites of one project have a file of the same name, and a run of another project has it too. What each took is remembered of each: nobody is given the score of another.',
    plan: world({
      workers: [worker()],
      submissions: [
        submission(['same.test'], 100, { key: 'first', suite: { name: 'unit' } }),
        submission(['same.test', 'other.test'], 700, { key: 'second', atMs: 2_000, suite: { name: 'browser' } }),
        submission(['same.test', 'other.test'], 700, {
          key: 'third',
          atMs: 4_000,
          spec: { project: 'another project' },
        }),
      ],
      faultsEndMs: 8_000,
    }),
    planOf: passing(100),
  },
  {
    name: 'hedging-at-the-end',
    story:
      'The last file hangs on w-0. w-1 has nothing to do and runs a duplicate; its result counts, and w-0 is told to stop. What w-0 says afterwards is refused.',
    plan: world({
      workers: [worker(), worker()],
      submissions: [submission(['a.test', 'b.test'], 400, { suite: { batching: 'single' } })],
      faultsEndMs: 30_000,
    }),
    planOf: (target, attempt, ...rest) =>
      passing(target === 'a.test' && attempt === 1 ? 60_000 : 400)(target, attempt, ...rest),
  },
];
