// Small worlds written down by hand, each telling one story of the protocol: what a stranger reads first. Their traces are the
// golden transcripts beside this file.
import { impossibleNeed, machineKinds } from '../agents/machines.ts';
import { Simulation } from '../simulate.ts';
import { admissionScenarios } from './admission-scenarios.ts';
import { circuitScenarios } from './circuit-scenarios.ts';
import { placementScenarios } from './placement-scenarios.ts';
import { recoveryScenarios } from './recovery-scenarios.ts';
import { soundnessScenarios } from './soundness-scenarios.ts';
import { passing, submission, worker, world } from './worlds.ts';
import type { Scenario } from './worlds.ts';

const protocolScenarios: readonly Scenario[] = [
  {
    name: 'worker-lost-in-a-batch',
    story:
      'w-0 loses power in the middle of a batch. Its silence is noticed; what ran is lost and repeated elsewhere, what had not started goes back for free.',
    plan: world({
      submissions: [
        submission(
          ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map((name) => `${name}.test`),
          300,
        ),
      ],
      faults: [
        { atMs: 550, fault: { kind: 'worker crash', worker: 0, isMachineGone: true, lostWrites: 0, downMs: null } },
      ],
      faultsEndMs: 8_000,
    }),
    planOf: passing(300),
  },
  {
    name: 'coordinator-killed',
    story:
      'The coordinator is killed while it commits, and comes back from its journal. The workers find it again, say what they hold, and forget what is already in the journal. What it had just decided to hand out was told to nobody: it goes back, and is handed out as attempt 2. Nothing runs twice.',
    plan: world({
      // Expected to take long: handed out one at a time.
      submissions: [submission(['a.test', 'b.test', 'c.test', 'd.test'], 30_000)],
      faults: [
        { atMs: 1_050, fault: { kind: 'coordinator crash', isMachineGone: false, isCommitting: true, downMs: 700 } },
      ],
      diskSpeed: { minMs: 10, maxMs: 10 },
      faultsEndMs: 6_000,
    }),
    planOf: passing(800),
  },
  {
    name: 'stealing-at-the-end',
    story:
      'w-1 is six times slower than anybody thought. w-0 is done with its own part, and takes over what w-1 has not started.',
    plan: world({
      workers: [worker(), worker({ slowness: 6 })],
      submissions: [submission(['a.test', 'b.test', 'c.test', 'd.test', 'e.test', 'f.test', 'g.test', 'h.test'], 500)],
      faultsEndMs: 12_000,
    }),
    planOf: passing(500),
  },
  {
    name: 'late-result-after-the-fence',
    story:
      'w-0 is stopped for so long that it is presumed lost, and its task runs elsewhere as attempt 2. Then w-0 goes on and reports the end of attempt 1: it is refused.',
    plan: world({
      submissions: [submission(['a.test'], 3_000)],
      faults: [{ atMs: 1_000, fault: { kind: 'worker stopped', worker: 0, forMs: 6_000 } }],
      faultsEndMs: 12_000,
    }),
    planOf: passing(3_000),
  },
  {
    name: 'unplaceable-run',
    story:
      'Two runs that no connected worker can do. One says to settle such tasks: they are inconclusive at once. The other waits for the machine that it needs, which joins later.',
    plan: world({
      workers: [worker(), worker({ machine: machineKinds[2], joinsAtMs: 2_000 })],
      submissions: [
        submission(['huge.test'], 100, {
          key: 'needs a terabyte',
          suite: { requires: impossibleNeed.text },
          spec: { unplaceable: 'settle' },
        }),
        submission(['gpu.test'], 100, {
          key: 'needs a GPU',
          atMs: 300,
          suite: { requires: 'gpus.exists(g, g.vendor == "nvidia")' },
        }),
      ],
      faultsEndMs: 5_000,
    }),
    planOf: passing(100),
  },
];

export const scenarios: readonly Scenario[] = [
  ...protocolScenarios,
  ...admissionScenarios,
  ...circuitScenarios,
  ...soundnessScenarios,
  ...placementScenarios,
  ...recoveryScenarios,
];

/** Runs a scenario and tells it. Throws where an invariant does not hold. */
export async function transcriptOf({ name, story, plan, planOf }: Scenario): Promise<string> {
  const lines: string[] = [];
  const simulation = new Simulation(plan, { planOf, onTrace: (line) => lines.push(line) });
  await simulation.run();
  const { violation } = simulation.result();
  if (violation !== null) throw new Error(`${violation.invariant}: ${violation.message}\n${lines.join('\n')}`);
  const told = lines.filter((line) => !isNoise(line)).map((line) => line.trimEnd());
  const workers = plan.workers.map(
    ({ machine, slots, slowness }, index) => `w-${index} (${machine.kind}, ${slots} slot, speed 1/${slowness})`,
  );
  return [`# ${name}`, `# ${story}`, `# Workers: ${workers.join('; ')}.`, '', ...told, ''].join('\n');
}

/** Bookkeeping that would only hide the story. */
function isNoise(line: string): boolean {
  return /engine +resultsAcknowledged|tells s-\d+: ack|no more of them|wants to start/.test(line);
}
