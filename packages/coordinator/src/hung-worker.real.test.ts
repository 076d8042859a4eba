// A worker that is connected, sends its heartbeats, and does not look after its work: it neither ends a task at its time-out nor
// answers when it is asked to end it by force. Over real sockets and a real journal.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { silentLog } from './log.ts';
import { startCoordinator, type RunningCoordinator } from './main.ts';
import { someSpec } from './testing/rig.ts';
import { WireWorker } from './testing/wire-worker.ts';

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const secret = 'assay_owner_of_the_test';

async function start(): Promise<RunningCoordinator> {
  const place = mkdtempSync(join(tmpdir(), 'assay-hung-'));
  cleanups.push(() => rmSync(place, { recursive: true, force: true, maxRetries: 5 }));
  const running = await startCoordinator({
    stateDir: place,
    ownerSecret: secret,
    log: silentLog,
    engine: { overdueGraceMs: 400, recoverPatienceMs: 600 },
  });
  cleanups.push(() => running.stop());
  return running;
}

function joined(url: string, worker: string, taskMs: number): void {
  const made = new WireWorker({ url, worker, slots: 1, secret, taskMs });
  cleanups.push(() => made.stop());
}

test('a busy worker that hangs is noticed, its task runs elsewhere, and it gets no more work', async () => {
  const running = await start();
  const { views } = running.coordinator;
  const conditionOf = (worker: string) => views.worker(worker)?.condition;
  joined(running.url, 'w-hangs', 600_000);
  await expect.poll(() => views.workers().length).toBe(1);
  const spec = { ...someSpec, suites: [{ ...someSpec.suites[0]!, timeoutMs: 300 }] };
  const response = await fetch(`${running.url}/api/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
    body: JSON.stringify({
      idempotencyKey: 'a run that meets a hung worker',
      run: spec,
      tasks: [{ suite: 0, target: 'a.test.ts' }],
      sealed: true,
    }),
  });
  const { run } = (await response.json()) as { run: string };
  expect(response.ok).toBe(true);
  await expect.poll(() => views.worker('w-hangs')?.attempts.length).toBe(1);
  await expect.poll(() => conditionOf('w-hangs')?.kind, { timeout: 20_000 }).toBe('suspect');
  expect(conditionOf('w-hangs')?.reason).toContain('runs past its time-out of 0.3 s');
  joined(running.url, 'w-heir', 0);
  await expect.poll(() => conditionOf('w-hangs')?.kind, { timeout: 20_000 }).toBe('quarantined');
  await expect.poll(() => views.worker('w-heir')?.state, { timeout: 20_000 }).toBe('ready');
  // The live view, or the results once the run has left.
  const task = async (): Promise<{
    verdict?: string;
    attempts: { worker: string; verdict?: string; failure?: { code: string } }[];
  }> => {
    const answer = await fetch(`${running.url}/api/v1/tasks/${run}.0`, {
      headers: { authorization: `Bearer ${secret}` },
    });
    return (await answer.json()) as never;
  };
  await expect.poll(async () => (await task()).verdict, { timeout: 20_000 }).toBe('passed');
  const { attempts } = await task();
  expect(attempts.map(({ worker, verdict, failure }) => [worker, verdict, failure?.code])).toEqual([
    ['w-hangs', 'lost', 'WORKER_HUNG'],
    ['w-heir', 'passed', undefined],
  ]);
  expect(views.worker('w-hangs')?.state).not.toBe('lost');
}, 90_000);
