// Detection by a project's files, and listing by the project's own runner.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fixturesDir, suiteOf } from '../execute/recorded-batch.ts';
import { testEnvironment } from '../execute/test-environment.ts';
import { detectRunners, runnerOf } from './registry.ts';
import type { Listing } from './runner.ts';

let project = '';
beforeEach(async () => {
  project = await mkdtemp(path.join(tmpdir(), 'assay-list-'));
});
afterEach(async () => rm(project, { recursive: true, force: true }));

async function files(contents: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(contents)) {
    await mkdir(path.dirname(path.join(project, name)), { recursive: true });
    await writeFile(path.join(project, name), text);
  }
}

async function list(
  runner: 'vitest' | 'node:test',
  directory: string,
  args: string[] = [],
  filters: string[] = [],
): Promise<Listing> {
  const suite = suiteOf(runner, { arguments: args });
  return runnerOf(runner).list(directory, suite, filters, testEnvironment(suite, process.env));
}

test.each([
  ['vitest', { 'package.json': '{"devDependencies":{"vitest":"^3.0.0"}}' }],
  ['vitest', { 'vitest.config.mts': '' }],
  ['node:test', { 'package.json': '{"scripts":{"test":"node --import tsx --test test/"}}' }],
  ['node:test', { 'package.json': '{"devDependencies":{"borp":"1.0.0"}}' }],
  ['pytest', { 'pyproject.toml': '[tool.pytest.ini_options]\n' }],
  ['pytest', { 'pytest.ini': '[pytest]\n' }],
  ['pytest', { 'tests/conftest.py': '' }],
])('%s is recognised by %o', async (runner, contents) => {
  await files(contents);
  expect((await detectRunners(project)).map((found) => found.runner)).toEqual([runner]);
});

test('a project that shows no runner has none, and a broken package.json is no fault', async () => {
  await files({ 'package.json': '{broken', 'index.js': '' });
  expect(await detectRunners(project)).toEqual([]);
});

test('vitest lists the files of every project of its configuration, and takes filters', async () => {
  const all = await list('vitest', path.join(fixturesDir, 'vitest'));
  expect(all.kind === 'listed' ? all.targets : all).toEqual(
    expect.arrayContaining(['nested.test.js', 'fails-to-load.test.js', 'shared/part-1.test.js']),
  );
  expect(await list('vitest', path.join(fixturesDir, 'vitest'), [], ['nested'])).toEqual({
    kind: 'listed',
    targets: ['nested.test.js'],
  });
});

test('vitest that cannot load its configuration says so', async () => {
  expect(await list('vitest', path.join(fixturesDir, 'vitest'), ['--config', 'not-there.js'])).toMatchObject({
    kind: 'refused',
    code: 'CONFIG_UNREADABLE',
  });
});

test('node:test lists by its documented default patterns, and not below node_modules', async () => {
  const names = [
    'a.test.js',
    'b-test.mjs',
    'c_test.cjs',
    'test-d.js',
    'lib/test.js',
    'test/deep/any.js',
    'node_modules/x/y.test.js',
    'other.js',
    'test.txt',
  ];
  await files(Object.fromEntries(names.map((name) => [name, ''])));
  expect(await list('node:test', project)).toEqual({ kind: 'listed', targets: names.slice(0, 6).toSorted() });
});

test('node:test lists the patterns of its arguments, flags and their values aside', async () => {
  await files({ 'x/one.js': '', 'x/two.mjs': '', 'y/three.js': '' });
  const args = ['--import', './hook.js', '--test-concurrency=2', 'x', 'y/*.js'];
  expect(await list('node:test', project, args)).toEqual({
    kind: 'listed',
    targets: ['x/one.js', 'x/two.mjs', 'y/three.js'],
  });
  expect(await list('node:test', project, args, ['thr'])).toEqual({ kind: 'listed', targets: ['y/three.js'] });
});
