// From the loss of a worker to its task running elsewhere, in the full simulation: the production agents, links, driver, liveness
// and engine over a simulated network, with other workers idle. Two ways to be lost: the process is killed (its link closes,
// and the grace for coming back runs), and the machine loses power (nobody closes anything, and silence is noticed).
// Virtual time; the moment of the loss is the one that was planned.
import { drawPlan, type SeedPlan } from '../../packages/simulator/src/plan.ts';
import { machineKinds } from '../../packages/simulator/src/agents/machines.ts';
import { epochMs } from '../../packages/simulator/src/sim/clock.ts';
import { Simulation } from '../../packages/simulator/src/simulate.ts';
import { engineDefaults, type Event } from '../../packages/core/src/index.ts';
import { randomOf } from '../../packages/simulator/src/sim/random.ts';

export type Loss = { readonly isMachineGone: boolean; readonly elsewhereMs: number };

type Entry = { atMs: number; events: Event[] };

export async function measureLoss(seed: number, isMachineGone: boolean): Promise<Loss | null> {
  const random = randomOf(seed, 'lost worker');
  const lossAtMs = random.int(8_000, 20_000);
  const simulation = new Simulation(planOf(seed, isMachineGone, lossAtMs), {
    // Long enough to be under way when its worker is lost.
    planOf: () => ({
      durationMs: 60_000,
      cases: [{ path: ['a case'], status: 'passed', durationMs: 1 }],
      verdict: 'passed',
    }),
  });
  await simulation.run();
  const { violation } = simulation.result();
  if (violation !== null) throw new Error(`seed ${seed}: ${violation.invariant}: ${violation.message}`);
  return lossIn(
    simulation.disk.archive.map((line) => JSON.parse(line) as Entry),
    isMachineGone,
    lossAtMs,
  );
}

function planOf(seed: number, isMachineGone: boolean, lossAtMs: number): SeedPlan {
  const drawn = drawPlan(seed);
  const [machine] = machineKinds;
  const submission = drawn.submissions[0]!;
  // Plain tasks: what a drawn suite asks of admission is not measured here, and three tasks may be no whole number of its gangs.
  // Nor are duplicates: one that ran before the loss would be taken for what followed it.
  const {
    gang: _gang,
    claims: _claims,
    concurrency: _keys,
    alternatives: _others,
    ...plain
  } = submission.spec.suites[0]!;
  const suite = { ...plain, requires: '', batching: 'single' as const, timeoutMs: 600_000, hedge: 'never' as const };
  const tasks = Array.from({ length: 3 }, (_, at) => ({ suite: 0, target: `long-${at}.test` }));
  return {
    ...drawn,
    config: engineDefaults,
    policies: [],
    workers: Array.from({ length: 6 }, () => ({ machine, slots: 1, slowness: 1, startupMs: 100, joinsAtMs: 0 })),
    submissions: [
      {
        ...submission,
        spec: { ...submission.spec, suites: [suite], failFast: false, unplaceable: 'wait' },
        chunks: [tasks],
        atMs: 3_000,
        cancelAfterMs: null,
      },
    ],
    faults: [
      { atMs: lossAtMs, fault: { kind: 'worker crash', worker: 0, isMachineGone, lostWrites: 0, downMs: null } },
    ],
    faultsEndMs: lossAtMs + 60_000,
  };
}

/** Its task's next start, by the coordinator's clock, which does not jump here. */
function lossIn(entries: readonly Entry[], isMachineGone: boolean, lossAtMs: number): Loss | null {
  const all = entries.flatMap(({ atMs, events }) => events.map((event) => ({ atMs, event })));
  const lost = all.find(({ event }) => event.kind === 'attemptSettled' && event.verdict === 'lost');
  if (lost?.event.kind !== 'attemptSettled') return null;
  const { task, attempt } = lost.event;
  const again = all.find(
    ({ event }) => event.kind === 'attemptStarted' && event.task === task && event.attempt === attempt + 1,
  );
  if (again === undefined) return null;
  const elsewhereMs = again.atMs - epochMs - lossAtMs;
  if (elsewhereMs <= 0) throw new Error(`${task} ran elsewhere ${-elsewhereMs} ms before its worker was lost`);
  return { isMachineGone, elsewhereMs };
}
