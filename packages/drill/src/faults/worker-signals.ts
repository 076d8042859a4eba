// Worker faults by signals: killed, stopped and woken, asked to end, and killed again and again.
import { pause, until } from '../until.ts';
import { endChild, readProcess, signal } from '../world/processes.ts';
import { type Act, type FleetFault, type Injected, type Proof, proof } from './fault.ts';

async function killed(act: Act, name: NodeJS.Signals, withinMs = 10_000): Promise<Proof> {
  const { pid, child } = act.worker;
  return proof(`waitpid ${pid}`, await endChild(child, name, withinMs));
}

/** Starts the worker's process again; it is back when the coordinator says so. */
async function started(act: Act): Promise<Proof> {
  act.fleet.startWorker(act.worker);
  await act.fleet.joined(act.worker);
  const state = readProcess(act.worker.pid)?.state ?? 'none';
  return proof(`/proc/${act.worker.pid}`, `state ${state}, joined as ${act.worker.id}`);
}

async function kill(act: Act): Promise<Injected> {
  const shown = await killed(act, 'SIGKILL');
  return { proof: shown, undo: () => started(act) };
}

async function terminate(act: Act): Promise<Injected> {
  const shown = await killed(act, 'SIGTERM', 40_000);
  return { proof: shown, undo: () => started(act) };
}

async function stop(act: Act): Promise<Injected> {
  const { pid } = act.worker;
  const wake = act.undo.add(`wake process ${pid}`, () => void signal(pid, 'SIGCONT'));
  if (!signal(pid, 'SIGSTOP')) throw new Error(`process ${pid} was not there`);
  await until(`process ${pid} stops`, () => (readProcess(pid)?.state === 'T' ? true : null), {
    timeoutMs: 5_000,
    everyMs: 5,
  });
  const shown = proof(`/proc/${pid}/stat`, 'state T');
  const undo = async (): Promise<Proof> => {
    await wake();
    const state = await until(
      `process ${pid} wakes`,
      () => {
        const now = readProcess(pid)?.state;
        return now === undefined || now === 'T' ? null : now;
      },
      { timeoutMs: 5_000, everyMs: 5 },
    );
    await act.fleet.joined(act.worker);
    return proof(`/proc/${pid}/stat`, `state ${state}`);
  };
  return { proof: shown, undo };
}

/** Three lives, each ended within a second of its start. */
async function crashLoop(act: Act): Promise<Injected> {
  const pids: number[] = [act.worker.pid];
  let last = await killed(act, 'SIGKILL');
  for (let life = 0; life < 2; life++) {
    act.fleet.startWorker(act.worker);
    pids.push(act.worker.pid);
    await pause(400 + act.random() * 600, act.signal);
    last = await killed(act, 'SIGKILL');
  }
  return {
    proof: {
      ...last,
      saw: `processes ${pids.join(', ')} started and killed, one after the other; the last: ${last.saw}`,
    },
    undo: () => started(act),
  };
}

const worker = { kind: 'fleet', family: 'worker', work: 'unit', brings: 0, needsWork: true } as const;

export const signalFaults: readonly FleetFault[] = [
  {
    ...worker,
    id: 'worker-kill',
    title: 'a worker is killed (SIGKILL)',
    effect: { kind: 'workerLost', withinMs: 20_000 },
    holdMs: 200,
    inject: kill,
  },
  {
    ...worker,
    id: 'worker-stop',
    title: 'a worker is stopped (SIGSTOP) until it is presumed lost, then woken',
    effect: { kind: 'workerLost', withinMs: 20_000 },
    holdMs: 200,
    inject: stop,
  },
  {
    ...worker,
    id: 'worker-term',
    title: 'a worker is asked to end (SIGTERM), finishes what it has and leaves',
    effect: { kind: 'left', withinMs: 40_000 },
    holdMs: 0,
    inject: terminate,
  },
  {
    ...worker,
    id: 'worker-crash-loop',
    title: 'a worker crashes three times, each time soon after its start',
    effect: { kind: 'disconnected', withinMs: 15_000 },
    holdMs: 0,
    inject: crashLoop,
  },
];
