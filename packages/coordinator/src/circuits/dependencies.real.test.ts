// Dependencies over a real coordinator's life: what it saw is in its journal, and what is no longer in its settings stops nothing.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CircuitView } from '@assay/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../log.ts';
import { startCoordinator, type RunningCoordinator } from '../main.ts';
import { DependencySetting } from '../settings.ts';

let stateDir: string;
let running: RunningCoordinator | null = null;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'assay-dependencies-'));
});
afterEach(async () => {
  await running?.stop();
  running = null;
  rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
});

async function start(dependencies: DependencySetting[]): Promise<RunningCoordinator> {
  await running?.stop();
  running = await startCoordinator({ stateDir, auth: 'loopbackOpen', dependencies, log: silentLog });
  return running;
}

async function circuitIn(state: CircuitView['state']): Promise<CircuitView> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const view = running?.coordinator.views.circuit('dependency:db') ?? null;
    if (view?.state === state) return view;
    if (Date.now() > deadline) throw new Error(`dependency:db is ${view?.state ?? 'not known'}, and not ${state}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A port where nothing listens any more. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('a dependency that is down is known as such after a restart, and stops nothing once it is no longer in the settings', async () => {
  const url = `tcp://127.0.0.1:${await deadPort()}`;
  const db = DependencySetting.parse({ name: 'db', url, intervalMs: 50 });
  await start([db]);
  const open = await circuitIn('open');
  expect(open).toMatchObject({ cause: 'consecutiveFailures', health: 0 });
  expect(open.evidence).toHaveLength(3);

  await start([db]);
  const again = running?.coordinator.views.circuit('dependency:db');
  expect(again?.state).not.toBe('closed');
  expect(again?.history[0]).toEqual(open.history[0]);

  await start([]);
  const closed = await circuitIn('closed');
  expect(closed.history.at(-1)).toMatchObject({
    to: 'closed',
    actor: 'assay',
    reason: 'it is no longer in the settings',
  });
}, 60_000);
