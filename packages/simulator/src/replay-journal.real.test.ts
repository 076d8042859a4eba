// A real coordinator's state directory, replayed: what an operator does after an incident.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { silentLog, startCoordinator } from '@assay/coordinator';
import type { Profile, RunId, RunSpec, SessionId, WorkerId } from '@assay/protocol';
import { machineKinds } from './agents/machines.ts';
import { readJournal, replayJournal } from './replay-journal.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

const suite = {
  name: 'unit',
  runner: 'command',
  directory: '',
  arguments: [],
  env: {},
  secrets: [],
  timeoutMs: 1_000,
  noOutputTimeoutMs: 0,
  requires: '',
  retries: 0,
  batching: 'shared',
} as const;
const spec = {
  name: 'a run',
  project: 'a project',
  priority: 0,
  source: { kind: 'directory', path: '/project' },
  suites: [{ ...suite, arguments: [], secrets: [] }],
  failFast: false,
  unplaceable: 'wait',
} satisfies RunSpec;

test('the state directory of a coordinator that ran and was stopped twice decides the same again', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'assay-replay-'));
  directories.push(stateDir);
  for (const start of [1, 2]) {
    const running = await startCoordinator({ stateDir, log: silentLog });
    const tasks = Array.from({ length: 20 }, (_, index) => ({ suite: 0, target: `t${index}.test` }));
    const about = { run: `r-${start}` as RunId, submitter: 'test', idempotencyKey: `key number ${start}` };
    await running.coordinator.submit({ kind: 'submitRun', ...about, contentDigest: 'd', spec, tasks, sealed: true });
    await running.coordinator.submit({
      kind: 'workerConnected',
      worker: 'w-1' as WorkerId,
      session: `s-${start}` as SessionId,
      token: 't',
      incarnation: `i-${start}`,
      name: 'laptop',
      pool: 'default',
      slots: 2,
      agentVersion: '1',
      profile: machineKinds[0].profile as Profile,
      profileDigest: 'p',
      declared: {},
      held: [],
      nextReportSeq: 0,
      isDraining: false,
    });
    await running.stop();
  }
  const { entries, difference } = replayJournal(readJournal(stateDir, undefined));
  expect(entries).toBeGreaterThanOrEqual(6);
  expect(difference).toBeNull();
});
