// What every dispatch measurement shares: its shape, its median, its clock, and the worker process that it talks to by messages.
// The idle time is taken the same way everywhere: from the call that submits to the first line of the task's handler in the
// other process, both read from the one clock of the machine.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Tasks from the first submission to the last settled, a second; and submit to start of one task at a time, in ms. */
export type Measurement = { tasksPerSecond: number; idleMs: number };

/** What a worker process says. `started` only of tasks whose target is `idle`; `reached` when as many as expected are done. */
export type WorkerMessage = { kind: 'ready' } | { kind: 'started'; atMs: number } | { kind: 'reached'; atMs: number };
export type WorkerOrder = { kind: 'expect'; tasks: number };

/** Milliseconds since the epoch on the clock that all processes of this machine share, with its fraction. */
export function sharedNowMs(): number {
  return performance.timeOrigin + performance.now();
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** One task at a time on an idle queue: from the call that adds it to its start in the worker's process, median. */
export async function measureIdle(worker: PeerWorker, samples: number, add: () => Promise<unknown>): Promise<number> {
  const idle: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const started = worker.next('started');
    const askedAtMs = sharedNowMs();
    await add();
    idle.push((await started).atMs - askedAtMs);
    // The peer's own bookkeeping of the last one is over.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return medianOf(idle);
}

export type PeerWorker = {
  expect(tasks: number): void;
  next<Kind extends WorkerMessage['kind']>(kind: Kind): Promise<Extract<WorkerMessage, { kind: Kind }>>;
  stop(): Promise<void>;
};

/** How long a peer may be silent before the measurement fails. */
const silenceMsMax = 120_000;

/** Starts a worker process with this Node and resolves when it is ready. It ends when the channel to it closes. */
export async function startPeerWorker(script: URL, args: readonly string[]): Promise<PeerWorker> {
  const child = spawn(process.execPath, [fileURLToPath(script), ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const worker: PeerWorker = {
    expect: (tasks) => void child.send({ kind: 'expect', tasks } satisfies WorkerOrder),
    next: (kind) => nextMessage(child, kind),
    stop: () => ended(child),
  };
  try {
    await worker.next('ready');
  } catch (error) {
    await worker.stop();
    throw error;
  }
  return worker;
}

function nextMessage<Kind extends WorkerMessage['kind']>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<WorkerMessage, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const done = (act: () => void): void => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit);
      act();
    };
    const onMessage = (message: WorkerMessage): void => {
      if (message.kind === kind) done(() => resolve(message as Extract<WorkerMessage, { kind: Kind }>));
    };
    const onExit = (code: number | null): void =>
      done(() => reject(new Error(`the worker process ended with ${code}`)));
    const timer = setTimeout(
      () => done(() => reject(new Error(`no "${kind}" in ${silenceMsMax / 1_000} s`))),
      silenceMsMax,
    );
    child.on('message', onMessage).on('exit', onExit);
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    if (child.connected) child.disconnect();
  });
}

/** The worker's side: counts what is done and tells. */
export function createTeller(): { ready(): void; started(): void; done(): void } {
  let expected = Number.POSITIVE_INFINITY;
  let done = 0;
  const tell = (message: WorkerMessage): void => void process.send?.(message);
  process.on('message', (order: WorkerOrder) => {
    expected = order.tasks;
    done = 0;
  });
  process.once('disconnect', () => process.exit(0));
  return {
    ready: () => tell({ kind: 'ready' }),
    started: () => tell({ kind: 'started', atMs: sharedNowMs() }),
    done: () => {
      done += 1;
      if (done === expected) tell({ kind: 'reached', atMs: sharedNowMs() });
    },
  };
}
