// graphile-worker on PostgreSQL: no-op jobs from submit to completed (its table is empty again), and the time from adding one
// job to its end on an idle queue, seen by polling the row, so a little above the truth.
import { createRequire } from 'node:module';
import { makeWorkerUtils } from 'graphile-worker';
import { type Measurement, medianOf, startChild } from './measure.ts';

type Pool = { query(text: string, values?: unknown[]): Promise<{ rows: { count: string }[] }>; end(): Promise<void> };
const pg = createRequire(import.meta.url)('pg') as { Pool: new (options: object) => Pool };
const chunk = 1_000;

export async function measureGraphile(url: string, tasks: number, idleSamples: number): Promise<Measurement> {
  const utils = await makeWorkerUtils({ connectionString: url });
  await utils.migrate();
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  const left = async (): Promise<number> => Number((await pool.query('select count(*) from graphile_worker._private_jobs')).rows[0]?.count ?? 0);
  const child = await startChild(new URL('graphile-worker.ts', import.meta.url), [url]);
  try {
    const startedMs = performance.now();
    for (let first = 0; first < tasks; first += chunk) {
      const specs = Array.from({ length: Math.min(chunk, tasks - first) }, (_, index) => ({ identifier: 'noop', payload: { target: `t${first + index}` } }));
      await utils.addJobs(specs);
    }
    while ((await left()) > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const seconds = (performance.now() - startedMs) / 1_000;
    const idle: number[] = [];
    for (let sample = 0; sample < idleSamples; sample++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const askedMs = performance.now();
      await utils.addJob('noop', { target: 'idle' });
      while ((await left()) > 0);
      idle.push(performance.now() - askedMs);
    }
    return { tasksPerSecond: tasks / seconds, idleMs: medianOf(idle) };
  } finally {
    await utils.release();
    await pool.end();
    child.kill();
  }
}
