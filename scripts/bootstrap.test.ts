// The set-up is tested as its user meets it: as a process. What needs a fresh clone and the network is .ci/run's.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-setup-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A project of its own with the same set-up, whose lock file is the given one. */
function project(packages: object, dependencies: object = {}): void {
  mkdirSync(join(folder, 'scripts'));
  for (const name of ['bootstrap.mjs', 'install-lock.mjs']) {
    cpSync(join(root, 'scripts', name), join(folder, 'scripts', name));
  }
  const own = { name: 'x', version: '1.0.0', dependencies };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(own));
  const lock = { name: 'x', version: '1.0.0', lockfileVersion: 3, requires: true, packages: { '': own, ...packages } };
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock));
}

function setUp(...args: string[]): { code: number | null; said: string } {
  const env = {
    ...process.env,
    npm_config_registry: 'http://127.0.0.1:9/',
    npm_config_fetch_retries: '0',
    npm_config_cache: join(folder, 'cache'),
  };
  const result = spawnSync(process.execPath, [join(folder, 'scripts', 'bootstrap.mjs'), ...args], {
    env,
    encoding: 'utf8',
  });
  return { code: result.status, said: result.stdout + result.stderr };
}

test('a registry that cannot be reached has a name and a next step, and leaves no stamp', () => {
  project({ 'node_modules/zod': { version: '4.6.7', integrity: `sha512-${'A'.repeat(86)}==` } }, { zod: '4.6.7' });
  const { code, said } = setUp();
  expect(said).toMatch(/installing the locked dependencies \(first run/);
  expect(said).toMatch(/ASSAY_SETUP_NO_NETWORK\)\n {2}next: Connect/);
  expect(code).toBe(1);
  expect(existsSync(join(folder, 'node_modules', '.assay-install'))).toBe(false);
  expect(existsSync(join(folder, '.assay', 'install.lock'))).toBe(false);
});

test('a note of npm that names another version than is there, as `npm install --package-lock-only` leaves it, is not believed', () => {
  const locked = { 'node_modules/zod': { version: '4.6.7', integrity: `sha512-${'A'.repeat(86)}==` } };
  project(locked, { zod: '4.6.7' });
  mkdirSync(join(folder, 'node_modules', 'zod'), { recursive: true });
  writeFileSync(join(folder, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: locked }));
  const installed = JSON.stringify({ name: 'zod', version: '4.6.6' });
  writeFileSync(join(folder, 'node_modules', 'zod', 'package.json'), installed);
  expect(setUp().said).toMatch(/installing the locked dependencies/);
});

test('a lock file that does not fit package.json has a name and a next step', () => {
  project({}, { other: 'file:./other' });
  mkdirSync(join(folder, 'other'));
  writeFileSync(join(folder, 'other', 'package.json'), JSON.stringify({ name: 'other', version: '1.0.0' }));
  const { code, said } = setUp();
  expect(said).toMatch(/ASSAY_SETUP_LOCK_MISMATCH\)\n {2}next: Run `npm install`/);
  expect(code).toBe(1);
});

test('an installation that left the pinned Node out is not called complete', () => {
  project({});
  const { code, said } = setUp();
  expect(said).toMatch(/ASSAY_SETUP_NO_PINNED_NODE/);
  expect(code).toBe(1);
  expect(existsSync(join(folder, 'node_modules', '.assay-install'))).toBe(false);
});

test.each([
  [['--then', 'nothing'], /Unknown target "nothing".*ASSAY_SETUP_USAGE/],
  [['--then', 'bench', 'nothing'], /No benchmark "nothing"/],
  [['--later'], /Unknown argument "--later"/],
])('%j is refused with what to write instead', (args, expected) => {
  const script = join(root, 'scripts', 'bootstrap.mjs');
  const result = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  expect(result.stderr).toMatch(expected);
  expect(result.stderr).toMatch(/\n {2}next: /);
  expect(result.status).toBe(1);
});

/** A process that hands itself over to `node -e child`, as every command of ours does. */
function handOver(child: string) {
  const module = new URL('bootstrap.mjs', import.meta.url).href;
  const source = `import { runAndExit } from ${JSON.stringify(module)};
    runAndExit(process.execPath, ['-e', ${JSON.stringify(child)}], process.env);`;
  return spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
}

test('the exit code of what is started is our own', async () => {
  expect((await once(handOver('process.exit(7)'), 'exit'))[0]).toBe(7);
});

test('a signal reaches what is started, which may end in its own way', async () => {
  const parent = handOver(
    `process.on('SIGTERM', () => process.exit(9)); console.log('ready'); setInterval(() => {}, 1000);`,
  );
  await once(parent.stdout, 'data');
  parent.kill('SIGTERM');
  expect((await once(parent, 'exit'))[0]).toBe(9);
});

test('when what is started dies of a signal, so do we', async () => {
  const parent = handOver(`process.kill(process.pid, 'SIGKILL')`);
  expect((await once(parent, 'exit'))[1]).toBe('SIGKILL');
});
