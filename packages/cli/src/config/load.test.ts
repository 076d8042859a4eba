import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkConfig, loadConfig } from './load.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'assay-config-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a project without a configuration has the defaults', async () => {
  expect(await loadConfig(directory)).toEqual({ path: null, config: {} });
});

test('durations are read as people write them, and a suite gets its defaults', () => {
  const { suites } = checkConfig('x', { suites: [{ runner: 'pytest', timeout: '90s' }] });
  expect(suites?.[0]).toMatchObject({
    runner: 'pytest',
    timeout: 90_000,
    retries: 0,
    batching: 'shared',
    directory: '',
  });
});

test.each([
  [{ suits: [] }, /unknown key "suits"; did you mean "suites"/],
  [{ suites: [{ runner: 'vitest', timout: '9s' }] }, /suites\.0: unknown key "timout"; did you mean "timeout"/],
  [{ suites: [{ runner: 'karma' }] }, /suites\.0\.runner/],
  [{ suites: [{ runner: 'vitest', timeout: 'soon' }] }, /"soon" is not a duration/],
  [{ workers: 0 }, /workers/],
  ['text', /configuration/],
])('%j is refused by name', (value, message) => {
  expect(() => checkConfig('assay.config.ts', value)).toThrow(message);
});

test('a file that throws is CONFIG_UNREADABLE with its own message', async () => {
  writeFileSync(join(directory, 'assay.config.mjs'), 'throw new Error("no network");');
  await expect(loadConfig(directory)).rejects.toMatchObject({
    code: 'CONFIG_UNREADABLE',
    message: expect.stringContaining('no network') as string,
  });
});

test('JSON that is cut short is CONFIG_UNREADABLE', async () => {
  writeFileSync(join(directory, 'assay.config.json'), '{"workers": 2');
  await expect(loadConfig(directory)).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' });
});

test('a TypeScript configuration is an ES module also in a CommonJS package, and `assay` need not be installed', () => {
  writeFileSync(join(directory, 'package.json'), '{"type":"commonjs"}');
  writeFileSync(
    join(directory, 'assay.config.ts'),
    "import { defineConfig } from 'assay';\nconst workers: number = 3;\nexport default defineConfig({ workers });\n",
  );
  // In a process of its own: vitest loads modules its own way.
  const script = `import { loadConfig } from ${JSON.stringify(new URL('load.ts', import.meta.url).href)};
    console.log(JSON.stringify((await loadConfig(${JSON.stringify(directory)})).config));`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(JSON.parse(out)).toEqual({ workers: 3 });
});
