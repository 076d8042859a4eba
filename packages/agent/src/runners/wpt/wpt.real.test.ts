// The runner of web-platform-tests on a small set of pages of our own in the real suite's shape, in a real Chromium.
import path from 'node:path';
import { ConformanceResults } from '@assay/protocol';
import { beforeAll, expect, test } from 'vitest';
import { machineUnderTest } from '../../browsers/machine-under-test.ts';
import type { MachineUnderTest } from '../../browsers/machine-under-test.ts';
import { endOf, recordBatch, suiteOf, titlesOf } from '../../execute/recorded-batch.ts';
import { wptRunner } from './wpt.ts';

const projectDir = path.join(import.meta.dirname, '../../../fixtures/suites/wpt');
// A checkout that the machine's owner named is another one than this.
const env = { ASSAY_WPT_DIR: projectDir };
const suite = (...args: string[]) => suiteOf('wpt', { arguments: args, env });

let machine: MachineUnderTest | null = null;
beforeAll(async () => {
  machine = await machineUnderTest(['chromium/headless-shell']);
});

async function listed(...args: string[]): Promise<readonly string[]> {
  const listing = await wptRunner.list(projectDir, suite(...args), [], env);
  if (listing.kind === 'refused') throw new Error(listing.reason);
  return listing.targets;
}

test('scripts and pages are listed with their globals and variants; what is to skip and what is no test is not', async () => {
  expect(await listed('--expectations', 'expectations.json')).toEqual([
    'arithmetic/isolated.window.html',
    'arithmetic/page.html?a',
    'arithmetic/page.html?b',
    'arithmetic/substituted.sub.html',
    'arithmetic/sums.any.html?large',
    'arithmetic/sums.any.html?small',
    'arithmetic/sums.any.worker.html?large',
    'arithmetic/sums.any.worker.html?small',
  ]);
  expect(await listed('arithmetic/throws.html')).toEqual(['arithmetic/throws.html']);
  expect(await wptRunner.list(projectDir, suite('../elsewhere'), [], env)).toMatchObject({ code: 'CONFIG_INVALID' });
});

test('pages run as the suite serves them: subtests, workers, headers, substitutions, optional features, expectations', async (t) => {
  if (machine === null) return t.skip('no Chromium with its driver');
  const args = ['--expectations', 'expectations.json'];
  const targets = [...(await listed(...args)), 'arithmetic/throws.html'];
  const { byTarget } = await recordBatch('wpt', targets, { suite: suite(...args), projectDir, machine });
  const sums = (page: string) =>
    ['two numbers', 'the global is what it says'].map((name) => `passed /${page} > ${name}`);
  const page = (variant: string, second: string) => [
    `passed /arithmetic/page.html?${variant} > not isolated without headers`,
    `${second} /arithmetic/page.html?${variant} > only the first variant`,
    `skipped /arithmetic/page.html?${variant} > an optional feature`,
  ];
  expect(
    Object.fromEntries(targets.map((name) => [name, [endOf(byTarget[name]), ...titlesOf(byTarget[name])]])),
  ).toEqual({
    'arithmetic/isolated.window.html': ['passed', 'passed /arithmetic/isolated.window.html > isolated by its headers'],
    'arithmetic/page.html?a': ['passed', ...page('a', 'passed')],
    'arithmetic/page.html?b': ['passed', ...page('b', 'todo')],
    'arithmetic/substituted.sub.html': ['passed', 'passed /arithmetic/substituted.sub.html > host and port are put in'],
    ...Object.fromEntries(
      targets.filter((name) => name.includes('sums')).map((name) => [name, ['passed', ...sums(name)]]),
    ),
    'arithmetic/throws.html': ['failed test ERRORS_OUTSIDE_TESTS', 'passed /arithmetic/throws.html > it runs'],
  });
  const kept = ConformanceResults.parse(JSON.parse(byTarget['arithmetic/page.html?b']?.logs['conformance.json'] ?? ''));
  expect(kept).toMatchObject({
    suite: 'wpt',
    adapter: null,
    results: [
      {
        name: '/arithmetic/page.html?b',
        status: 'OK',
        subtests: [
          { status: 'PASS' },
          { name: 'only the first variant', status: 'FAIL' },
          { status: 'PRECONDITION_FAILED' },
        ],
      },
    ],
  });
});
