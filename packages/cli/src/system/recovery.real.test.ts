// Recovery on real processes: how soon a lost worker's task runs elsewhere, whose fault a failure was, and another
// configuration than the one that was asked for.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TaskId } from '@assay/protocol';
import { FleetUnderTest, until } from './fleet-under-test.ts';

const heartbeatMs = 2_000;
let fleet: FleetUnderTest;
let token: string;
beforeEach(async () => {
  fleet = new FleetUnderTest();
  await fleet.up();
  token = await fleet.workerToken();
}, 60_000);
afterEach(() => fleet.close(), 60_000);

const command = (script: string) => ({ runner: 'command' as const, arguments: ['sh', '-c', script] });

test('the task of a worker that stops answering runs elsewhere within two heartbeats and one second', async () => {
  const workers = { first: await fleet.worker('first', token), second: await fleet.worker('second', token) };
  const run = await fleet.submit(fleet.project(1, 1, 1), 1, command('sleep 9'));
  const task = `${run}.0` as TaskId;
  const name = await until('it runs', async () => {
    const [attempt] = (await fleet.client.readTask(task)).attempts;
    return attempt?.startedAtMs === undefined ? null : attempt.workerName;
  });
  const lostAtMs = Date.now();
  workers[name as keyof typeof workers].kill('SIGSTOP');
  const again = await until('it runs elsewhere', async () => {
    const view = await fleet.client.readTask(task);
    return view.attempts[1]?.startedAtMs ?? null;
  });
  expect(again - lostAtMs).toBeLessThanOrEqual(2 * heartbeatMs + 1_000);
  const report = await fleet.settled(run);
  expect(report.run.verdict).toBe('passed');
  expect(report.tasks[0]?.task.diagnosis).toMatchObject({ fault: 'infrastructure', confidence: 'proven' });
}, 120_000);

test('a device that fails is told from the test by a second one of its kind, and the report says so', async () => {
  await fleet.worker('sound', token);
  await fleet.worker('broken', token, fleet.url, [], { BROKEN_DEVICE: '1' });
  const failing = 'if [ -n "$BROKEN_DEVICE" ]; then echo "CUDA error: unspecified launch failure" >&2; exit 1; fi';
  const run = await fleet.submit(fleet.project(6, 1, 1), 6, {
    ...command(`sleep 0.2; ${failing}`),
    batching: 'single',
  });
  const report = await fleet.settled(run);
  expect(report.run.verdict).toBe('passed');
  const troubled = report.tasks.filter(({ task }) => task.attempts.length > 1);
  expect(troubled.length).toBeGreaterThan(0);
  for (const { task } of troubled) {
    expect(task.attempts.map(({ workerName }) => workerName)).toEqual(['broken', 'sound']);
    expect(task.attempts[0]?.failure).toMatchObject({
      class: 'device',
      rule: { id: 'gpu/launch-failed', source: 'message' },
    });
    expect(task.diagnosis).toMatchObject({ fault: 'device', attempts: [1, 2] });
  }
}, 120_000);

test('out of memory with batch 32 passes as "batch 16", and is stored as that', async () => {
  await fleet.worker('only', token);
  const script =
    'if [ "$BATCH" = 32 ]; then echo "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB" >&2; exit 1; fi';
  const run = await fleet.submit(fleet.project(1, 1, 1), 1, {
    ...command(script),
    env: { BATCH: '32' },
    variants: [{ label: 'batch 16', env: { BATCH: '16' } }],
  });
  const report = await fleet.settled(run);
  const [entry] = report.tasks;
  expect(entry?.task).toMatchObject({
    verdict: 'passed',
    variant: 'batch 16',
    attempts: [
      { verdict: 'failed', failure: { code: 'DEVICE_OUT_OF_MEMORY', rule: { id: 'memory/cuda' } } },
      { verdict: 'passed', variant: 'batch 16' },
    ],
  });
  expect(entry?.label).toContain('[batch 16]');
}, 120_000);

test("a project's own failure rule names its own trouble", async () => {
  await fleet.worker('one', token);
  const run = await fleet.submit(fleet.project(1, 1, 1), 1, {
    ...command('echo "license server lic1:2700 refused the seat" >&2; exit 1'),
    failureRules: [
      { id: 'license', pattern: 'license server * refused', class: 'configuration', code: 'CUSTOM_LICENSE' },
    ],
  });
  const report = await fleet.settled(run);
  expect(report.tasks[0]?.final?.failure).toMatchObject({
    class: 'configuration',
    code: 'CUSTOM_LICENSE',
    rule: { id: 'custom/license', source: 'message', matched: expect.stringContaining('license server lic1:2700') },
  });
}, 120_000);
