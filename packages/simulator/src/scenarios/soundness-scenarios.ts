// Stories of machines and devices that stop being sound: found out by their checks, set aside, repaired, certified.
import { machineKinds } from '../agents/machines.ts';
import type { Fault } from '../plan.ts';
import { passing, submission, worker, world } from './worlds.ts';
import type { Scenario } from './worlds.ts';

const unsound = (atMs: number, fault: Partial<Extract<Fault, { kind: 'worker unsound' }>>) => ({
  atMs,
  fault: { kind: 'worker unsound', worker: 0, device: null, cure: 'time', forMs: 1, ...fault } as const,
});
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `t${index}.test`);

export const soundnessScenarios: readonly Scenario[] = [
  {
    name: 'device-repaired',
    story:
      'The GPU of w-0 stops being sound while it works. Its check fails, it fails its certification, and what needs a GPU goes to w-1 meanwhile; what does not goes on. Steps that the worker does not have are skipped, the step runner does not help, a new agent process does: the GPU is certified and gets work again.',
    plan: world({
      workers: [worker({ machine: machineKinds[2] }), worker({ machine: machineKinds[2] })],
      submissions: [
        submission(names(24), 400, { suite: { requires: 'gpus.exists(g, g.vendor == "nvidia")', batching: 'single' } }),
      ],
      faults: [unsound(1_000, { device: 'gpu:0', cure: 'agent' })],
      faultsEndMs: 15_000,
    }),
    planOf: passing(400),
  },
  {
    name: 'check-fails-once',
    story:
      'The only worker fails a check and passes the certification that follows: it was suspect for a moment, and no step of recovery is taken.',
    plan: world({
      workers: [worker()],
      submissions: [submission(names(4), 500, { suite: { batching: 'single' } })],
      faults: [unsound(700, { cure: 'time', forMs: 45 })],
      faultsEndMs: 6_000,
    }),
    planOf: passing(500),
  },
];
