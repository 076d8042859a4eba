// A session whose owner is killed: nothing of it may stay. The owner is a process of its own that holds a real browser.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startGuarded } from './guardian.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'assay-g-'));
afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

/** Processes that have the directory in their start environment or their command line. */
function processesOf(directory: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .filter((pid) => [`environ`, `cmdline`].some((name) => read(`/proc/${pid}/${name}`).includes(directory)));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not within 60 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// Guardians find what they end by /proc; elsewhere by pgrep, which no test of ours has run.
test.skipIf(process.platform !== 'linux')(
  'when its owner is killed, a driver, what left its group, and its directory go',
  async () => {
    const guardian = new URL('guardian.ts', import.meta.url).href;
    // A driver that starts a child in a session of its own, as browsers start crash handlers.
    const driver = `["/bin/sh", "-c", "setsid sleep 600 & echo started; exec sleep 600"]`;
    const owner = `const { startGuarded } = await import(${JSON.stringify(guardian)});
    const held = await startGuarded(${JSON.stringify(scratch)}, () => ${driver});
    console.log(held.directory);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', owner], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await until('the owner holds a session', () => said.includes('\n'));
    const directory = said.trim();
    // The guardian, the shell around the driver, the driver and its child.
    await until('all of it runs', () => processesOf(directory).length >= 4);
    child.kill('SIGKILL');
    await until('nothing is left', () => processesOf(directory).length === 0 && !existsSync(directory));
  },
);

test('closing ends all and removes the directory, also when the guardian itself was killed', async () => {
  const held = await startGuarded(scratch, () => ['/bin/sh', '-c', 'exec sleep 600']);
  await until('it runs', () => processesOf(held.directory).length >= 2);
  const guardian = processesOf(held.directory).find((pid) => read(`/proc/${pid}/cmdline`).includes('assay-guardian'));
  process.kill(guardian ?? 0, 'SIGKILL');
  await held.ended;
  await held.close();
  expect(existsSync(held.directory)).toBe(false);
  await until('nothing is left', () => processesOf(held.directory).length === 0);
});
