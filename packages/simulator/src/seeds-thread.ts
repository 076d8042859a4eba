// Runs seeds in a thread of its own, each twice: the second time must leave the same trace.
import { parentPort } from 'node:worker_threads';
import { runSeedTwice } from './run-seed.ts';

if (parentPort === null) throw new Error('seeds-thread.ts runs as a worker thread');
const port = parentPort;
port.on('message', (seed: number) => {
  runSeedTwice(seed).then(
    (result) => port.postMessage(result),
    (error: unknown) => {
      throw error;
    },
  );
});
