// The WebGPU conformance runner on a small suite of our own that is built in the real suite's shape, in a real Chromium.
import path from 'node:path';
import { ConformanceResults } from '@assay/protocol';
import { beforeAll, expect, test } from 'vitest';
import { machineUnderTest } from '../../browsers/machine-under-test.ts';
import type { MachineUnderTest } from '../../browsers/machine-under-test.ts';
import { endOf, recordBatch, suiteOf, titlesOf } from '../../execute/recorded-batch.ts';
import { ctsRunner } from './cts.ts';

const projectDir = path.join(import.meta.dirname, '../../../fixtures/suites/cts');
// A checkout that the machine's owner named is another one than this.
const env = { ASSAY_CTS_DIR: projectDir };
const suite = (...args: string[]) => suiteOf('cts', { arguments: args, env });

let machine: MachineUnderTest | null = null;
beforeAll(async () => {
  machine = await machineUnderTest(['chromium/headless-shell']);
});

async function listed(...args: string[]): Promise<readonly string[]> {
  const listing = await ctsRunner.list(projectDir, suite(...args), [], env);
  if (listing.kind === 'refused') throw new Error(listing.reason);
  return listing.targets;
}

test('a query is listed as chunks by what its tests are known to take', async () => {
  expect(await listed('webgpu:*', '--chunk-ms', '5000')).toEqual([
    'webgpu:arithmetic:add:*#1/2',
    'webgpu:arithmetic:add:*#2/2',
    'webgpu:arithmetic:multiply:*',
    'webgpu:arithmetic:wrong:*',
    'webgpu:device:*',
  ]);
  expect(await listed('webgpu:device:*')).toEqual(['webgpu:device:*']);
  const lost = await ctsRunner.list(projectDir, suiteOf('cts', { env: { ASSAY_CTS_DIR: '/nowhere' } }), [], {
    ASSAY_CTS_DIR: '/nowhere',
  });
  expect(lost).toMatchObject({ kind: 'refused', code: 'RUNNER_NOT_INSTALLED' });
});

test('chunks run in pages of a real browser: cases, subcases, a device lost on purpose, and what was expected to fail', async (t) => {
  if (machine === null) return t.skip('no Chromium with its driver');
  const args = ['webgpu:*', '--chunk-ms', '5000', '--expectations', 'expectations.json'];
  const { byTarget } = await recordBatch('cts', await listed(...args), { suite: suite(...args), projectDir, machine });
  expect(Object.entries(byTarget).map(([target, record]) => [target, endOf(record), titlesOf(record)])).toEqual([
    ['webgpu:arithmetic:add:*#1/2', 'passed', ['passed webgpu:arithmetic > add > n=10']],
    ['webgpu:arithmetic:add:*#2/2', 'passed', ['passed webgpu:arithmetic > add > n=5']],
    ['webgpu:arithmetic:multiply:*', 'passed', ['passed webgpu:arithmetic > multiply > n=8']],
    ['webgpu:arithmetic:wrong:*', 'skipped', ['todo webgpu:arithmetic > wrong > (no parameters)']],
    [
      'webgpu:device:*',
      'passed',
      ['limits', 'destroyed', 'feature'].map((name) => `passed webgpu:device > ${name} > (no parameters)`),
    ],
  ]);
  const kept = (target: string): ConformanceResults =>
    ConformanceResults.parse(JSON.parse(byTarget[target]?.logs['conformance.json'] ?? ''));
  expect(kept('webgpu:arithmetic:wrong:*')).toMatchObject({
    suite: 'cts',
    revision: 'c0ffee0000000000000000000000000000000000',
    browser: expect.stringMatching(/^chromium\/headless-shell \d/) as string,
    adapter: expect.stringMatching(/swiftshader/) as string,
    isSoftware: true,
    results: [{ status: 'fail', subtests: [{ status: 'pass' }, { status: 'pass' }, { name: 'x=2', status: 'fail' }] }],
  });
  expect(kept('webgpu:device:*').results[2]?.subtests.map(({ status }) => status)).toEqual(['skip', 'pass']);
});

test('without the expectation the same failure is a failure, and an expectation that no longer holds is one too', async (t) => {
  if (machine === null) return t.skip('no Chromium with its driver');
  const wrong = 'webgpu:arithmetic:wrong:*';
  const plain = await recordBatch('cts', [wrong], { suite: suite(wrong), projectDir, machine });
  expect(endOf(plain.byTarget[wrong])).toBe('failed test TESTS_FAILED');
  expect(plain.byTarget[wrong]?.cases[0]?.failure?.message).toBe(
    '(in subcase: x=2) EXPECTATION FAILED: 2 + 3 gave 5 (1 of 3 subcases failed)',
  );
  const none = await recordBatch('cts', ['webgpu:nothing:*'], {
    suite: suite('webgpu:nothing:*'),
    projectDir,
    machine,
  });
  expect(endOf(none.byTarget['webgpu:nothing:*'])).toBe('inconclusive test NO_TESTS_RAN');
});
