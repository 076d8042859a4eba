// Checks as they are: real programs, really run.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckSpec, type BuiltInCheck, type CheckResult } from '@assay/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive } from '../agent-test-bench.ts';
import { builtInCheck, commandCheck } from './check.ts';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'assay-check-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function run(spec: Record<string, unknown>): Promise<CheckResult> {
  const check = commandCheck(CheckSpec.parse({ name: 'probe', ...spec }));
  return (await check.run({ directory, env: process.env }))[0]!;
}

test('a command that exits with 0 has passed, and what it said is evidence', async () => {
  expect(await run({ command: ['echo', 'well'] })).toMatchObject({
    check: 'probe',
    outcome: 'passed',
    evidence: { exitCode: '0', stdout: 'well\n' },
  });
});

test('another exit code has failed', async () => {
  const result = await run({ command: ['sh', '-c', 'echo no answer >&2; exit 3'], device: 'gpu:0' });
  expect(result).toMatchObject({
    device: 'gpu:0',
    outcome: 'failed',
    evidence: { exitCode: '3', stderr: 'no answer\n' },
  });
});

test('the output must contain what is expected', async () => {
  expect((await run({ command: ['echo', 'result 42'], expects: '42' })).outcome).toBe('passed');
  const result = await run({ command: ['echo', 'result 41'], expects: '42' });
  expect(result).toMatchObject({ outcome: 'failed', evidence: { message: 'its output has no "42"' } });
});

test('a check that hangs has failed when its time is up, and nothing of it is left', async () => {
  const result = await run({ command: ['sh', '-c', 'sleep 60 & echo $! > pid; wait'], timeoutMs: 1_500 });
  expect(result).toMatchObject({ outcome: 'failed', evidence: { message: 'not over within 1500 ms' } });
  const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
  // It was sent SIGKILL; between the closing of its files and its end the kernel may let others go first.
  await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false);
});

test('a check whose program is not there did not run: it has measured nothing', async () => {
  const result = await run({ command: ['no-such-program-here'] });
  expect(result.outcome).toBe('notRun');
  expect(result.evidence.message).toContain('ENOENT');
});

test('a check of the whole worker waits for an idle machine, one of a device does not, unless it says otherwise', () => {
  const during = (spec: object) => commandCheck(CheckSpec.parse({ name: 'probe', command: ['true'], ...spec })).during;
  expect([during({}), during({ device: 'gpu:0' }), during({ device: 'gpu:0', during: 'idle' })]).toEqual([
    'idle',
    'always',
    'idle',
  ]);
});

test.each(['cpu', 'memory', 'disk'] satisfies BuiltInCheck[])(
  'the built-in check %s passes on a sound machine',
  async (name) => {
    const [result] = await builtInCheck(name, 0).run({ directory, env: process.env });
    expect(result).toMatchObject({ check: name, outcome: 'passed' });
    expect(result!.durationMs).toBeGreaterThan(0);
  },
);

test('the check of the disk fails where nothing can be written, and says why', async () => {
  writeFileSync(join(directory, 'file'), '');
  const env = { ...process.env };
  const { runCommand } = await import('./run-command.ts');
  const program = join(import.meta.dirname, 'built-in-process.mjs');
  const ended = await runCommand({
    command: [process.execPath, program, 'disk', join(directory, 'file'), '1'],
    timeoutMs: 20_000,
    directory,
    env,
  });
  expect(ended.kind === 'exited' ? JSON.parse(ended.stdout) : ended).toMatchObject({
    outcome: 'failed',
    evidence: { message: expect.stringContaining('ENOTDIR') as string },
  });
});

test('where nvidia-smi is not installed, the check of NVIDIA GPUs did not run', async () => {
  const results = await builtInCheck('nvidia', 0).run({ directory, env: { PATH: directory } });
  expect(results).toMatchObject([
    { check: 'nvidia', outcome: 'notRun', evidence: { message: 'nvidia-smi is not installed' } },
  ]);
  expect(existsSync(join(directory, 'nvidia-smi'))).toBe(false);
});
