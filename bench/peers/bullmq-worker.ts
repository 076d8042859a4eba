// The worker process of the BullMQ measurement: four workers, as their documentation advises for throughput (high concurrency,
// completed jobs removed). Prints READY; ends with its parent.
import { Worker } from 'bullmq';

const [url = '', queue = '', concurrency = '50'] = process.argv.slice(2);
const { hostname: host, port } = new URL(url);
const connection = { host, port: Number(port), maxRetriesPerRequest: null };
const workers = Array.from(
  { length: 4 },
  () => new Worker(queue, () => Promise.resolve(), { connection, concurrency: Number(concurrency), removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } }),
);
await Promise.all(workers.map((worker) => worker.waitUntilReady()));
process.stdout.write('READY\n');
process.stdin.on('end', () => process.exit(0)).resume();
