import { expect, test } from 'vitest';
import { importRules, importsOf } from './import-rules.ts';
import { tidyFile } from './rule.ts';

function broken(path: string, text: string): string[] {
  const file = tidyFile(path, text);
  return importRules.flatMap((rule) => rule.check(file).map(() => rule.name));
}

test('every form of import is read, and what only looks like one is not', () => {
  const source = `import { a } from 'one';
import 'two';
export * from './three.ts';
import type { D } from 'four';
import { type E, type F } from 'five';
const g = await import('six');
import x, {
  type H,
} from 'seven';
const text = "import 'no'"; // import 'no'
export const from = 'no';`;
  expect(importsOf(tidyFile('a.ts', source))).toEqual([
    { specifier: 'one', isTypeOnly: false, line: 1 },
    { specifier: 'two', isTypeOnly: false, line: 2 },
    { specifier: './three.ts', isTypeOnly: false, line: 3 },
    { specifier: 'four', isTypeOnly: true, line: 4 },
    { specifier: 'five', isTypeOnly: true, line: 5 },
    { specifier: 'six', isTypeOnly: false, line: 6 },
    { specifier: 'seven', isTypeOnly: false, line: 7 },
  ]);
});

const planted: readonly [rule: string, path: string, text: string][] = [
  ['package-boundary', 'packages/cli/src/a.ts', `import '../../agent/src/a.ts';`],
  ['package-boundary', 'packages/cli/src/a.test.ts', `import '../../agent/src/a.ts';`],
  ['package-boundary', 'packages/simulator/src/a.ts', `import '@assay/core/src/engine/step.ts';`],
  ['import-table', 'packages/protocol/src/a.ts', `import 'node:fs';`],
  ['import-table', 'packages/protocol/src/a.ts', `import '@assay/core';`],
  ['import-table', 'packages/core/src/a.ts', `import 'zod';`],
  ['import-table', 'packages/core/src/a.ts', `import { a } from '@assay/protocol';`],
  ['import-table', 'packages/core/src/a.ts', `import type { A } from '@assay/coordinator';`],
  ['import-table', 'packages/agent/src/a.ts', `import '@assay/core';`],
  ['import-table', 'packages/client/src/a.ts', `import 'node:http';`],
  ['import-table', 'packages/cli/src/a.ts', `import '@assay/core';`],
  ['import-table', 'packages/coordinator/src/a.ts', `import '@assay/simulator';`],
  ['coordinator-layers', 'packages/coordinator/src/http/a.ts', `import '../adapters/journal-sqlite/a.ts';`],
  ['coordinator-layers', 'packages/coordinator/src/http/a.ts', `import '@assay/core';`],
  ['coordinator-layers', 'packages/coordinator/src/adapters/x/a.ts', `import '../y/b.ts';`],
  ['coordinator-layers', 'packages/coordinator/src/adapters/results-memory.ts', `import './results-duckdb/a.ts';`],
];

test.each(planted)('%s is found in %s: %s', (rule, path, text) => {
  expect(broken(path, text)).toEqual([rule]);
});

const good: readonly [path: string, text: string][] = [
  ['packages/protocol/src/a.ts', `import { z } from 'zod';\nimport './b.ts';`],
  ['packages/core/src/engine/a.ts', `import type { A } from '@assay/protocol';\nimport '../kernel/b.ts';`],
  ['packages/core/src/a.test.ts', `import 'node:fs';\nimport '@assay/protocol';`],
  ['packages/client/src/a.ts', `import 'eventsource-parser';\nimport '@assay/protocol';`],
  ['packages/cli/src/commands/up.ts', `await import('@assay/coordinator');`],
  ['packages/coordinator/src/http/a.ts', `import '../ports/journal.ts';\nimport '@assay/protocol';`],
  ['packages/coordinator/src/adapters/x/a.ts', `import './b.ts';\nimport '../../ports/journal.ts';`],
  ['packages/coordinator/src/main.ts', `import './adapters/x/a.ts';\nimport '@assay/core';`],
];

test.each(good)('nothing is found in %s', (path, text) => {
  expect(broken(path, text)).toEqual([]);
});
