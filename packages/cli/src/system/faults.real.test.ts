// Real processes, really killed, stopped and cut off in the middle of a run; each story ends with every case recorded exactly once.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RunReport } from '../report/model.ts';
import { ended, FleetUnderTest, until } from './fleet-under-test.ts';

const files = 12;
const cases = 4;
let fleet: FleetUnderTest;
let token: string;
beforeEach(async () => {
  fleet = new FleetUnderTest();
  await fleet.up();
  token = await fleet.workerToken();
}, 60_000);
afterEach(() => fleet.close(), 60_000);

/** Every case of every file once, passed, in the attempt that settled its task; no task twice, none missing. */
function expectExactlyOnce(report: RunReport): void {
  expect(report.run.verdict).toBe('passed');
  expect(report.run.tasks).toMatchObject({ total: files, settled: files, queued: 0, assigned: 0, running: 0 });
  const seen = report.tasks.map(({ task, cases: own }) => [task.target, own.map(({ path }) => path.at(-1))] as const);
  const expected = Array.from(
    { length: files },
    (_, file) => [`test/file-${file}.test.mjs`, Array.from({ length: cases }, (_, index) => `case ${index}`)] as const,
  );
  expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(expected));
  expect(seen).toHaveLength(files);
  expect(report.cases).toEqual({ passed: files * cases, failed: 0, skipped: 0, todo: 0 });
}

const lostAttempts = (report: RunReport): number =>
  report.tasks.flatMap(({ task }) => task.attempts).filter(({ verdict }) => verdict === 'lost').length;

test('the coordinator is killed in the middle of a run and started again', async () => {
  await fleet.worker('first', token);
  await fleet.worker('second', token);
  const run = await fleet.submit(fleet.project(files, cases, 40), files);
  await fleet.inTheMiddle(run, 3);
  await ended(fleet.coordinator, 'SIGKILL');
  await fleet.up();
  expectExactlyOnce(await fleet.settled(run));
}, 180_000);

test('a worker is killed in the middle of a batch', async () => {
  const doomed = await fleet.worker('doomed', token);
  const run = await fleet.submit(fleet.project(files, cases, 60), files);
  await fleet.inTheMiddle(run, 2);
  await ended(doomed, 'SIGKILL');
  await fleet.worker('heir', token);
  const report = await fleet.settled(run);
  expectExactlyOnce(report);
  expect(lostAttempts(report)).toBeGreaterThanOrEqual(1);
  expect([...report.workers.values()].toSorted()).toEqual(['doomed', 'heir']);
}, 180_000);

test('a worker is stopped until it is presumed lost, then wakes: its late result is refused', async () => {
  const sleeper = await fleet.worker('sleeper', token);
  const run = await fleet.submit(fleet.project(files, cases, 60), files);
  await fleet.inTheMiddle(run, 2);
  sleeper.kill('SIGSTOP');
  await until('the sleeper is presumed lost', async () => {
    const { workers } = await fleet.client.listWorkers();
    return workers.find(({ name }) => name === 'sleeper')?.state === 'lost' ? true : null;
  });
  await fleet.worker('heir', token);
  sleeper.kill('SIGCONT');
  await until('the sleeper is back', async () => {
    const { workers } = await fleet.client.listWorkers();
    const state = workers.find(({ name }) => name === 'sleeper')?.state;
    return state === 'ready' || state === 'busy' ? true : null;
  });
  const report = await fleet.settled(run);
  expectExactlyOnce(report);
  expect(lostAttempts(report)).toBeGreaterThanOrEqual(1);
}, 180_000);

test('a link is cut for longer than a moment, twice, and nothing is lost or repeated', async () => {
  const proxy = await fleet.proxy();
  await fleet.worker('far', token, proxy.url);
  const run = await fleet.submit(fleet.project(files, cases, 60), files);
  for (const count of [2, 6]) {
    await fleet.inTheMiddle(run, count);
    proxy.cut();
    await until('the coordinator notices', async () => {
      const { workers } = await fleet.client.listWorkers();
      return workers[0]?.state === 'disconnected' ? true : null;
    });
    proxy.mend();
  }
  const report = await fleet.settled(run);
  expectExactlyOnce(report);
  expect(proxy.cuts).toBe(2);
}, 180_000);
