import { existsSync, readFileSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { probeBrowsers } from './browsers.ts';
import { oneLine, parseVersion, runCommand } from './context.ts';
import { fixtureText, machineAt, writeTree } from './fixture-tree.ts';
import { parsePython, probeRuntimes } from './runtimes.ts';

async function inTools<T>(body: (root: string) => Promise<T>): Promise<T> {
  const root = writeTree(fixtureText('tools.tree'));
  try {
    return await body(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('runtimes: what answers is there, what is not on PATH is absent, what fails or hangs is unknown with its reason', async () => {
  const probe = await inTools((root) => probeRuntimes(machineAt(root, { commandTimeoutMs: 1_000 })));
  expect(probe.runtimes).toEqual({
    node: { version: '24.21.0', major: 24, minor: 21, path: '/opt/assay/node' },
    java: { version: '17.0.15', major: 17, minor: 0, path: '/bin/java' },
    python: { version: '3.12.4', major: 3, minor: 12, path: '/opt/python/bin/python3.12' },
  });
  expect(probe.runners).toEqual({
    pytest: { version: '8.3.5', major: 8, minor: 3, runtime: 'python', path: '/opt/python/bin/python3.12' },
  });
  expect(probe.unknown).toEqual([
    { field: 'runtimes.go', reason: '/bin/go exited 2: go: cannot find GOROOT directory: /usr/lib/go' },
    { field: 'runtimes.deno', reason: '/bin/deno printed nothing that could be read: welcome' },
    { field: 'runtimes.ruby', reason: '/bin/ruby did not answer within 1000 ms' },
  ]);
});

test('a shim with nothing behind it is absent, and a program that the loader cannot start is unknown', async () => {
  const shim = '#!/bin/sh\necho "pyenv: python3: command not found" >&2\nexit 127\n';
  const broken = '#!/bin/sh\necho "go: error while loading shared libraries: libc.so.6" >&2\nexit 127\n';
  const root = writeTree(`Hand-written.\n-- bin/python3 --\n${shim}-- bin/go --\n${broken}`);
  try {
    const { runtimes, unknown } = await probeRuntimes(machineAt(root));
    expect(Object.keys(runtimes)).toEqual(['node']);
    expect(unknown.map((entry) => entry.field)).toEqual(['runtimes.go']);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('browsers: the Chromium that the environment names is one more, under a name of its own', async () => {
  const env = { PATH: '/bin', ASSAY_CHROMIUM_PATH: '/bin/chromium' };
  const probe = await inTools((root) => probeBrowsers(machineAt(root, { env })));
  expect(probe.browsers.filter(({ name }) => name === 'chromium')).toEqual([
    { name: 'chromium', version: '156.0.8078.79', major: 156, minor: 0, path: '/bin/chromium' },
    { name: 'chromium', channel: 'named', version: '156.0.8078.79', major: 156, minor: 0, path: '/bin/chromium' },
  ]);
});

test('browsers: two names of one Firefox are one browser, and the newest WebKitGTK counts', async () => {
  const probe = await inTools((root) => probeBrowsers(machineAt(root)));
  expect(probe.browsers).toEqual([
    { name: 'chromium', version: '156.0.8078.79', major: 156, minor: 0, path: '/bin/chromium' },
    { name: 'firefox', channel: 'esr', version: '153.0esr', major: 153, minor: 0, path: '/bin/firefox-esr' },
    {
      name: 'webkit',
      version: '2.50.1',
      major: 2,
      minor: 50,
      path: '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser',
    },
  ]);
  expect(Object.keys(probe.drivers)).toEqual(['chromedriver']);
  expect(probe.drivers.chromedriver?.major).toBe(156);
  expect(probe.unknown).toEqual([
    { field: 'drivers.geckodriver', reason: expect.stringContaining('error while loading shared libraries') },
  ]);
});

test('a python whose metadata cannot be read has an unknown pytest, and not a missing one', () => {
  const answer = parsePython(
    '{"version": "3.7.3", "executable": "/usr/bin/python3", "pytestError": "ImportError"}',
    'x',
  );
  expect(answer).toMatchObject({ tool: { version: '3.7.3' }, pytestError: 'ImportError' });
  expect(parsePython('Python 2.7.18', 'x')).toBeUndefined();
});

test('a command that hangs is ended with its children', async () => {
  const root = writeTree('Hand-written.\n-- hang --\n#!/bin/sh\nsleep 600 &\necho $! > "$(dirname "$0")/pid"\nwait\n');
  try {
    expect(await runCommand(`${root}/hang`, [], 700)).toEqual({ kind: 'timedOut' });
    const child = Number(readFileSync(`${root}/pid`, 'utf8'));
    expect(child).toBeGreaterThan(1);
    await expect.poll(() => isRunning(child), { timeout: 5_000 }).toBe(false);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('a command that floods is ended, and its output is not kept', async () => {
  const root = writeTree('Hand-written.\n-- flood --\n#!/bin/sh\nexec yes\n');
  try {
    const outcome = await runCommand(`${root}/flood`, [], 10_000);
    expect(outcome).toEqual({ kind: 'failed', code: null, stdout: '', stderr: 'printed more than 1048576 bytes' });
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('a command that is not there is missing, and one that may not be run has failed', async () => {
  expect(await runCommand('/nowhere/at/all', [], 1_000)).toEqual({ kind: 'missing' });
  const root = writeTree('Hand-written.\n-- plain --\ntext\n');
  try {
    expect(await runCommand(`${root}/plain`, [], 1_000)).toMatchObject({ kind: 'failed', code: null });
  } finally {
    rmSync(root, { recursive: true });
  }
});

test.each([
  ['v24.21.0', { version: '24.21.0', major: 24, minor: 21 }],
  ['153.0esr', { version: '153.0esr', major: 153, minor: 0 }],
  ['17', { version: '17', major: 17 }],
  ['1.22rc1 ', { version: '1.22rc1', major: 1, minor: 22 }],
  ['none', undefined],
])('the version in %j', (text, expected) => {
  expect(parseVersion(text)).toEqual(expected);
});

test('a reason is one line of bounded length', () => {
  expect(oneLine(' a\n\n b ')).toBe('a b');
  expect(oneLine('x'.repeat(5_000))).toHaveLength(300);
});

/** A killed process whose parent is gone may stay as a zombie where nobody reaps: it runs no more either. */
function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) {
    try {
      process.kill(pid, 0);
      return process.platform !== 'linux';
    } catch {
      return false;
    }
  }
  return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
