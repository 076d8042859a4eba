// `assay run` as a user calls it: every option has an effect, every ending its exit code.
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { afterEach, expect, test } from 'vitest';
import { ProjectUnderTest, testFile } from './assay-process.ts';
import { until } from './fleet-under-test.ts';

let project: ProjectUnderTest | undefined;
afterEach(() => {
  project?.close();
  project = undefined;
});
const open = (files: Record<string, string>): ProjectUnderTest => (project = new ProjectUnderTest(files));

type Report = {
  verdict: string;
  exitCode: number;
  cases: Record<string, number>;
  files: {
    target: string;
    verdict: string;
    attempts: number;
    startedAtMs: number;
    worker: string | null;
    failure: { code: string; message: string } | null;
  }[];
};
const reportOf = (stdout: string): Report => JSON.parse(stdout) as Report;
const passing = testFile({ one: '', two: '' });

test('all passed is 0, and the second run starts with what took longest in the first', async () => {
  const slots = availableParallelism();
  const quick = Array.from({ length: slots * 3 }, (_, index) => [`test/a${index}.test.mjs`, testFile({ quick: '' })]);
  const { assay, path } = bound(
    open({ ...Object.fromEntries(quick), 'test/z.test.mjs': testFile({ slow: 'await wait(3_000);' }) }),
  );
  // A worker for each processor, with one slot each: how soon one's runner is there is chance, what it starts with is not.
  const workers = ['--workers', String(slots)];
  const first = await assay('run', ...workers);
  expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('PASSED') as string });
  const { files } = reportOf((await assay('run', ...workers, '--json')).stdout);
  const slow = files.find(({ target }) => target === 'test/z.test.mjs');
  const besideIt = files.filter(({ worker }) => worker === slow?.worker);
  expect(Math.min(...besideIt.map(({ startedAtMs }) => startedAtMs))).toBe(slow?.startedAtMs);
  expect(existsSync(join(path, '.assay'))).toBe(false);
});

test('a failure is 1, said where it happened, in every report', async () => {
  const { assay, path } = bound(
    open({
      'test/a.test.mjs': passing,
      'test/b.test.mjs': testFile({ good: '', bad: "assert.equal(1, 2, 'one is not two');" }),
    }),
  );
  const { code, stdout } = await assay(
    'run',
    '--workers',
    '2',
    '--junit',
    'out/junit.xml',
    '--ctrf',
    'out/ctrf.json',
    '--markdown',
    'out/report.md',
  );
  expect(code).toBe(1);
  expect(stdout).toMatch(/b\.test\.mjs › bad[\s\S]*one is not two[\s\S]*FAILED[\s\S]*3 passed, 1 failed/);
  const junit = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' }).parse(
    readFileSync(join(path, 'out/junit.xml'), 'utf8'),
  ) as { testsuites: { testsuite: { failures: string }[] } };
  expect(junit.testsuites.testsuite.map(({ failures }) => failures).toSorted()).toEqual(['0', '1']);
  expect(JSON.parse(readFileSync(join(path, 'out/ctrf.json'), 'utf8'))).toMatchObject({
    results: { summary: { tests: 4, passed: 3, failed: 1 } },
  });
  expect(readFileSync(join(path, 'out/report.md'), 'utf8')).toContain('one is not two');
});

test('the history of local runs answers when no coordinator runs', async () => {
  const { assay } = bound(open({ 'test/a.test.mjs': testFile({ bad: 'assert.fail("once");' }) }));
  const { run } = JSON.parse((await assay('run', '--workers', '1', '--json')).stdout) as { run: string };
  expect((await assay('runs')).stdout).toContain(run);
  expect(await assay('report', run)).toMatchObject({ code: 1, stdout: expect.stringContaining('once') as string });
});

test('filters choose files; one that means nothing is 3 and says so', async () => {
  const { assay } = bound(open({ 'test/a.test.mjs': passing, 'test/b.test.mjs': testFile({ bad: 'assert.fail();' }) }));
  expect(
    reportOf((await assay('run', '--workers', '1', '--json', 'a.test')).stdout).files.map(({ target }) => target),
  ).toEqual(['test/a.test.mjs']);
  expect(await assay('run', 'c.test')).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('NO_TESTS_FOUND') as string,
  });
});

test('--dry-run lists and runs nothing', async () => {
  const { assay, path } = bound(open({ 'test/a.test.mjs': testFile({ marks: `writeFileSync('ran', '');` }) }));
  expect(await assay('run', '--dry-run')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/a\.test\.mjs[\s\S]*nothing was run/) as string,
  });
  expect(existsSync(join(path, 'ran'))).toBe(false);
});

test('--retries repeats what failed; a pass after a repetition is a pass, and both attempts are told', async () => {
  const flaky = testFile({
    flaky: `if (!existsSync('seen')) { writeFileSync('seen', ''); assert.fail('first time'); }`,
  });
  const { assay } = bound(open({ 'test/a.test.mjs': flaky }));
  const report = reportOf((await assay('run', '--workers', '1', '--retries', '2', '--json')).stdout);
  expect(report).toMatchObject({ exitCode: 0, verdict: 'passed', files: [{ verdict: 'passed', attempts: 2 }] });
});

