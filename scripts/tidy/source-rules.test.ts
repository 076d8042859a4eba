import { expect, test } from 'vitest';
import { tidyFile } from './rule.ts';
import { sourceRules } from './source-rules.ts';

const contract = '// A contract that says what this is, why it exists and what always holds.\n';

function broken(path: string, text: string): string[] {
  const file = tidyFile(path, text);
  return sourceRules.flatMap((rule) => rule.check(file).map((finding) => `${rule.name}:${finding.line}`));
}

const planted: readonly [rule: string, path: string, text: string][] = [
  ['file-length:400', 'packages/agent/src/a.ts', contract + 'x();\n'.repeat(400)],
  ['file-length:600', 'packages/agent/src/a.test.ts', 'x();\n'.repeat(601)],
  ['file-name:1', 'packages/agent/src/leaseTable.ts', contract],
  ['file-name:1', 'packages/agent/src/assay-plugin.py', contract.replace('//', '#')],
  ['no-default-export:2', 'packages/agent/src/a.ts', `${contract}export default 1;\n`],
  ['no-default-export:2', 'packages/agent/src/a.ts', `${contract}export { a as default };\n`],
  ['erasable-only:2', 'packages/agent/src/a.ts', `${contract}export enum Colour { Red }\n`],
  [
    'erasable-only:2',
    'packages/agent/src/a.ts',
    `${contract}class A { constructor(b: string, private c: string) {} }\n`,
  ],
  ['banned-name:1', 'packages/agent/src/utils.ts', contract],
  ['banned-name:1', 'packages/agent/src/helpers/a.ts', contract],
  ['banned-name:1', 'packages/agent/src/time-utils.ts', contract],
  ['banned-name:2', 'packages/agent/src/a.ts', `${contract}class LeaseManager {}\n`],
  ['banned-name:2', 'packages/agent/src/a.ts', `${contract}interface ILease {}\n`],
  ['contract-comment:1', 'packages/agent/src/a.ts', 'export const a = 1;\n'],
  ['contract-comment:1', 'packages/agent/src/a.ts', '// short\nexport const a = 1;\n'],
  ['contract-comment:1', 'packages/agent/src/a.py', 'import os\n'],
  ['honest-tests:1', 'packages/agent/src/a.test.ts', `vi.mock('x');\n`],
  ['honest-tests:1', 'packages/agent/src/a.test.ts', 'vi.useFakeTimers();\n'],
  ['honest-tests:1', 'packages/agent/src/a.test.ts', `test.only('x', f);\n`],
  ['honest-tests:2', 'packages/agent/src/a.test.ts', `f();\ntest.skip('x', f);\n`],
  ['honest-tests:2', 'packages/agent/src/a.test.ts', `f();\ntest.skipIf(g())('x', f);\n`],
  ['ways-out:2', 'packages/coordinator/src/http/a.ts', `${contract}const a = await fetch(url);\n`],
  ['ways-out:2', 'packages/coordinator/src/a.ts', `${contract}const child = spawn('git', []);\n`],
  ['ascii-identifiers:2', 'packages/agent/src/a.ts', `${contract}const \u00b5s = 1;\n`],
];

test.each(planted)('%s is found in %s', (rule, path, text) => {
  expect(broken(path, text)).toEqual([rule]);
});

test('every rule has a planted violation', () => {
  const found = new Set(planted.map(([rule]) => rule.split(':')[0]));
  expect(sourceRules.map((rule) => rule.name).filter((name) => !found.has(name))).toEqual([]);
});

const good: readonly [path: string, text: string][] = [
  ['packages/agent/src/lease-table.ts', `${contract}export const a = 'export default, vi.mock, enum X {';\n`],
  ['packages/coordinator/src/circuits/a.ts', `${contract}const a = await fetch(url);\n`],
  ['packages/agent/src/a.ts', `${contract}const a = await fetch(url);\n`],
  ['vitest.config.ts', `${contract}export default {};\n`],
  ['packages/cli/src/assay.config.ts', `${contract}export default {};\n`],
  ['packages/agent/src/runners/vitest/case-reporter.ts', `${contract}export default class A {}\n`],
  ['packages/agent/src/runners/pytest/assay_plugin.py', `"""${contract}"""\n`],
  [
    'packages/agent/src/a.ts',
    `#!/usr/bin/env node\n${contract}class A { readonly b = 1; constructor(c: string, d: Readonly<E>) {} }\n`,
  ],
  [
    'packages/agent/src/a.ts',
    `${contract}interface IPAddress {}\ntype Identity = 1;\n// \u00b5s is fine in a comment\n`,
  ],
  ['packages/agent/src/a.test.ts', `// pytest is not installed everywhere\ntest.skipIf(g())('x \u2192 y', f);\n`],
];

test.each(good)('nothing is found in %s', (path, text) => {
  expect(broken(path, text)).toEqual([]);
});
