// The steps of recovery that a browser has, on a real Chromium: a page, a browser and a GPU process are really other ones afterwards,
// a page computes on the GPU again, and what a task has is left to it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chooseBrowser } from './choose.ts';
import { machineUnderTest } from './machine-under-test.ts';
import { SessionPool } from './pool.ts';
import type { Stage } from './pool.ts';
import { browserProcesses } from './processes-under-test.ts';
import { gpuProcessOf } from './session.ts';
import type { SessionRequest } from './session.ts';

let request: SessionRequest | null = null;
let parentDir = '';
const pool = new SessionPool();
beforeAll(async () => {
  const machine = await machineUnderTest(['chromium/headless-shell']);
  if (machine === null) return;
  parentDir = await mkdtemp(path.join(tmpdir(), 'assay-p-'));
  const choice = chooseBrowser(machine, { browser: null, platform: 'webgpu', hardwareOnly: false });
  if (typeof choice === 'string') throw new Error(choice);
  request = { ...choice, flags: [], parentDir };
});
afterAll(async () => {
  await pool.close();
  if (parentDir !== '') await rm(parentDir, { recursive: true, force: true });
});

async function lease(): Promise<Stage> {
  if (request === null) throw new Error('no Chromium with its driver');
  return pool.lease(request);
}

/** What a page says through its WebDriver that it has of the GPU: null where it gets no adapter. */
async function adapterOf({ session, loopback }: Stage): Promise<unknown> {
  const headers = { 'Content-Type': 'text/html' };
  loopback.serve([({ pathname }) => (pathname === '/' ? { headers, body: '<title>a page</title>' } : null)]);
  await session.driver.get(`${loopback.origin}/`);
  return session.driver.executeScript(
    'return navigator.gpu.requestAdapter().then((adapter) => adapter && adapter.requestDevice()).then((device) => device && device.limits.maxBindGroups)',
  );
}

test('the step page gives a session another page with a process of its own; the session is used again', async (t) => {
  if (request === null) return t.skip('no Chromium with its driver');
  const stage = await lease();
  const { session } = stage;
  const [page, witness, renderers] = [session.page, stage.witness, browserProcesses('renderer')];
  await pool.release(stage);
  expect(await pool.repair('page')).toEqual({ renewed: 1, ended: 0, inUse: 0, trouble: [] });
  const again = await lease();
  expect(again.session).toBe(session);
  expect(session.end).toBeNull();
  expect(session.page).not.toBe(page);
  expect(again.witness).not.toBe(witness);
  expect(browserProcesses('renderer').some((pid) => !renderers.includes(pid))).toBe(true);
  expect(await adapterOf(again)).toBeGreaterThan(0);
  await pool.release(again);
});

test('the step gpuProcess gives a session another GPU process, on which a page gets a device', async (t) => {
  if (request === null) return t.skip('no Chromium with its driver');
  const stage = await lease();
  const { session } = stage;
  const before = await gpuProcessOf(session.cdp);
  expect(before).not.toBeNull();
  await pool.release(stage);
  expect(await pool.repair('gpuProcess')).toEqual({ renewed: 1, ended: 0, inUse: 0, trouble: [] });
  const again = await lease();
  expect(again.session).toBe(session);
  expect(await gpuProcessOf(session.cdp)).not.toBe(before);
  expect(browserProcesses('gpu')).not.toContain(before);
  expect(await adapterOf(again)).toBeGreaterThan(0);
  await pool.release(again);
});

test('the step browser ends the browsers that no task has, and those that one has after it', async (t) => {
  if (request === null) return t.skip('no Chromium with its driver');
  const stage = await lease();
  expect(await pool.repair('browser')).toEqual({ renewed: 0, ended: 0, inUse: 1, trouble: [] });
  expect(stage.session.end).toBeNull();
  await pool.release(stage);
  expect(stage.session.end).not.toBeNull();
  const other = await lease();
  expect(other.session).not.toBe(stage.session);
  await pool.release(other);
  expect(await pool.repair('browser')).toEqual({ renewed: 0, ended: 1, inUse: 0, trouble: [] });
  expect(browserProcesses('browser')).toEqual([]);
  expect(await pool.repair('browser')).toEqual({ renewed: 0, ended: 0, inUse: 0, trouble: [] });
});

test('a session that cannot be renewed is ended: its browser is gone', async (t) => {
  if (request === null) return t.skip('no Chromium with its driver');
  const stage = await lease();
  await pool.release(stage);
  for (const pid of browserProcesses('browser')) process.kill(pid, 'SIGKILL');
  expect((await pool.repair('page')).renewed).toBe(0);
  expect(stage.session.end).not.toBeNull();
});
