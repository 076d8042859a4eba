// A local agent that is asked to end while its machine is slow: what runs is finished and its result delivered first. And the
// measurement of the machine, which one agent makes for all: what the others do with it, and without it.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@assay/client';
import { startCoordinator } from '@assay/coordinator';
import type { RunSpec } from '@assay/protocol';
import { expect, test } from 'vitest';
import { submitRun } from '../project/submit.ts';
import { until } from '../system/fleet-under-test.ts';
import { errorsOnly } from './errors-only.ts';
import { launchAgent } from './agent-child.ts';

test('a result that takes longer than a moment is not lost when the fleet ends', async () => {
  const home = mkdtempSync(join(tmpdir(), 'assay-slow-'));
  const project = join(home, 'project');
  mkdirSync(project);
  const up = join(home, 'up');
  // Longer than the 5 s after which agents used to be killed.
  writeFileSync(join(project, 'slow.sh'), `touch ${up}; sleep 7; echo done`);
  const token = 'assay_local_test';
  const coordinator = await startCoordinator({ stateDir: join(home, 'state'), ownerSecret: token, log: errorsOnly() });
  try {
    const settings = { url: coordinator.url, token, name: 'slow', stateDir: join(home, 'agent'), slots: 1 };
    const child = await launchAgent().start({ ...settings, allowDirectories: true, reprobeMs: 0 });
    const client = createClient({ url: coordinator.url, token });
    const spec: RunSpec = {
      name: 'slow',
      project: 'slow',
      priority: 0,
      source: { kind: 'directory', path: project },
      suites: [
        {
          name: 'shell',
          runner: 'command',
          directory: '',
          arguments: ['sh', '{target}'],
          env: {},
          secrets: [],
          timeoutMs: 60_000,
          noOutputTimeoutMs: 0,
          requires: '',
          retries: 0,
          batching: 'single',
        },
      ],
      failFast: false,
      unplaceable: 'wait',
    };
    const { run } = await submitRun(client, spec, [{ suite: 0, target: 'slow.sh' }]);
    await until('it runs', () => (existsSync(up) ? true : null));
    await child.stop();
    const view = await client.readRun(run);
    expect([view.state, view.verdict]).toEqual(['settled', 'passed']);
    expect((await client.readTask(`${run}.0`)).attempts).toHaveLength(1);
  } finally {
    await coordinator.stop();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}, 90_000);

/** Runs with a coordinator of its own, and with what an agent of it needs; `osOf` waits for the agent to join. */
async function withCoordinator(
  act: (given: {
    settings: (name: string) => Parameters<ReturnType<typeof launchAgent>['start']>[0];
    osOf: (name: string) => Promise<unknown>;
  }) => Promise<void>,
): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'assay-measured-'));
  const token = 'assay_local_test';
  const coordinator = await startCoordinator({ stateDir: join(home, 'state'), ownerSecret: token, log: errorsOnly() });
  const client = createClient({ url: coordinator.url, token });
  try {
    await act({
      settings: (name) => ({ url: coordinator.url, token, name, stateDir: join(home, name), slots: 1, reprobeMs: 0 }),
      osOf: async (name) => {
        const found = await until(
          `${name} joins`,
          async () => (await client.listWorkers()).workers.find((worker) => worker.name === name) ?? null,
        );
        return (await client.readWorker(found.worker)).profile?.os;
      },
    });
  } finally {
    await coordinator.stop();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

test('the second agent offers what the first one measured', async () => {
  await withCoordinator(async ({ settings, osOf }) => {
    const first = launchAgent();
    const second = launchAgent(false);
    try {
      const measured = await first.measured;
      if (measured === null) throw new Error('the first agent ended before it had measured');
      expect(await second.measured).toBeNull();
      // A system that no machine has: whoever measures does not find it.
      const profile = { ...measured.profile, os: { ...measured.profile.os, version: 'as it was given' } };
      const child = await second.start({ ...settings('second'), measured: { ...measured, profile } });
      expect(await osOf('second')).toEqual(profile.os);
      await child.stop();
    } finally {
      first.discard();
      second.discard();
    }
  });
}, 60_000);

test('where the first agent dies before it has measured, the second one measures for itself', async () => {
  await withCoordinator(async ({ settings, osOf }) => {
    const first = launchAgent();
    const second = launchAgent(false);
    const third = launchAgent();
    try {
      first.discard();
      expect(await first.measured).toBeNull();
      const child = await second.start(settings('second'));
      const measured = await third.measured;
      expect(measured).not.toBeNull();
      // Not the whole profile: a tool that is too slow to answer on a loaded machine is unknown to one of them.
      expect(await osOf('second')).toEqual(measured?.profile.os);
      await child.stop();
    } finally {
      second.discard();
      third.discard();
    }
  });
}, 60_000);

test('an agent that ends before it is ready says why', async () => {
  const agent = launchAgent(false);
  const home = mkdtempSync(join(tmpdir(), 'assay-refused-'));
  try {
    const settings = { url: 'not a url', token: '', name: 'refused', stateDir: home };
    await expect(agent.start(settings)).rejects.toThrow(/"refused" did not start: .*url/);
  } finally {
    agent.discard();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}, 60_000);
