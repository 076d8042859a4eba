// Commands through the real door: the exit code, and the JUnit report that must agree with it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { endOf, processesNamed, recordBatch, titlesOf } from './recorded-batch.ts';
import type { BatchOptions, Recorded } from './recorded-batch.ts';

const passing =
  '<testsuites><testsuite name="a"><testsuite name="b"><testcase name="t" time="0.5"/></testsuite></testsuite></testsuites>';
const failing =
  '<testsuite name="a"><testcase name="t" classname="c"><failure message="x &lt; y">at line 1</failure></testcase><testcase name="s"><skipped/></testcase></testsuite>';

async function command(
  script: string,
  options: BatchOptions = {},
  before?: (directory: string) => Promise<void>,
): Promise<Recorded> {
  const projectDir = await mkdtemp(path.join(tmpdir(), 'assay-c-'));
  try {
    await before?.(projectDir);
    const { byTarget } = await recordBatch('command', [''], {
      ...options,
      projectDir,
      suite: { arguments: ['sh', '-c', script], ...options.suite },
    });
    return byTarget[''] as Recorded;
  } finally {
    await rm(projectDir, { recursive: true, force: true });
  }
}

const write = (xml: string): string => `printf '%s' '${xml}' > report.xml`;
const junit = { suite: { junit: 'report.xml' } };

test('without a report the exit code is the one case, named by the command', async () => {
  const passed = await command('echo said');
  expect(titlesOf(passed)).toEqual(['passed sh -c echo said']);
  expect(passed.logs['stdout.log']).toBe('said\n');
  const failed = await command('echo why >&2; exit 3');
  expect(endOf(failed)).toBe('failed test TESTS_FAILED');
  expect(failed.cases[0]?.failure).toEqual({ message: 'exit code 3', stack: 'why' });
  expect(failed.outcome?.exit).toEqual({ code: 3, signal: null });
});

test.each([
  ['a passing report', write(passing), 'passed', ['passed a > b > t']],
  [
    'a failing report and exit code 1',
    `${write(failing)}; exit 1`,
    'failed test TESTS_FAILED',
    ['failed a > c > t', 'skipped a > s'],
  ],
  [
    'a failing report and exit code 0',
    write(failing),
    'failed test TESTS_FAILED',
    ['failed a > c > t', 'skipped a > s'],
  ],
  [
    'a passing report and exit code 1',
    `${write(passing)}; exit 1`,
    'errored test RUNNER_EXIT_MISMATCH',
    ['passed a > b > t'],
  ],
  ['no report', 'true', 'errored test REPORT_MISSING', []],
  ['half a report', write(passing.slice(0, -20)), 'errored test REPORT_CORRUPT', []],
  ['a report with a DOCTYPE', write(`<!DOCTYPE x [<!ENTITY a "b">]>${passing}`), 'errored test REPORT_CORRUPT', []],
  ['a report without cases', write('<testsuites/>'), 'inconclusive test NO_TESTS_RAN', []],
])('%s', async (_name, script, end, titles) => {
  const record = await command(script, junit);
  expect(endOf(record)).toBe(end);
  expect(titlesOf(record)).toEqual(titles);
});

test('a report of an earlier run does not count', async () => {
  const record = await command('true', junit, async (directory) =>
    writeFile(path.join(directory, 'report.xml'), passing),
  );
  expect(endOf(record)).toBe('errored test REPORT_MISSING');
  expect(record.outcome?.failure?.message).toContain('older than this run');
});

test('exit code 0 with a failing report is noted', async () => {
  const record = await command(write(failing), junit);
  expect(record.outcome?.failure?.evidence?.['exitCode']).toContain('exit code 0');
  expect(record.cases[0]?.failure).toEqual({ message: 'x < y', stack: 'at line 1' });
});

test('a command that is not there is a matter of configuration', async () => {
  const record = await command('', { suite: { arguments: ['assay-no-such-command'] } });
  expect(endOf(record)).toBe('errored configuration RUNNER_NOT_INSTALLED');
});

test('a command that ignores a polite end is forced, with what it started', async () => {
  const record = await command(
    "trap '' TERM; sh -c 'while :; do sleep 0.05; done' assay-left-by-command & while :; do sleep 0.05; done",
    { suite: { timeoutMs: 700 } },
  );
  expect(endOf(record)).toBe('timedOut timeout TIMED_OUT');
  expect(await processesNamed('assay-left-by-command')).toEqual([]);
});

test('what a command leaves in the background is killed when it ends', async () => {
  const record = await command(
    "setsid sh -c 'while :; do sleep 0.05; done' assay-left-by-command > /dev/null 2>&1 & exit 1",
  );
  expect(record.outcome?.failure?.evidence?.['leftoverProcesses']).toMatch(/^\d+$/);
  expect(await processesNamed('assay-left-by-command')).toEqual([]);
});

test('each target is put in the place of {target}', async () => {
  const { byTarget } = await recordBatch('command', ['a b', 'c'], {
    projectDir: tmpdir(),
    suite: { arguments: ['echo', 'x{target}'] },
  });
  expect(byTarget['a b']?.logs['stdout.log']).toBe('xa b\n');
  expect(titlesOf(byTarget['c'])).toEqual(['passed echo xc']);
});

test("a benchmark tool's output is read back as cases with measurements", async () => {
  const benchmark = { suite: { benchmark: { format: 'go-bench' as const, file: 'bench.txt' } } };
  const lines = 'pkg: a/b\\nBenchmarkX-8 10 5.5 ns/op 3 B/op\\nBenchmarkX-8 10 6.5 ns/op 3 B/op\\nPASS\\n';
  const record = await command(`printf '${lines}' > bench.txt`, benchmark);
  expect(endOf(record)).toBe('passed');
  expect(titlesOf(record)).toEqual(['passed BenchmarkX']);
  expect(record.cases[0]?.measurements?.map(({ metric, value }) => `${metric} ${value}`)).toEqual([
    'time 5.5',
    'memory 3',
    'time 6.5',
    'memory 3',
  ]);
  const none = await command('true', benchmark);
  expect(endOf(none)).toContain('REPORT_MISSING');
});
