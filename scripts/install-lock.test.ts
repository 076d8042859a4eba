// The lock is tested with real processes, since what it guards against is a process that dies.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const module = new URL('install-lock.mjs', import.meta.url).href;
let folder = '';
let path = '';
const started: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-lock-'));
  path = join(folder, 'install.lock');
});

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A process that runs the script with the lock's module in scope as `acquire`. */
function start(script: string): ChildProcess {
  const source = `import { acquireInstallLock as acquire } from ${JSON.stringify(module)};
    import { readFileSync, writeFileSync } from 'node:fs';
    const path = ${JSON.stringify(path)};
    const options = { waitMs: 15_000, onWait: (h) => console.log('waiting ' + h), onTimeout: () => process.exit(3) };
    ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer];
  return chunk.toString().split('\n')[0] ?? '';
}

const hold = `await acquire(path, options); console.log('held'); setInterval(() => {}, 1000);`;

/** The id of a process that has just ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

test('safety: of many processes at once, one at a time is between acquire and release', async () => {
  const counter = join(folder, 'counter');
  writeFileSync(counter, '0');
  const bump = `const lock = await acquire(path, options);
    const n = Number(readFileSync(${JSON.stringify(counter)}, 'utf8'));
    await new Promise((r) => setTimeout(r, 20));
    writeFileSync(${JSON.stringify(counter)}, String(n + 1));
    lock.release();`;
  const ended = Array.from({ length: 6 }, () => once(start(bump), 'exit'));
  const codes = (await Promise.all(ended)).map(([code]) => code as number);
  expect(codes).toEqual([0, 0, 0, 0, 0, 0]);
  expect(readFileSync(counter, 'utf8')).toBe('6');
});

test('a waiter is told who holds the lock, and gets it at once when the holder is killed', async () => {
  const holder = start(hold);
  expect(await firstLine(holder)).toBe('held');
  const waiter = start(hold);
  expect(await firstLine(waiter)).toBe(`waiting ${holder.pid}@${hostname()}`);
  holder.kill('SIGKILL');
  expect(await firstLine(waiter)).toBe('held');
});

test('the npm that a killed process left behind still holds the lock', async () => {
  const survivor = start(`console.log('here'); setInterval(() => {}, 1000);`);
  await firstLine(survivor);
  writeFileSync(path, `${deadPid()},${survivor.pid}@${hostname()}`);
  const waiter = start(hold);
  expect(await firstLine(waiter)).toMatch(/^waiting /);
  survivor.kill('SIGKILL');
  expect(await firstLine(waiter)).toBe('held');
});

test('a lock of another machine is broken only when it has been silent', async () => {
  writeFileSync(path, '1@another-machine');
  const waiter = start(hold);
  expect(await firstLine(waiter)).toBe('waiting 1@another-machine');
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(path, longAgo, longAgo);
  expect(await firstLine(waiter)).toBe('held');
});

test('a process that ends without releasing leaves no lock behind', async () => {
  const child = start(`const lock = await acquire(path, options); lock.alsoHeldBy(process.pid); process.exit(0);`);
  await once(child, 'exit');
  expect(() => readFileSync(path)).toThrow(/ENOENT/);
});
