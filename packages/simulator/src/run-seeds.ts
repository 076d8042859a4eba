// Many seeds over a few threads, in any order; what comes back is in the order of the seeds. Each runs twice and must leave the same
// trace, unless once is asked for.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SimResult } from './simulate.ts';

export async function runSeeds(
  from: number,
  to: number,
  onResult: (result: SimResult, done: number) => void,
  times: 'once' | 'twice' = 'twice',
): Promise<SimResult[]> {
  const results: SimResult[] = [];
  let next = from;
  const lane = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('seeds-thread.ts', import.meta.url), { name: 'seeds', workerData: times });
      const feed = (): void => {
        if (next <= to) worker.postMessage(next++);
        else void worker.terminate().then(() => resolve());
      };
      worker.on('message', (result: SimResult) => {
        results.push(result);
        onResult(result, results.length);
        feed();
      });
      worker.on('error', reject);
      feed();
    });
  const lanes = Math.max(1, Math.min(availableParallelism(), 2, to - from + 1));
  await Promise.all(Array.from({ length: lanes }, lane));
  return results.sort((a, b) => a.seed - b.seed);
}
