// Stories of admission: who may start now, and who waits for what. Each is one that earlier systems got wrong.
import { machineKinds } from '../agents/machines.ts';
import { passing, submission, worker, world } from './worlds.ts';
import type { Scenario } from './worlds.ts';

const gpu = 'gpus.exists(g, g.vendor == "nvidia")';

export const admissionScenarios: readonly Scenario[] = [
  {
    name: 'every-worker-is-full',
    story:
      'Both workers are busy when a second run comes, which asks not to wait for workers that are not there. They are there, and only full: it waits its turn and passes.',
    plan: world({
      workers: [worker(), worker()],
      submissions: [
        submission(['a.test', 'b.test'], 900, { key: 'the first run' }),
        submission(['c.test'], 300, { key: 'the second run', atMs: 400, spec: { unplaceable: 'settle' } }),
      ],
      faultsEndMs: 4_000,
    }),
    planOf: passing(900),
  },
  {
    name: 'one-key-two-tasks',
    story:
      'Three tasks need the only licence; two workers have slots for all of them. One runs at a time, the others wait, and a run without the licence goes past them.',
    plan: world({
      workers: [worker({ slots: 2 }), worker({ slots: 2 })],
      submissions: [
        submission(['a.test', 'b.test', 'c.test'], 400, {
          key: 'needs the licence',
          suite: { batching: 'single', concurrency: [{ key: 'licence', max: 1 }] },
        }),
        submission(['free.test'], 400, { key: 'needs nothing', atMs: 350 }),
      ],
      faultsEndMs: 5_000,
    }),
    planOf: passing(400),
  },
  {
    name: 'two-equal-devices',
    story:
      'Two machines with the same GPU are exactly alike. Four tasks that each want a whole GPU are spread over both: neither gets everything, and no GPU is given twice although there are more slots.',
    plan: world({
      workers: [worker({ machine: machineKinds[2], slots: 3 }), worker({ machine: machineKinds[2], slots: 3 })],
      submissions: [
        submission(['a.test', 'b.test', 'c.test', 'd.test'], 400, {
          suite: { batching: 'single', claims: [{ device: 'd.class == "gpu"', share: 1 }] },
        }),
      ],
      faultsEndMs: 4_000,
    }),
    planOf: passing(400),
  },
  {
    name: 'scores-well-but-does-not-fit',
    story:
      'The large machine is idle and better in everything but the one thing that is asked for: it has no GPU. It gets nothing; the work waits for the machine that fits.',
    plan: world({
      workers: [worker({ machine: machineKinds[1], slots: 8 }), worker({ machine: machineKinds[2], joinsAtMs: 2_000 })],
      submissions: [submission(['gpu.test'], 200, { suite: { requires: gpu } })],
      faultsEndMs: 4_000,
    }),
    planOf: passing(200),
  },
  {
    name: 'a-gang-loses-one',
    story:
      'Two tasks only make sense together, each on a worker of its own. They wait until two workers are free, start in one step, and when one worker is lost the other is stopped too: both start again together.',
    plan: world({
      workers: [worker(), worker({ joinsAtMs: 1_000 }), worker({ joinsAtMs: 3_500 })],
      submissions: [
        submission(['server.test', 'client.test'], 4_000, {
          suite: { batching: 'single', gang: { size: 2, spread: 'workers' } },
        }),
      ],
      faults: [
        { atMs: 2_000, fault: { kind: 'worker crash', worker: 0, isMachineGone: true, lostWrites: 0, downMs: null } },
      ],
      faultsEndMs: 12_000,
    }),
    planOf: passing(4_000),
  },
  {
    name: 'an-alternative-in-time',
    story:
      'A real GPU is asked for, and after two seconds a large machine will do. The small machine never will, and gets nothing.',
    plan: world({
      workers: [worker(), worker({ machine: machineKinds[1] })],
      submissions: [
        submission(['draw.test'], 200, {
          suite: { requires: gpu, alternatives: [{ requires: '"avx2" in cpu.isa', afterMs: 2_000 }] },
          spec: { unplaceable: 'settle' },
        }),
      ],
      faultsEndMs: 5_000,
    }),
    planOf: passing(200),
  },
];
