// The linter's restrictions are only worth something if they bite: oxlint ignores a pattern that it cannot compile
// without a word. Each restriction of .oxlintrc.json is planted once, in a copy of the configuration.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-lint-'));
  cpSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  // Without node's types, which are not installed there: an unreadable tsconfig switches the type-aware rules off.
  const compilerOptions = { target: 'ES2024', module: 'NodeNext', strict: true, types: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['packages'] }));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function lint(path: string, source: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, source);
  const oxlint = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint');
  const env = { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}` };
  const result = spawnSync(process.execPath, [oxlint, '--format=unix', path], { cwd: folder, encoding: 'utf8', env });
  rmSync(file);
  return result.stdout + result.stderr;
}

const planted: readonly [path: string, source: string, expected: RegExp][] = [
  ['packages/core/src/a.ts', `import 'node:fs';`, /core is pure|no-restricted-imports/],
  ['packages/core/src/a.ts', `import '@assay/coordinator';`, /no-restricted-imports/],
  ['packages/core/src/a.ts', `export const a = Date.now();`, /Time is an argument/],
  ['packages/core/src/a.ts', `export const a = Math.random();`, /no-restricted-properties/],
  ['packages/core/src/a.ts', `setTimeout(() => {}, 1);`, /One timer/],
  ['packages/core/src/a.ts', `export const a = Promise.resolve();`, /core is synchronous/],
  ['packages/core/src/a.ts', `export const a = async () => {};`, /no-async-await/],
  ['packages/core/src/a.ts', `export const a = new Intl.NumberFormat();`, /no-restricted-globals/],
  ['packages/protocol/src/a.ts', `import 'ws';`, /no-restricted-imports/],
  ['packages/protocol/src/a.ts', `import 'node:fs';`, /no-restricted-imports/],
  ['packages/protocol/src/a.ts', `import '@assay/core';`, /no-restricted-imports/],
  ['packages/client/src/a.ts', `import 'node:http';`, /no-restricted-imports/],
  ['packages/client/src/a.ts', `import '@assay/core';`, /no-restricted-imports/],
  ['packages/agent/src/a.ts', `import '@assay/core';`, /no-restricted-imports/],
  ['packages/coordinator/src/http/a.ts', `import '../adapters/journal.ts';`, /no-restricted-imports/],
  ['packages/coordinator/src/http/a.ts', `import '@assay/core';`, /no-restricted-imports/],
  ['packages/agent/src/a.ts', `async function f() {}\nexport const a = () => { f(); };`, /no-floating-promises/],
  ['packages/agent/src/a.ts', `export const a = () => { [1].forEach(async () => {}); };`, /no-misused-promises/],
  ['packages/agent/src/a.ts', `export default 1;`, /no-default-export/],
];

test.each(planted)('the linter refuses, in %s: %s', (path, source, expected) => {
  expect(lint(path, source)).toMatch(expected);
});

test('what the table of packages allows is not refused', () => {
  expect(lint('packages/protocol/src/a.ts', `import 'zod';\nimport './b.ts';`)).not.toMatch(/restricted/);
  expect(lint('packages/core/src/a.ts', `import '@assay/protocol';\nimport './b.ts';`)).not.toMatch(/restricted/);
  expect(lint('packages/coordinator/src/adapters/a.ts', `import 'node:fs';`)).not.toMatch(/restricted/);
  expect(lint('vitest.config.ts', `export default {};`)).not.toMatch(/default-export/);
});
