// What a drill left behind on its machine: processes, listening ports, scratch files, mounts. Looked for from outside, after the end.
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { NotInTime, until } from './until.ts';
import { processesNaming } from './world/processes.ts';

export type Traces = {
  readonly directory: string;
  readonly ports: readonly number[];
  /** Scratch directories of the fleet's processes, which have to be empty. */
  readonly scratch: readonly string[];
};

/** Processes get a moment to end: those of the fleet have been told to, and the system takes its time on a busy machine. */
const endingMs = 5_000;

export async function findLeftovers({ directory, ports, scratch }: Traces): Promise<string[]> {
  try {
    await until('all processes are gone', () => (processesNaming(directory).length === 0 ? true : null), {
      timeoutMs: endingMs,
    });
  } catch (error) {
    if (!(error instanceof NotInTime)) throw error;
  }
  const open = await Promise.all(ports.map(async (port) => ((await isListening(port)) ? [port] : [])));
  return [
    ...processesNaming(directory).map(({ pid, command }) => `process ${pid}: ${command}`),
    ...open.flat().map((port) => `port ${port} is still open`),
    ...scratch.flatMap((path) => entriesOf(path).map((name) => `${join(path, name)} is still there`)),
    ...mountsBelow(directory).map((path) => `${path} is still mounted`),
  ];
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function mountsBelow(directory: string): string[] {
  try {
    return readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => path.startsWith(directory));
  } catch {
    return [];
  }
}