test('--timeout counts execution and names the file; the rest goes on', async () => {
  const { assay } = bound(
    open({ 'test/a.test.mjs': testFile({ hangs: 'await wait(600_000);' }), 'test/b.test.mjs': passing }),
  );
  const report = reportOf((await assay('run', '--workers', '1', '--timeout', '2s', '--json')).stdout);
  expect(report.exitCode).toBe(1);
  expect(report.files).toMatchObject([
    { target: 'test/a.test.mjs', verdict: 'timedOut', failure: { code: 'TIMED_OUT' } },
    { target: 'test/b.test.mjs', verdict: 'passed' },
  ]);
});

test('--fail-fast cancels what is left', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 8 }, (_, index) => [`test/f${index}.test.mjs`, testFile({ waits: 'await wait(300);' })]),
  );
  const { assay } = bound(
    open({
      ...files,
      'assay.config.json': JSON.stringify({ suites: [{ runner: 'node:test', batching: 'single' }] }),
      'test/f0.test.mjs': testFile({ bad: 'assert.fail();' }),
    }),
  );
  const report = reportOf((await assay('run', '--workers', '1', '--fail-fast', '--json')).stdout);
  expect(report.files.filter(({ verdict }) => verdict === 'canceled').length).toBeGreaterThan(4);
  expect(report.exitCode).not.toBe(0);
});

test('--requires that nobody meets is 3 at once, with each reason', async () => {
  const { assay } = bound(open({ 'test/a.test.mjs': passing }));
  const report = reportOf(
    (await assay('run', '--workers', '1', '--requires', 'memory.totalMiB > 999999999', '--json')).stdout,
  );
  expect(report.exitCode).toBe(3);
  expect(report.files).toMatchObject([
    {
      verdict: 'inconclusive',
      failure: { code: 'UNPLACEABLE', message: expect.stringContaining('memory.totalMiB') as string },
    },
  ]);
});

test.each([
  [['run', '--bogus'], 2, /bogus/],
  [['run', '--workers', 'many'], 2, /whole number/],
  [['run', '--requires', 'cpu.count >='], 2, /BAD_REQUIREMENT/],
  [['run', '--project', 'absent'], 2, /PROJECT_UNREADABLE/],
  [['run', '--coordinator', 'http://127.0.0.1:9', '--token', 't'], 4, /COORDINATOR_UNREACHABLE/],
  [['runs'], 4, /no local runs/],
])('%j is %i', async (args, code, said) => {
  const { assay } = bound(open({ 'test/a.test.mjs': passing }));
  expect(await assay(...args)).toMatchObject({ code, stderr: expect.stringMatching(said) as string });
});

test('a project without tests, without a runner, and a file without tests are never green', async () => {
  expect(await bound(open({ 'package.json': '{}' })).assay('run')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('NO_RUNNER_DETECTED') as string,
  });
  project?.close();
  const report = reportOf(
    (
      await bound(open({ 'package.json': '{}', 'test_a.py': '', 'pytest.ini': '[pytest]\n' })).assay(
        'run',
        '--workers',
        '1',
        '--json',
      )
    ).stdout,
  );
  expect(report).toMatchObject({
    exitCode: 3,
    verdict: 'inconclusive',
    files: [{ failure: { code: 'NO_TESTS_RAN' } }],
  });
});

test('`-- command`: a runner is split, anything else is one task, and its exit code counts', async () => {
  const { assay } = bound(open({ 'test/a.test.mjs': passing, 'test/b.test.mjs': passing }));
  expect(
    reportOf((await assay('run', '--workers', '1', '--json', '--', 'node', '--test', 'test/a.test.mjs')).stdout).files,
  ).toHaveLength(1);
  expect((await assay('run', '--workers', '1', '--', 'sh', '-c', 'exit 3')).code).toBe(1);
  expect((await assay('run', '--workers', '1', '--', 'true')).code).toBe(0);
});

test('Ctrl-C cancels, reports what there is, exits 5, and leaves no process behind', async () => {
  const { start } = bound(
    open({ 'test/a.test.mjs': testFile({ long: "writeFileSync('pid', String(process.pid)); await wait(600_000);" }) }),
  );
  const running = start(['run', '--workers', '1']);
  const pidFile = join(project?.path ?? '', 'pid');
  await until('the test runs', () => (existsSync(pidFile) ? true : null));
  running.child.kill('SIGINT');
  const { code, stdout } = await running.ended;
  expect(code).toBe(5);
  expect(stdout).toContain('CANCELED');
  const pid = Number(readFileSync(pidFile, 'utf8'));
  await until('the test process is gone', () => (isAlive(pid) ? null : true), 10_000);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function bound(under: ProjectUnderTest): {
  assay: ProjectUnderTest['assay'];
  start: ProjectUnderTest['start'];
  path: string;
} {
  return { assay: (...args) => under.assay(...args), start: (args, env) => under.start(args, env), path: under.path };
}
