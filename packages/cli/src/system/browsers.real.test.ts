// `assay run` on browser tests, as a user calls it: real Chromium, real workers, and what must never be a pass.
import { readFileSync, readdirSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ProjectUnderTest } from './assay-process.ts';

const example = join(import.meta.dirname, '../../../../examples/web');
const isMissing = ['chromium', 'chromedriver'].some((name) => spawnSync(name, ['--version']).status !== 0);
const whyMissing = 'chromium and chromedriver are not installed (apt-get install chromium chromium-driver)';
if (isMissing) {
  if (process.env['ASSAY_REQUIRE_ALL'] === '1') throw new Error(whyMissing);
  console.error(`SKIPPED: ${whyMissing}`);
}

let project: ProjectUnderTest | undefined;
afterEach(() => {
  project?.close();
  project = undefined;
});
const open = (files: Record<string, string>): ProjectUnderTest => (project = new ProjectUnderTest(files));
const suites = (...args: string[]): Record<string, string> => ({
  'assay.config.json': JSON.stringify({ suites: [{ runner: 'browser', name: 'web', arguments: args }] }),
});

type Report = {
  verdict: string;
  exitCode: number;
  cases: Record<string, number>;
  files: {
    hallmark: string | null;
    target: string;
    verdict: string;
    attempts: number;
    failure: { code: string; message: string } | null;
  }[];
};
async function run(files: Record<string, string>): Promise<Report> {
  const { stdout, stderr } = await open(files).assay('run', '--workers', '1', '--json');
  const report = (stdout === '' ? {} : JSON.parse(stdout)) as Partial<Report>;
  if (report.files === undefined) throw new Error(`no report: ${stdout}\n${stderr}`);
  return report as Report;
}

// Without Chromium nothing of it can run; the lines above say so, and fail under ASSAY_REQUIRE_ALL.
test.skipIf(isMissing)('the example passes on a measured adapter, and a lie beside it is inconclusive', async () => {
  const files = Object.fromEntries(
    ['src/matrix.ts', 'test/matrix.webgpu.test.ts', 'test/page.browser.test.html'].map((name) => [
      name,
      readFileSync(join(example, name), 'utf8'),
    ]),
  );
  const report = await run({
    ...suites(),
    ...files,
    'test/idle.webgpu.test.js': "import { test } from 'assay/page';\ntest('computes', () => {});\n",
    'test/none.webgpu.test.js': "import 'assay/page';\n",
  });
  expect(report.files.map(({ target, verdict, failure }) => [target, verdict, failure?.code ?? null])).toEqual([
    ['test/idle.webgpu.test.js', 'inconclusive', 'HALLMARK_MISSING'],
    ['test/matrix.webgpu.test.ts', 'passed', null],
    ['test/none.webgpu.test.js', 'inconclusive', 'NO_TESTS_RAN'],
    ['test/page.browser.test.html', 'passed', null],
  ]);
  expect(report.exitCode).not.toBe(0);
  const hallmarks = new Map(report.files.map(({ target, hallmark }) => [target, hallmark]));
  expect(hallmarks.get('test/matrix.webgpu.test.ts')).toMatch(/^webgpu, (soft|hard)ware adapter \(.+\), chromium 1/);
  expect(hallmarks.get('test/page.browser.test.html')).toMatch(/^page, chromium 1/);
});

// Without Chromium nothing of it can run; the lines above say so, and fail under ASSAY_REQUIRE_ALL.
test.skipIf(isMissing)('assay browsers shows what pages get, and why others could not be asked', async () => {
  const { code, stdout } = await open({}).assay('browsers', '--json');
  const { browsers } = JSON.parse(stdout) as {
    browsers: { name: string; wasm?: object; page?: { isIsolated: boolean } }[];
  };
  expect(code).toBe(0);
  expect(browsers.find(({ name }) => name === 'chromium')).toMatchObject({ wasm: {}, page: { isIsolated: true } });
  const text = await project?.assay('browsers');
  expect(text?.stdout).toMatch(/chromium \d+[\s\S]*webgpu +(no adapter|(soft|hard)ware adapter \()/);
});

// Without Chromium nothing of it can run; the lines above say so, and fail under ASSAY_REQUIRE_ALL.
test.skipIf(isMissing)(
  'hardware that is required and not there is not placed, and the reason names the software one',
  async () => {
    const report = await run({
      ...suites('--hardware'),
      'a.webgpu.test.js': "import { test } from 'assay/page';\ntest('computes', () => {});\n",
    });
    expect(report.exitCode).toBe(3);
    expect(report.files).toMatchObject([{ verdict: 'inconclusive', failure: { code: 'UNPLACEABLE' } }]);
    expect(report.files[0]?.failure?.message).toContain('software');
  },
);

// Without Chromium nothing of it can run; the lines above say so, and fail under ASSAY_REQUIRE_ALL.
test.skipIf(isMissing)(
  'a browser that is killed in the middle costs a repetition, and each case is recorded once',
  async () => {
    const mark = `assay-test-${process.pid}-${Date.now()}`;
    const wait = 'await new Promise((resolve) => setTimeout(resolve, 4_000));';
    const { child, ended } = open({
      ...suites(),
      'a.browser.test.js': `import { test } from 'assay/page';\ntest('waits', async () => { ${wait} });\n`,
    }).start(['run', '--workers', '1', '--json'], { ASSAY_TEST_MARK: mark });
    let isKilled = false;
    const timer = setInterval(() => {
      // The measuring of browsers comes first, and ends; the one that is met is the one with a page of ours.
      const found = isKilled ? undefined : browserOf(mark);
      if (found === undefined) return;
      isKilled = true;
      process.kill(found, 'SIGKILL');
    }, 50);
    const { stdout } = await ended.finally(() => clearInterval(timer));
    expect(child.exitCode).toBe(0);
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({
      verdict: 'passed',
      cases: { passed: 1 },
      files: [{ verdict: 'passed', attempts: 2 }],
    });
  },
);

/** The browser process of a worker that was started with this mark, once it is in a worker's own scratch directory. */
function browserOf(mark: string): number | undefined {
  return readdirSync('/proc')
    .map(Number)
    .filter(Number.isInteger)
    .find((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        const isBrowser = command.includes('--user-data-dir=') && !command.includes('--type=');
        if (!isBrowser || !command.includes('/browsers/s-')) return false;
        return /^[^\0]*chromium/.test(command) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark);
      } catch {
        return false;
      }
    });
}
