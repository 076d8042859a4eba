import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Source } from '@assay/protocol';
import { ScriptedCoordinator } from '../link/scripted-coordinator.ts';
import { Sources } from './sources.ts';
import type { SourcesOptions } from './sources.ts';

let home: string;
let coordinator: ScriptedCoordinator;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'assay-sources-'));
  mkdirSync(join(home, 'sources'));
  coordinator = await ScriptedCoordinator.start();
});
afterEach(async () => {
  await coordinator.stop();
  rmSync(home, { recursive: true, force: true });
});

function sources(change: Partial<SourcesOptions> = {}): Sources {
  const access = { url: coordinator.url, token: coordinator.token, ca: null };
  return new Sources({
    directory: join(home, 'sources'),
    access,
    allowDirectories: false,
    env: { ...process.env, ASSAY_TOKEN: 'secret' },
    tmpDir: join(home, 'tmp'),
    say: () => undefined,
    ...change,
  });
}

function bundle(name: string, bytes = 10, setup: string[][] = []): Source {
  const directory = join(home, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'content'), `${name}${'x'.repeat(bytes)}`);
  const digest = coordinator.addBlob(execFileSync('tar', ['-cz', '-C', directory, '.']));
  return { kind: 'bundle', digest, setup } as Source;
}

test('those who ask at one time share one fetch and one set-up', async () => {
  const cache = sources();
  const source = bundle('a', 10, [['sh', '-c', 'echo x >> ../../../setups']]);
  const projects = await Promise.all([1, 2, 3].map(async () => cache.acquire(source)));
  expect(new Set(projects.map((project) => project.directory)).size).toBe(1);
  expect(readFileSync(join(home, 'setups'), 'utf8')).toBe('x\n');
});

test('the same content with another set-up is another directory', async () => {
  const cache = sources();
  const one = bundle('a');
  const other = { ...one, setup: [['sh', '-c', 'echo made > made']] } as Source;
  const [first, second] = [await cache.acquire(one), await cache.acquire(other)];
  expect(existsSync(join(first.directory, 'made'))).toBe(false);
  expect(existsSync(join(second.directory, 'made'))).toBe(true);
});

test('the longest unused bundle goes when the cache is full, one in use stays', async () => {
  const cache = sources({ cacheBytesMax: 2_500 });
  const [a, b, c] = [bundle('a', 1_000), bundle('b', 1_000), bundle('c', 1_000)];
  const used = await cache.acquire(a);
  const idle = await cache.acquire(b);
  idle.release();
  for (const [index, project] of [used, idle].entries())
    utimesSync(join(project.directory, '..', 'ready.json'), 1_000 + index, 1_000 + index);
  await cache.acquire(c);
  expect(readdirSync(join(home, 'sources'))).toHaveLength(2);
  expect(existsSync(used.directory)).toBe(true);
  expect(existsSync(idle.directory)).toBe(false);
  expect(readFileSync(join((await cache.acquire(b)).directory, 'content'), 'utf8')).toContain('bx');
});

test('half of an earlier try is not taken for a project', async () => {
  const source = bundle('a');
  const cache = sources();
  const project = await cache.acquire(source);
  project.release();
  rmSync(join(project.directory, '..', 'ready.json'));
  writeFileSync(join(project.directory, 'half'), '');
  const again = await sources().acquire(source);
  expect(existsSync(join(again.directory, 'half'))).toBe(false);
  expect(existsSync(join(again.directory, 'content'))).toBe(true);
});

test('a set-up that hangs is ended with what it started, and says so', async () => {
  const pidFile = join(home, 'pid');
  const source = bundle('a', 10, [['sh', '-c', `sleep 300 & echo $! > ${pidFile}; echo waiting for nothing; wait`]]);
  await expect(sources({ setupTimeoutMs: 500 }).acquire(source)).rejects.toMatchObject({
    code: 'SETUP_FAILED',
    message: expect.stringMatching(/longer than 500 ms[^]*waiting for nothing/),
  });
  const stat = (): string => {
    try {
      return readFileSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}/stat`, 'utf8');
    } catch {
      return ') Z ';
    }
  };
  if (process.platform === 'linux') expect(stat()).toMatch(/\) [ZX] /);
});

test('a set-up command that is not there is named', async () => {
  await expect(sources().acquire(bundle('a', 10, [['no-such-tool', '--help']]))).rejects.toMatchObject({
    code: 'SETUP_FAILED',
    message: expect.stringContaining('no-such-tool --help'),
  });
});

test('set-up commands see the environment of tests: no token of ours, and a temporary directory of the agent', async () => {
  const { directory } = await sources().acquire(bundle('a', 10, [['sh', '-c', 'env > seen']]));
  const seen = readFileSync(join(directory, 'seen'), 'utf8');
  expect(seen).not.toContain('secret');
  expect(seen).toContain(`TMPDIR=${join(home, 'tmp')}`);
});
