// BullMQ on Redis: no-op jobs from submit (in bulk) to completed, and the time from adding one job to its start on an idle queue.
import { randomBytes } from 'node:crypto';
import { Queue } from 'bullmq';
import { measureIdle, type Measurement, sharedNowMs, startPeerWorker } from './measure.ts';

const chunk = 1_000;

export async function measureBullmq(url: string, tasks: number, idleSamples: number): Promise<Measurement> {
  const { hostname: host, port } = new URL(url);
  const name = `bench-${randomBytes(4).toString('hex')}`;
  const queue = new Queue(name, { connection: { host, port: Number(port), maxRetriesPerRequest: null } });
  await queue.waitUntilReady();
  const worker = await startPeerWorker(new URL('bullmq-worker.ts', import.meta.url), [url, name]);
  try {
    worker.expect(tasks);
    const reached = worker.next('reached');
    reached.catch(() => undefined);
    const startedAtMs = sharedNowMs();
    for (let first = 0; first < tasks; first += chunk) {
      const length = Math.min(chunk, tasks - first);
      await queue.addBulk(Array.from({ length }, (_, index) => ({ name: 't', data: { target: `t${first + index}` } })));
    }
    const seconds = ((await reached).atMs - startedAtMs) / 1_000;
    const idleMs = await measureIdle(worker, idleSamples, () => queue.add('t', { target: 'idle' }));
    return { tasksPerSecond: tasks / seconds, idleMs };
  } finally {
    await worker.stop();
    await queue.obliterate({ force: true });
    await queue.close();
  }
}
