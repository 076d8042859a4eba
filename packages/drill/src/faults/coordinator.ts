// Coordinator faults: it is killed or restarted in the middle of the work, and has to go on from its journal.
import { endChild, readProcess } from '../world/processes.ts';
import { type Act, type FleetFault, type Injected, type Proof, proof } from './fault.ts';

async function ended(act: Act, name: NodeJS.Signals): Promise<Proof> {
  const { coordinator, coordinatorPid } = act.fleet;
  return proof(`waitpid ${coordinatorPid}`, await endChild(coordinator, name, 30_000));
}

async function startedAgain(act: Act): Promise<Proof> {
  await act.fleet.up();
  for (const worker of act.fleet.workers) await act.fleet.joined(worker);
  const pid = act.fleet.coordinatorPid;
  return proof(`/proc/${pid}`, `state ${readProcess(pid)?.state ?? 'none'}, serves again, all workers joined`);
}

const by =
  (name: NodeJS.Signals) =>
  async (act: Act): Promise<Injected> => ({ proof: await ended(act, name), undo: () => startedAgain(act) });

const coordinator = {
  kind: 'fleet',
  brings: 0,
  family: 'coordinator',
  work: 'unit',
  needsWork: true,
  effect: { kind: 'coordinatorRestarted', withinMs: 30_000 },
  holdMs: 0,
} as const;

export const coordinatorFaults: readonly FleetFault[] = [
  {
    ...coordinator,
    id: 'coordinator-kill',
    title: 'the coordinator is killed (SIGKILL) in the middle of the work and started again',
    inject: by('SIGKILL'),
  },
  {
    ...coordinator,
    id: 'coordinator-restart',
    title: 'the coordinator is stopped (SIGTERM) in the middle of the work and started again',
    inject: by('SIGTERM'),
  },
];
