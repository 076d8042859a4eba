// Waits until the product shows that it noticed a fault, by its own API: only to know when the fault may be taken back. Whether it
// noticed rightly and in time is judged afterwards, from the journal.
import type { Effect } from '../faults/fault.ts';
import type { DrillFleet, DrillWorker } from '../world/fleet.ts';
import { NotInTime, until } from '../until.ts';

export const serviceName = 'drill-service';

/** False where it was not seen in time. */
export async function seesEffect(
  effect: Effect,
  fleet: DrillFleet,
  worker: DrillWorker,
  sinceMs: number,
): Promise<boolean> {
  const look = probeOf(effect, fleet, worker, sinceMs);
  if (look === null || effect.kind === 'none') return true;
  try {
    const waiting = { timeoutMs: effect.withinMs, signal: fleet.options.signal };
    await until(
      `${effect.kind} of ${worker.name}`,
      async () => ((await look().catch(() => false)) ? true : null),
      waiting,
    );
    return true;
  } catch (error) {
    if (error instanceof NotInTime) return false;
    throw error;
  }
}

type Probe = () => Promise<boolean>;

function probeOf(effect: Effect, fleet: DrillFleet, worker: DrillWorker, sinceMs: number): Probe | null {
  const isState =
    (...states: string[]) =>
    async (): Promise<boolean> =>
      states.includes((await fleet.viewOf(worker))?.state ?? '');
  const isOpen = async (circuit: string): Promise<boolean> => {
    const { history } = await fleet.client.readCircuit(circuit);
    return history.some(({ to, atMs }) => to === 'open' && atMs >= sinceMs);
  };
  switch (effect.kind) {
    case 'workerLost':
      return isState('lost');
    case 'disconnected':
      return isState('disconnected', 'lost');
    case 'left':
      // The list leaves out those that left.
      return async () => !(await fleet.client.listWorkers()).workers.some(({ name }) => name === worker.name);
    case 'quarantined':
      return async () => {
        const view = await fleet.client.readWorker(worker.id);
        return view.devices?.some(({ condition }) => condition.kind === 'quarantined') === true;
      };
    case 'circuit':
      return () => isOpen(effect.scope === 'worker' ? `worker:${worker.id}` : `dependency:${serviceName}`);
    // It shows nothing before it is taken back.
    case 'coordinatorRestarted':
    case 'none':
      return null;
  }
}

/** Open periods are a second or two in a drill; a busy machine takes its time for the work that proves a worker. */
const closeTimeoutMs = 90_000;

/** Until the circuit of the fault has closed again; false where it has not in time. */
export async function closesAgain(effect: Effect, fleet: DrillFleet, worker: DrillWorker): Promise<boolean> {
  if (effect.kind !== 'circuit') return true;
  const circuit = effect.scope === 'worker' ? `worker:${worker.id}` : `dependency:${serviceName}`;
  try {
    await until(
      `${circuit} closes`,
      async () => {
        fleet.assertServing();
        return (await fleet.client.readCircuit(circuit).catch(() => null))?.state === 'closed' ? true : null;
      },
      { timeoutMs: closeTimeoutMs, signal: fleet.options.signal },
    );
    return true;
  } catch (error) {
    if (error instanceof NotInTime) return false;
    throw error;
  }
}
