// Worker faults by signals: killed, stopped and woken, asked to end, and killed again and again.
import { pause, until } from '../until.ts';
import { isGone, readProcess, signal } from '../world/processes.ts';
import { type Act, type Fault, type Injected, type Proof, proof } from './fault.ts';

async function killed(act: Act, name: NodeJS.Signals, withinMs = 10_000): Promise<Proof> {
  const { pid } = act.worker;
  const before = readProcess(pid);
  if (before === null) throw new Error(`process ${pid} of ${act.worker.name} was not there`);
  signal(pid, name);
  await until(`process ${pid} is gone`, () => (isGone(pid) ? true : null), {
    timeoutMs: withinMs,
    signal: act.signal,
    everyMs: 5,
  });
  const how = act.worker.child?.signalCode ?? `exit code ${act.worker.child?.exitCode ?? 'unknown'}`;
  return proof(`/proc/${pid}`, `state ${before.state} before, gone after ${name} (${how})`);
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
  signal(pid, 'SIGSTOP');
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
  const first = await killed(act, 'SIGKILL');
  for (let life = 0; life < 2; life++) {
    act.fleet.startWorker(act.worker);
    pids.push(act.worker.pid);
    await pause(400 + act.random() * 600, act.signal);
    await killed(act, 'SIGKILL');
  }
  return {
    proof: { ...first, saw: `processes ${pids.join(', ')} started and gone, one after the other` },
    undo: () => started(act),
  };
}

const worker = { family: 'worker', work: 'unit', needsWork: true } as const;

export const signalFaults: readonly Fault[] = [
  {
    ...worker,
    id: 'worker-kill',
    title: 'a worker is killed (SIGKILL)',
    effect: { kind: 'away', withinMs: 10_000 },
    holdMs: 5_000,
    inject: kill,
  },
  {
    ...worker,
    id: 'worker-stop',
    title: 'a worker is stopped (SIGSTOP) until it is presumed lost, then woken',
    effect: { kind: 'workerLost', withinMs: 12_000 },
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
    effect: { kind: 'away', withinMs: 15_000 },
    holdMs: 0,
    inject: crashLoop,
  },
];
