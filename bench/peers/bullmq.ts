// BullMQ on Redis: no-op jobs from submit to completed, and the time from adding one job to its start on an idle queue.
import { Queue, QueueEvents } from 'bullmq';
import { type Measurement, medianOf, startChild } from './measure.ts';

const chunk = 1_000;

export async function measureBullmq(url: string, tasks: number, idleSamples: number): Promise<Measurement> {
  const { hostname: host, port } = new URL(url);
  const connection = { host, port: Number(port), maxRetriesPerRequest: null };
  const name = `bench-${process.pid}`;
  const queue = new Queue(name, { connection });
  const child = await startChild(new URL('bullmq-worker.ts', import.meta.url), [url, name, '50']);
  try {
    const startedMs = performance.now();
    for (let first = 0; first < tasks; first += chunk) {
      await queue.addBulk(Array.from({ length: Math.min(chunk, tasks - first) }, (_, index) => ({ name: 't', data: { target: `t${first + index}` } })));
    }
    // Completed jobs are removed, so an empty queue with nothing active is the end.
    for (;;) {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
      if (Object.values(counts).every((count) => count === 0)) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const seconds = (performance.now() - startedMs) / 1_000;
    const events = new QueueEvents(name, { connection });
    await events.waitUntilReady();
    const idle: number[] = [];
    for (let sample = 0; sample < idleSamples; sample++) {
      const active = new Promise<number>((resolve) => events.once('active', () => resolve(performance.now())));
      const askedMs = performance.now();
      const job = await queue.add('t', { target: 'idle' });
      idle.push((await active) - askedMs);
      await job.waitUntilFinished(events).catch(() => undefined);
    }
    await events.close();
    return { tasksPerSecond: tasks / seconds, idleMs: medianOf(idle) };
  } finally {
    await queue.obliterate({ force: true });
    await queue.close();
    child.kill();
  }
}
