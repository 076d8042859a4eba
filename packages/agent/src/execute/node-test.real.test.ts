// node:test through the real door: real hosts, real children, real kills.
import { expect, test } from 'vitest';
import { endOf, processesNamed, recordBatch, titlesOf } from './recorded-batch.ts';

test('cases come with their groups, and groups, skips and to-dos are counted as node --test counts them', async () => {
  const { byTarget, leftInScratch } = await recordBatch('node:test', [
    'nested.test.mjs',
    'all-skipped.test.mjs',
    'empty.test.mjs',
  ]);
  expect(titlesOf(byTarget['nested.test.mjs'])).toEqual([
    'passed outer > inner > passes',
    'failed outer > inner > fails',
    'passed parent > child',
    'passed parent',
    'passed value a',
    'passed value b::c',
    'skipped skipped',
    'todo to do',
  ]);
  expect(endOf(byTarget['nested.test.mjs'])).toBe('failed test TESTS_FAILED');
  expect(byTarget['nested.test.mjs']?.cases[1]?.failure?.message).toMatch(/Expected values to be strictly equal/);
  expect(byTarget['nested.test.mjs']?.logs['stdout.log']).toBe('said by nested\n');
  expect(byTarget['nested.test.mjs']?.outcome?.startupMs).toBeGreaterThan(0);
  expect(byTarget['all-skipped.test.mjs']?.outcome?.startupMs).toBeUndefined();
  expect(endOf(byTarget['all-skipped.test.mjs'])).toBe('skipped');
  // node:test itself counts a file without tests that ends well as one passed test, named by the file.
  expect(titlesOf(byTarget['empty.test.mjs'])).toEqual(['passed empty.test.mjs']);
  expect(leftInScratch).toEqual([]);
});

test('a file that fails to load fails by its name, with what it wrote', async () => {
  const { byTarget } = await recordBatch('node:test', ['fails-to-load.test.mjs']);
  const record = byTarget['fails-to-load.test.mjs'];
  expect(endOf(record)).toBe('failed test FILE_FAILED_TO_LOAD');
  expect(record?.outcome?.failure?.message).toMatch(
    /^fails-to-load\.test\.mjs could not be loaded: Error.*Cannot find module/,
  );
});

test('a hanging file is timed out, killed with its process, and the files around it are settled on their own', async () => {
  const targets = ['all-skipped.test.mjs', 'hangs.test.mjs', 'empty.test.mjs'];
  const { byTarget } = await recordBatch('node:test', targets, { suite: { timeoutMs: 1_500 } });
  expect(targets.map((target) => endOf(byTarget[target]))).toEqual(['skipped', 'timedOut timeout TIMED_OUT', 'passed']);
  expect(byTarget['hangs.test.mjs']?.outcome?.costMs).toBeGreaterThanOrEqual(1_500);
});

test('silence is a time-out of its own', async () => {
  const { byTarget } = await recordBatch('node:test', ['hangs.test.mjs'], { suite: { noOutputTimeoutMs: 1_000 } });
  expect(endOf(byTarget['hangs.test.mjs'])).toBe('timedOut timeout NO_OUTPUT');
});

test('a file that prints 100 MB keeps its head and its tail, and says how much is left out', async () => {
  const before = process.memoryUsage().rss;
  const { byTarget, peakOutputChars } = await recordBatch('node:test', ['prints-much.test.mjs']);
  const record = byTarget['prints-much.test.mjs'];
  expect(endOf(record)).toBe('passed');
  const log = record?.logs['stdout.log'] ?? '';
  expect(log.startsWith('the head\n')).toBe(true);
  expect(log.trimEnd().endsWith('the tail')).toBe(true);
  expect(log.length).toBeLessThan(1_100_000);
  const leftOut = Number(/\[assay: (\d+) bytes left out\]/.exec(log)?.[1]);
  expect(leftOut).toBe(record?.truncatedBytes['stdout.log']);
  const marker = `\n[assay: ${leftOut} bytes left out]\n`;
  expect(log.length - marker.length + leftOut).toBe(100 * 1024 * 1024 + 'the head\nthe tail\n'.length);
  expect(record?.output.length).toBeLessThan(1_200_000);
  expect(peakOutputChars).toBeLessThanOrEqual(65_536);
  expect((process.memoryUsage().rss - before) / 1024 / 1024).toBeLessThan(90);
});

test('processes that a file leaves behind are killed, also when they left its group', async () => {
  const { byTarget } = await recordBatch('node:test', ['leaves-children.test.mjs', 'empty.test.mjs']);
  expect(endOf(byTarget['leaves-children.test.mjs'])).toBe('passed');
  expect(byTarget['leaves-children.test.mjs']?.logs['stderr.log']).toContain(
    'killed 2 process(es) that this file left running',
  );
  expect(await processesNamed('assay-left-by-node')).toEqual([]);
});

test('process.exit in the middle of a file is never a pass, although node:test itself counts the file as passed', async () => {
  const { byTarget } = await recordBatch('node:test', ['exits-0.test.mjs', 'exits-1.test.mjs']);
  expect(titlesOf(byTarget['exits-0.test.mjs'])).toEqual(['passed exits-0.test.mjs']);
  expect(endOf(byTarget['exits-0.test.mjs'])).toBe('inconclusive test NO_TESTS_RAN');
  expect(endOf(byTarget['exits-1.test.mjs'])).toBe('failed test TESTS_FAILED');
  expect(titlesOf(byTarget['exits-1.test.mjs'])).toEqual(['failed exits-1.test.mjs']);
  expect(byTarget['exits-1.test.mjs']?.cases[0]?.failure?.message).toBe('The file ended with exit code 1.');
});

