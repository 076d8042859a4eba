// The command itself, as a process: what it prints and how it ends.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function sim(...args: string[]): { status: number | null; out: string; error: string } {
  const main = join(import.meta.dirname, 'main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, out: stdout, error: stderr };
}

test('a seed prints its faults first, then what came of it', { timeout: 60_000 }, () => {
  const { status, out } = sim('--seed', '3');
  expect(status).toBe(0);
  expect(out).toMatch(/^seed 3: \d+ workers with their slots: .*\n {2}\d+ runs of .* tasks; faults until /);
  expect(out).toMatch(/seed 3: passed: \d+ runs, \d+ tasks/);
  expect(out.indexOf('faults until')).toBeLessThan(out.indexOf('passed'));
});

test('a range of seeds ends with one line that counts them', { timeout: 60_000 }, () => {
  const { status, out } = sim('--seeds', '1..3');
  expect(status).toBe(0);
  expect(out.trim().split('\n').at(-1)).toMatch(/^sim: 3 passed, 0 failed \(each seed twice; /);
});

test('an exported journal is replayed, and the first changed decision is named', { timeout: 60_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'assay-sim-'));
  directories.push(directory);
  const file = join(directory, 'journal.ndjson');
  expect(sim('--seed', '3', '--export', file).status).toBe(0);
  expect(sim('--replay', file)).toMatchObject({
    status: 0,
    out: expect.stringMatching(/^replay: \d+ entries decided again, all the same/),
  });
  const lines = readFileSync(file, 'utf8').split('\n');
  const at = lines.findIndex((line) => line.includes('"kind":"tasksAssigned"'));
  lines[at] = lines[at]!.replace(/"attempt":1/, '"attempt":2');
  writeFileSync(file, lines.join('\n'));
  expect(sim('--replay', file)).toMatchObject({ status: 1, out: expect.stringContaining(`DIFFERS at entry ${at} `) });
});

test.each([[[]], [['--seed', 'x']], [['--seeds', '5..1']], [['--seed', '1', '--seeds', '1..2']], [['--sed', '1']]])(
  'wrong usage %j is said, with exit code 2',
  (args) => {
    const { status, error } = sim(...args);
    expect(status).toBe(2);
    expect(error).toMatch(/usage: sim --seed N/);
  },
);
