import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { ProjectUnderTest } from './assay-process.ts';

const checkout = fileURLToPath(new URL('../../../../', import.meta.url));

let project: ProjectUnderTest | undefined;
afterEach(() => project?.close());

test('the demo runs four real suites over three workers and goes as planned, reports and all', async () => {
  project = new ProjectUnderTest({});
  // The command of the README, from its beginning.
  const command = ['run', 'demo', '--', '--output-dir', join(project.path, 'out')];
  const { code, stderr, stdout } = await project.startProgram('npm', command, checkout).ended;
  expect(`${stdout}${stderr}`).toContain('everything passed but the one failure that is there on purpose');
  expect(code).toBe(0);
  expect(stdout).toMatch(/rounding\.test\.ts[\s\S]*8 passed, 1 failed|1 failed, 8 passed/);
  expect(readFileSync(join(project.path, 'out', 'junit.xml'), 'utf8')).toContain('a planned failure');
}, 180_000);

test('the doctor measures this machine', async () => {
  project = new ProjectUnderTest({});
  const { code, stdout } = await project.assay('doctor', '--json');
  expect(code).toBe(0);
  const { profile, detected } = JSON.parse(stdout) as {
    profile: { cpu: { count: number }; memory: { totalMiB: number } };
    detected: { runner: string }[];
  };
  expect(profile.cpu.count).toBeGreaterThan(0);
  expect(profile.memory.totalMiB).toBeGreaterThan(0);
  expect(detected.map(({ runner }) => runner)).toEqual(['node:test']);
});
