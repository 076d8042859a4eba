// pytest through the real door, with whatever pytest this machine has. Without one the tests are skipped, and under
// ASSAY_REQUIRE_ALL=1 they fail.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { endOf, fixturesDir, processesNamed, recordBatch, suiteOf, titlesOf } from './recorded-batch.ts';
import { pytestRunner } from '../runners/pytest/pytest.ts';
import { testEnvironment } from './test-environment.ts';

const python = ['python3', '/usr/bin/python3'].find(
  (file) => spawnSync(file, ['-m', 'pytest', '--version']).status === 0,
);
const canRun = python !== undefined || process.env['ASSAY_REQUIRE_ALL'] === '1';
if (!canRun) console.warn('SKIPPED: no Python here has pytest');
// Without pytest on the machine there is nothing to run; ASSAY_REQUIRE_ALL=1 makes that a failure.
const pytestTest = test.skipIf(!canRun);

pytestTest('the counts are those of pytest own summary, phase errors and expected failures included', async () => {
  const { byTarget } = await recordBatch('pytest', [
    'test_outcomes.py',
    'test_module_skipped.py',
    'test_fails_to_load.py',
    'test_empty.py',
  ]);
  const record = byTarget['test_outcomes.py'];
  expect(titlesOf(record)).toEqual([
    'passed test_passes',
    'failed test_fails',
    'passed TestGroup > test_value[a]',
    'passed TestGroup > test_value[b::c]',
    'passed test_teardown_breaks',
    'failed test_teardown_breaks > teardown',
    'failed test_setup_breaks',
    'skipped test_skipped',
    'skipped test_xfail',
    'passed test_xpass',
    'failed test_strict_xpass',
  ]);
  // `python -m pytest test_outcomes.py` says: 2 failed, 4 passed, 1 skipped, 1 xfailed, 1 xpassed, 2 errors.
  const alone = spawnSync(python ?? 'python3', ['-m', 'pytest', '-p', 'no:cacheprovider', 'test_outcomes.py'], {
    cwd: `${fixturesDir}/pytest`,
    encoding: 'utf8',
  });
  const said = (word: string): number =>
    Number(new RegExp(`(\\d+) ${word}`).exec(alone.stdout.trimEnd().split('\n').at(-1) ?? '')?.[1] ?? 0);
  expect(record?.outcome?.counts).toEqual({
    passed: said('passed') + said('xpassed'),
    failed: said('failed') + said('errors'),
    skipped: said('skipped') + said('xfailed'),
    todo: 0,
  });
  expect(record?.cases[1]?.failure?.message).toContain('assert 1 == 2');
  expect(record?.cases[1]?.line).toBe(8);
  expect(record?.logs['stdout.log']).toBe('said by outcomes\n');
  // Which Python was taken, and why: said once a host, and with everything that fails.
  expect(record?.logs['stderr.log']).toMatch(/^\[assay: runs with \S*python3?: .+\]$/m);
  expect(record?.outcome?.failure?.evidence?.['runsWith']).toMatch(/python3?: /);
  expect(endOf(byTarget['test_module_skipped.py'])).toBe('skipped');
  expect(endOf(byTarget['test_fails_to_load.py'])).toBe('failed configuration MODULE_MISSING');
  expect(byTarget['test_fails_to_load.py']?.outcome?.failure?.message).toContain('is_not_there');
  expect(endOf(byTarget['test_empty.py'])).toBe('inconclusive test NO_TESTS_RAN');
});

pytestTest('a test that ends the process, kills it or hangs is named, and the rest goes on', async () => {
  const targets = ['test_exits.py', 'test_kills_itself.py', 'test_hangs.py', 'check_other.py'];
  const { byTarget } = await recordBatch('pytest', targets, { suite: { timeoutMs: 8_000 } });
  expect(targets.map((target) => endOf(byTarget[target]))).toEqual([
    'errored test RUNNER_DIED',
    'errored unknown RUNNER_DIED',
    'timedOut timeout TIMED_OUT',
    'passed',
  ]);
  expect(byTarget['test_exits.py']?.outcome?.exit).toEqual({ code: 0, signal: null });
  expect(titlesOf(byTarget['test_exits.py'])).toEqual(['passed test_before']);
});

pytestTest('the scratch directory outlives a file, as session fixtures do, and not the batch', async () => {
  const { byTarget, leftInScratch } = await recordBatch('pytest', ['test_scratch_one.py', 'test_scratch_two.py']);
  expect(Object.values(byTarget).map(endOf)).toEqual(['passed', 'passed']);
  expect(leftInScratch).toEqual([]);
});

pytestTest('a process that a test left behind is gone when the batch is', async () => {
  const { byTarget } = await recordBatch('pytest', ['test_leaves_children.py']);
  expect(endOf(byTarget['test_leaves_children.py'])).toBe('passed');
  expect(await processesNamed('assay-left-by-pytest')).toEqual([]);
});

pytestTest('files are listed by the rules of the project, and none is imported', async () => {
  const suite = suiteOf('pytest');
  const listing = await pytestRunner.list(`${fixturesDir}/pytest`, suite, [], testEnvironment(suite, process.env));
  expect(listing).toMatchObject({ kind: 'listed' });
  const targets = listing.kind === 'listed' ? listing.targets : [];
  expect(targets).toContain('check_other.py');
  expect(targets).toContain('test_fails_to_load.py');
  expect(targets).not.toContain('test_ignored.py');
  expect(targets).not.toContain('conftest.py');
});

pytestTest('files that are named are listed, and not imported either', async () => {
  const suite = suiteOf('pytest');
  const named = ['test_fails_to_load.py', 'test_outcomes.py'];
  const listing = await pytestRunner.list(`${fixturesDir}/pytest`, suite, named, testEnvironment(suite, process.env));
  expect(listing).toEqual({ kind: 'listed', targets: named });
});

const hasBenchmark = canRun && spawnSync(python ?? 'python3', ['-c', 'import pytest_benchmark']).status === 0;
const canMeasure = hasBenchmark || process.env['ASSAY_REQUIRE_ALL'] === '1';
if (!canMeasure) console.warn('SKIPPED: no Python here has pytest-benchmark');
// Without the plugin there is nothing to measure with; ASSAY_REQUIRE_ALL=1 makes that a failure.
test.skipIf(!canMeasure)('the rounds that pytest-benchmark measured are in the case', async () => {
  const { byTarget } = await recordBatch('pytest', ['test_measures.py']);
  const [sum, plain] = byTarget['test_measures.py']?.cases ?? [];
  expect(titlesOf(byTarget['test_measures.py'])).toEqual(['passed test_sum', 'passed test_plain']);
  expect(sum?.measurements).toHaveLength(7);
  expect(sum?.measurements?.[0]).toMatchObject({ metric: 'time', unit: 's', direction: 'lower' });
  expect(sum?.measurements?.every(({ value }) => value > 0)).toBe(true);
  expect(plain?.measurements).toBeUndefined();
});
