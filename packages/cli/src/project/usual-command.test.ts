import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recogniseCommand } from './usual-command.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'assay-usual-'));
  const scripts = {
    test: 'vitest run --config ci.ts',
    unit: 'npm test -- src/a',
    shell: 'tsc && vitest run',
    loop: 'npm run loop',
  };
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ scripts }));
});
afterAll(() => rmSync(directory, { recursive: true }));

test.each([
  ['npx vitest run src/a', 'vitest', [], ['src/a']],
  ['vitest --config x.ts --run', 'vitest', ['--config', 'x.ts'], []],
  ['npm test', 'vitest', ['--config', 'ci.ts'], []],
  ['npm run unit', 'vitest', ['--config', 'ci.ts'], ['src/a']],
  ['node --test --import ./hook.js test/a.js', 'node:test', ['--import', './hook.js'], ['test/a.js']],
  ['python3 -m pytest -k fast tests', 'pytest', ['-k', 'fast'], ['tests']],
  ['pytest -q', 'pytest', ['-q'], []],
])('%s is %s', (line, runner, args, filters) => {
  expect(recogniseCommand(directory, line.split(' '))).toMatchObject({
    kind: 'runner',
    runner,
    arguments: args,
    filters,
  });
});

test('a Python named by its path is the one that is used', () => {
  const found = recogniseCommand(directory, ['/usr/bin/python3', '-m', 'pytest', 'tests']);
  expect(found).toMatchObject({ kind: 'runner', runner: 'pytest', env: { ASSAY_PYTHON: '/usr/bin/python3' } });
});

test.each(['make check', 'npm run shell', 'npm run loop', 'npm run absent', 'vitest watch', 'node test.js'])(
  '%s runs as it is',
  (line) => {
    expect(recogniseCommand(directory, line.split(' '))).toMatchObject({ kind: 'command', argv: line.split(' ') });
  },
);