test('a file that kills itself, and one that kills its host, are named; the rest goes on', async () => {
  const targets = ['kills-itself.test.mjs', 'kills-host.test.mjs', 'empty.test.mjs'];
  const { byTarget } = await recordBatch('node:test', targets);
  expect(targets.map((target) => endOf(byTarget[target]))).toEqual([
    'errored unknown RUNNER_DIED',
    'errored unknown RUNNER_DIED',
    'passed',
  ]);
  expect(byTarget['kills-host.test.mjs']?.outcome?.exit).toEqual({ code: null, signal: 'SIGKILL' });
  expect(byTarget['kills-host.test.mjs']?.outcome?.failure?.message).toContain('kills-host.test.mjs');
  // What was written before the host was killed counts.
  expect(titlesOf(byTarget['kills-host.test.mjs'])).toEqual(['passed before']);
});

test('a report that test code writes into is named corrupt and nothing of it counts', async () => {
  const { byTarget } = await recordBatch('node:test', ['corrupts-report.test.mjs', 'empty.test.mjs']);
  const record = byTarget['corrupts-report.test.mjs'];
  expect(endOf(record)).toBe('errored test REPORT_CORRUPT');
  expect(record?.outcome?.failure?.message).toContain('corrupts-report.test.mjs');
  expect(titlesOf(record).join()).not.toContain('forged');
  expect(endOf(byTarget['empty.test.mjs'])).toBe('passed');
});

test('forged report lines on stdout are output and nothing else', async () => {
  const { byTarget } = await recordBatch('node:test', ['forges-output.test.mjs']);
  const record = byTarget['forges-output.test.mjs'];
  expect(titlesOf(record)).toEqual(['passed prints what a report line looks like', 'failed really fails']);
  expect(record?.logs['stdout.log']).toContain('"forged"');
});

test('secrets are masked in output, messages and stacks', async () => {
  const { byTarget } = await recordBatch('node:test', ['secret.test.mjs'], {
    suite: { env: { PASSWORD: 'hunter2-and-more' }, secrets: ['PASSWORD'] },
  });
  const record = byTarget['secret.test.mjs'];
  expect(record?.logs['stdout.log']).toBe('the password is ***\n');
  expect(record?.cases[0]?.failure?.message).toContain('wrong password ***');
  expect(JSON.stringify(record)).not.toContain('hunter2');
});

test('tests see the environment of the user and the suite, a scratch directory of their own, and no token', async () => {
  const env = {
    ...process.env,
    ASSAY_TOKEN: 'secret-token',
    ASSAY_TOKEN_FILE: '/secret',
    NODE_OPTIONS: '--bad-option',
    ASSAY_USER_NODE_OPTIONS: '',
    ASSAY_USER_PATH: process.env['PATH'],
  };
  const { byTarget, leftInScratch } = await recordBatch('node:test', ['environment.test.mjs', 'empty.test.mjs'], {
    env,
    suite: { env: { GIVEN: 'by the suite' } },
  });
  expect(titlesOf(byTarget['environment.test.mjs']).join()).not.toContain('failed');
  expect(endOf(byTarget['environment.test.mjs'])).toBe('passed');
  expect(leftInScratch).toEqual([]);
});

test('files that have not started are taken back while one runs, and that one is settled', async () => {
  const targets = ['hangs.test.mjs', 'empty.test.mjs', 'nested.test.mjs', 'all-skipped.test.mjs'];
  const { byTarget } = await recordBatch('node:test', targets, {
    suite: { timeoutMs: 2_000 },
    steer: (batch, started) => {
      if (started?.target === 'hangs.test.mjs')
        batch.withdraw(['r-test.0', 'r-test.1', 'r-test.2'].map((task) => ({ task, attempt: 1 }) as never));
    },
  });
  expect(targets.map((target) => endOf(byTarget[target]))).toEqual([
    'timedOut timeout TIMED_OUT',
    'returned takenBack',
    'returned takenBack',
    'skipped',
  ]);
});

test('cancel ends the running file and those that wait', async () => {
  const targets = ['hangs.test.mjs', 'empty.test.mjs'];
  const { byTarget } = await recordBatch('node:test', targets, {
    steer: (batch, started) => started && batch.cancel('all', 'fail fast'),
  });
  expect(targets.map((target) => endOf(byTarget[target]))).toEqual([
    'canceled unknown CANCELED',
    'canceled unknown CANCELED',
  ]);
});

test('a batch of single files starts a host for each', async () => {
  const { byTarget } = await recordBatch('node:test', ['all-skipped.test.mjs', 'empty.test.mjs'], {
    suite: { batching: 'single' },
  });
  expect(byTarget['all-skipped.test.mjs']?.outcome?.startupMs).toBeGreaterThan(0);
  expect(byTarget['empty.test.mjs']?.outcome?.startupMs).toBeGreaterThan(0);
});
