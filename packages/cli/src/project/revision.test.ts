import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { revisionLabels } from './revision.ts';

let directory: string;
const git = (...words: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...words], {
    cwd: directory,
    encoding: 'utf8',
  }).trim();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'assay-revision-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function commit(): string {
  git('init', '-q', '-b', 'main');
  writeFileSync(join(directory, 'a.js'), '1');
  writeFileSync(join(directory, '.gitignore'), 'reports\n');
  git('add', '.');
  git('commit', '-q', '-m', 'first');
  return git('rev-parse', 'HEAD');
}

test('a clean work tree is its commit, on its branch; what git ignores changes nothing', async () => {
  const revision = commit();
  writeFileSync(join(directory, 'reports'), 'x');
  expect(await revisionLabels(directory)).toEqual({ revision, branch: 'main' });
});

test('a detached head, as in CI, has no branch', async () => {
  const revision = commit();
  git('checkout', '-q', '--detach');
  expect(await revisionLabels(directory)).toEqual({ revision });
});

test.each([
  ['a changed file', 'a.js'],
  ['a file that git does not know', 'b.js'],
])('%s is not the revision any more', async (_, name) => {
  commit();
  writeFileSync(join(directory, name), '2');
  expect(await revisionLabels(directory)).toEqual({ branch: 'main' });
});

test('without a commit, and outside git, there is nothing to say', async () => {
  expect(await revisionLabels(directory)).toEqual({});
  git('init', '-q', '-b', 'main');
  expect(await revisionLabels(directory)).toEqual({});
});
