// The worker process of the BullMQ measurement: four workers, each doing up to 100 jobs at once (the documentation advises
// 100 to 300 for jobs that use no CPU), completed jobs removed.
import { Worker } from 'bullmq';
import { createTeller } from './measure.ts';

const [url = '', queue = '', concurrency = '100'] = process.argv.slice(2);
const { hostname: host, port } = new URL(url);
const connection = { host, port: Number(port), maxRetriesPerRequest: null };
const teller = createTeller();
const workers = Array.from(
  { length: 4 },
  () =>
    new Worker<{ target: string }>(
      queue,
      (job) => {
        if (job.data.target === 'idle') teller.started();
        return Promise.resolve();
      },
      { connection, concurrency: Number(concurrency), removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } },
    ),
);
// Said by the worker when Redis has confirmed that the job is completed.
for (const worker of workers) {
  worker.on('completed', () => teller.done());
  worker.on('error', (error) => process.stderr.write(`BullMQ worker: ${String(error)}\n`));
}
await Promise.all(workers.map((worker) => worker.waitUntilReady()));
teller.ready();
