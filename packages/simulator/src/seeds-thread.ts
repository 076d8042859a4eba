// Runs seeds in a thread of its own. Each twice, and then the second time must leave the same trace, or once.
import { parentPort, workerData } from 'node:worker_threads';
import { runSeedTwice } from './run-seed.ts';
import { simulateSeed } from './simulate.ts';

if (parentPort === null) throw new Error('seeds-thread.ts runs as a worker thread');
const port = parentPort;
const run = workerData === 'once' ? simulateSeed : runSeedTwice;
port.on('message', (seed: number) => {
  run(seed).then(
    (result) => port.postMessage(result),
    (error: unknown) => {
      throw error;
    },
  );
});
