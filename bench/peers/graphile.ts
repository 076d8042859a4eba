// graphile-worker on PostgreSQL: no-op jobs from submit (in bulk) to completed, and the time from adding one job to its start
// on an idle queue. Completed is when its table is empty: looked at only once every job was executed, so that looking costs
// the peer nothing.
import { createRequire } from 'node:module';
import { Logger, makeWorkerUtils } from 'graphile-worker';
import { measureIdle, type Measurement, sharedNowMs, startPeerWorker } from './measure.ts';

type Pool = { query(text: string): Promise<{ rows: { one: number }[] }>; end(): Promise<void> };
const pg = createRequire(import.meta.url)('pg') as { Pool: new (options: object) => Pool };
const chunk = 1_000;

export async function measureGraphile(url: string, tasks: number, idleSamples: number): Promise<Measurement> {
  const utils = await makeWorkerUtils({ connectionString: url, logger: new Logger(() => () => undefined) });
  await utils.migrate();
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const isEmpty = async (): Promise<boolean> =>
    (await pool.query('select 1 as one from graphile_worker._private_jobs limit 1')).rows.length === 0;
  await isEmpty();
  const worker = await startPeerWorker(new URL('graphile-worker.ts', import.meta.url), [url]);
  try {
    worker.expect(tasks);
    const reached = worker.next('reached');
    reached.catch(() => undefined);
    const startedAtMs = sharedNowMs();
    for (let first = 0; first < tasks; first += chunk) {
      const length = Math.min(chunk, tasks - first);
      const specs = Array.from({ length }, (_, index) => ({
        identifier: 'noop',
        payload: { target: `t${first + index}` },
      }));
      await utils.addJobs(specs);
    }
    await reached;
    while (!(await isEmpty()));
    const seconds = (sharedNowMs() - startedAtMs) / 1_000;
    const idleMs = await measureIdle(worker, idleSamples, () => utils.addJob('noop', { target: 'idle' }));
    return { tasksPerSecond: tasks / seconds, idleMs };
  } finally {
    await worker.stop();
    await utils.release();
    await pool.end();
  }
}
