// A local agent that is asked to end while its machine is slow: what runs is finished and its result delivered first.
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
