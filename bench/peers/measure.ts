// What every dispatch measurement shares: its shape, its median, and a worker process that says when it is ready.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Tasks from the first submission to the last settled, a second; and the median of submit to assigned on an idle system. */
export type Measurement = { tasksPerSecond: number; idleMs: number };

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Starts a script with this Node and resolves when it prints READY. It ends when its standard input does. */
export async function startChild(script: URL, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [fileURLToPath(script), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('READY')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`${script.pathname} ended with ${code}`)));
  });
  child.removeAllListeners('exit');
  return child;
}
