// A process of this benchmark that is talked to by messages, bounded in every wait, and ended by its own handle.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type Child<Message extends { kind: string }, Order> = {
  readonly pid: number;
  send(order: Order): void;
  next<Kind extends Message['kind']>(kind: Kind): Promise<Extract<Message, { kind: Kind }>>;
  stop(): Promise<void>;
};

const silenceMsMax = 120_000;
/** A coordinator that stops brings its results store up to date first. */
const stopMsMax = 30_000;

export function startChild<Message extends { kind: string }, Order extends object>(
  script: URL,
  args: readonly string[],
  nodeOptions: readonly string[] = [],
): Child<Message, Order> {
  const child = spawn(process.execPath, [...nodeOptions, fileURLToPath(script), ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return {
    pid: child.pid ?? 0,
    send: (order) => void child.send(order),
    next: (kind) => nextOf<Message, typeof kind>(child, kind),
    stop: () => ended(child),
  };
}

function nextOf<Message extends { kind: string }, Kind extends Message['kind']>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<Message, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const finish = (act: () => void): void => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit);
      act();
    };
    const onMessage = (message: Message): void => {
      if (message.kind === kind) finish(() => resolve(message as Extract<Message, { kind: Kind }>));
    };
    const onExit = (code: number | null): void => finish(() => reject(new Error(`the process ended with ${code}`)));
    const timer = setTimeout(() => finish(() => reject(new Error(`no "${kind}" came`))), silenceMsMax);
    child.on('message', onMessage).on('exit', onExit);
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    if (child.connected) child.disconnect();
  });
}
