// vitest through the real door, with the repository's own version, in a project of two vitest projects.
import { expect, test } from 'vitest';
import { endOf, processesNamed, recordBatch, titlesOf } from './recorded-batch.ts';

test('cases stream with their groups, parameters, retries and marks, and output belongs to its file', async () => {
  const { byTarget, leftInScratch } = await recordBatch('vitest', [
    'nested.test.js',
    'all-skipped.test.js',
    'empty.test.js',
  ]);
  const nested = byTarget['nested.test.js'];
  expect(titlesOf(nested).toSorted()).toEqual([
    'failed outer > inner > fails',
    'passed is flaky',
    'passed outer > inner > passes',
    'passed value a',
    'passed value b > c',
    'skipped outer > skipped',
    'todo outer > to do',
  ]);
  expect(nested?.cases.find(({ path }) => path[0] === 'is flaky')?.runnerRetries).toBe(2);
  expect(nested?.cases.find(({ status }) => status === 'failed')?.failure?.message).toContain('expected 1 to be 2');
  expect(endOf(nested)).toBe('failed test TESTS_FAILED');
  expect(nested?.logs['stdout.log']).toContain('said by nested');
  expect(endOf(byTarget['all-skipped.test.js'])).toBe('skipped');
  expect(endOf(byTarget['empty.test.js'])).toBe('inconclusive test NO_TESTS_RAN');
  expect(leftInScratch).toEqual([]);
});

test('what is wrong outside the cases fails the file: not loading, a broken hook, an unhandled rejection', async () => {
  const { byTarget } = await recordBatch('vitest', [
    'fails-to-load.test.js',
    'hook-fails.test.js',
    'unhandled.test.js',
  ]);
  expect(endOf(byTarget['fails-to-load.test.js'])).toBe('failed test FILE_FAILED_TO_LOAD');
  expect(byTarget['fails-to-load.test.js']?.outcome?.failure?.message).toContain('is-not-there');
  expect(endOf(byTarget['hook-fails.test.js'])).toBe('failed test ERRORS_OUTSIDE_TESTS');
  expect(byTarget['hook-fails.test.js']?.outcome?.failure?.message).toContain('the hook broke');
  expect(endOf(byTarget['unhandled.test.js'])).toBe('failed test ERRORS_OUTSIDE_TESTS');
  expect(byTarget['unhandled.test.js']?.outcome?.failure?.message).toContain('nobody caught this');
});

test('a worker that kills itself, one that hangs and one that exits are named, and the rest goes on', async () => {
  const targets = ['kills-itself.test.js', 'hangs.test.js', 'exits.test.js', 'all-skipped.test.js'];
  const { byTarget } = await recordBatch('vitest', targets, { suite: { timeoutMs: 5_000 } });
  expect(targets.map((target) => endOf(byTarget[target]))).toEqual([
    'errored unknown RUNNER_DIED',
    'timedOut timeout TIMED_OUT',
    'failed test TESTS_FAILED',
    'skipped',
  ]);
  expect(titlesOf(byTarget['kills-itself.test.js'])).toContain('passed before');
});

test('files without isolation share a worker in small groups and are still settled one by one', async () => {
  const targets = [1, 2, 3, 4].map((part) => `shared/part-${part}.test.js`);
  const { byTarget } = await recordBatch('vitest', targets);
  expect(targets.map((target) => endOf(byTarget[target]))).toEqual([
    'passed',
    'passed',
    'passed',
    'failed test TESTS_FAILED',
  ]);
  for (const [index, target] of targets.entries()) {
    expect(titlesOf(byTarget[target])).toHaveLength(1);
    expect(byTarget[target]?.logs['stdout.log']).toContain(`output of part ${index + 1}`);
  }
});

test('a shared worker that dies is blamed on its file; the files after it get a fresh one', async () => {
  const targets = [
    'shared/part-1.test.js',
    'shared/part-2.test.js',
    'shared/part-dies.test.js',
    'shared/part-3.test.js',
  ];
  const { byTarget } = await recordBatch('vitest', targets);
  expect(targets.map((target) => endOf(byTarget[target]))).toEqual([
    'passed',
    'passed',
    'errored unknown RUNNER_DIED',
    'passed',
  ]);
});

test('isolated files have a scratch directory each, files that share a worker have one together', async () => {
  const own = await recordBatch('vitest', ['scratch.test.js', 'scratch-too.test.js']);
  const shared = await recordBatch('vitest', [
    'shared/part-1.test.js',
    'shared/part-2.test.js',
    'shared/part-scratch.test.js',
  ]);
  for (const record of [...Object.values(own.byTarget), ...Object.values(shared.byTarget)])
    expect(endOf(record)).toBe('passed');
  expect([...own.leftInScratch, ...shared.leftInScratch]).toEqual([]);
});

test('a process that a file left behind is killed when the file ends', async () => {
  const { byTarget } = await recordBatch('vitest', ['leaves-children.test.js', 'all-skipped.test.js']);
  expect(byTarget['leaves-children.test.js']?.logs['stderr.log']).toContain('killed 1 process(es)');
  expect(await processesNamed('assay-left-by-vitest')).toEqual([]);
});

test('arguments of the suite are honoured: a name pattern skips the other cases', async () => {
  const { byTarget } = await recordBatch('vitest', ['nested.test.js'], {
    suite: { arguments: ['-t', 'value', '--reporter=verbose'] },
  });
  expect(byTarget['nested.test.js']?.outcome?.counts).toEqual({ passed: 2, failed: 0, skipped: 5, todo: 0 });
});

test('a configuration that cannot be loaded is an error of the configuration, for every file of the batch', async () => {
  const { byTarget } = await recordBatch('vitest', ['nested.test.js', 'empty.test.js'], {
    suite: { arguments: ['--config', 'not-there.config.js'] },
  });
  for (const record of Object.values(byTarget)) {
    expect(endOf(record)).toBe('errored configuration RUNNER_FAILED_TO_START');
    expect(record.outcome?.failure?.message).toContain('not-there.config.js');
  }
});

test('a project without vitest is told how to get it', async () => {
  const { byTarget } = await recordBatch('vitest', ['a.test.js'], { projectDir: '/' });
  expect(endOf(byTarget['a.test.js'])).toBe('errored configuration RUNNER_NOT_INSTALLED');
  expect(byTarget['a.test.js']?.outcome?.failure?.message).toContain('npm ci');
});

test('what bench() measures in a test is in its case', async () => {
  const { byTarget } = await recordBatch('vitest', ['measures.bench.js'], {
    suite: { arguments: ['--config=vitest.bench.config.js'] },
  });
  const [sorts, other] = byTarget['measures.bench.js']?.cases ?? [];
  expect(titlesOf(byTarget['measures.bench.js'])).toEqual(['passed sorts', 'passed is no benchmark']);
  expect(sorts?.measurements?.map(({ metric, unit }) => `${metric} ${unit}`)).toEqual([
    'latency mean ms',
    'latency p50 ms',
    'latency p75 ms',
    'latency p99 ms',
    'throughput mean ops/s',
  ]);
  expect(sorts?.measurements?.every(({ value }) => value > 0)).toBe(true);
  expect(other?.measurements).toBeUndefined();
});
