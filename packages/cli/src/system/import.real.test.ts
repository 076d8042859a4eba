// A benchmark that runs here, and reports of other tools that come into a running coordinator, once: asked for like any run, and what
// they measured in SQL.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ProjectUnderTest, type Running } from './assay-process.ts';
import { until } from './fleet-under-test.ts';

const benchmark = 'pkg: a/b\nBenchmarkX-8 10 5.5 ns/op\nBenchmarkX-8 10 6.5 ns/op\nPASS\n';
let project: ProjectUnderTest;
let up: Running | null = null;

beforeAll(() => {
  project = new ProjectUnderTest({
    'assay.config.ts':
      "import { defineConfig } from 'assay';\nexport default defineConfig({ project: 'shop', suites: [{ name: 'speed', runner: 'command', command: ['node', 'bench.mjs'], benchmark: { format: 'go-bench', file: 'out.txt' } }] });\n",
    'bench.mjs': `import { writeFileSync } from 'node:fs';\nwriteFileSync('out.txt', ${JSON.stringify(benchmark)});\n`,
    'bench.txt': benchmark,
    'junit.xml':
      '<testsuite name="s"><testcase name="a" time="0.5"/><testcase name="b"><failure message="no"/></testcase></testsuite>',
    'cut.xml': '<testsuite name="s"><testcase name="a">',
  });
});
afterAll(async () => {
  up?.child.kill('SIGTERM');
  await up?.ended;
  project.close();
});

const json = async (...args: string[]): Promise<unknown> => JSON.parse((await project.assay(...args, '--json')).stdout);
const measured =
  'SELECT r.project, m.metric, m.unit, m.value FROM measurements m JOIN runs r USING (run) ORDER BY r.seq, m.sample';
const rows = async (sql: string): Promise<unknown> => ((await json('query', sql)) as { rows: unknown }).rows;

test('what a benchmark measured here is asked for in SQL', async () => {
  expect(await project.assay('run', '--workers', '1')).toMatchObject({ code: 0 });
  expect(await rows(measured)).toEqual([
    ['shop', 'time', 'ns/op', 5.5],
    ['shop', 'time', 'ns/op', 6.5],
  ]);
});

test('what other tools reported is a run, once, and a damaged file among them leaves nothing', async () => {
  const started = (up = project.start(['up', '--port', '0', '--quiet']));
  await until('the coordinator says where it is', () => started.stderr().match(/http:\/\/[0-9.]+:\d+/));
  const damaged = await project.assay('import', '--project', 'shop', 'junit.xml', 'cut.xml');
  expect(damaged).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('IMPORT_UNREADABLE') as string,
  });
  const first = (await json('import', '--project', 'shop', '--label', 'revision=4f2c', 'junit.xml')) as { run: string };
  expect(first).toMatchObject({ isRepeat: false, tasks: 1, cases: { passed: 1, failed: 1 } });
  await until('its rows are stored', async () =>
    (await project.assay('runs')).stdout.includes(first.run) ? true : null,
  );
  expect(await json('import', '--project', 'shop', 'junit.xml')).toMatchObject({ run: first.run, isRepeat: true });
  expect(await json('runs')).toMatchObject([{ run: first.run, verdict: 'failed', labels: { revision: '4f2c' } }]);
  expect((await project.assay('report', first.run)).stdout).toContain('s > b');
  await json('import', '--project', 'elsewhere', 'bench.txt');
  const found = await until('the imported samples are stored', async () => {
    const list = (await rows(measured)) as unknown[];
    return list.length > 0 ? list : null;
  });
  expect(found).toEqual([
    ['elsewhere', 'time', 'ns/op', 5.5],
    ['elsewhere', 'time', 'ns/op', 6.5],
  ]);
});
