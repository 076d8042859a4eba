import type { ConformanceResults } from '@assay/protocol';
import { expect, test } from 'vitest';
import { countsOf, differences, durationsOf } from './compare.ts';
import type { MergedConformance } from './merge.ts';

type Result = ConformanceResults['results'][number];
const result = (name: string, status: string, subtests: Record<string, string> = {}, durationMs = 10): Result => ({
  name,
  status,
  durationMs,
  subtests: Object.entries(subtests).map(([subtest, of]) => ({ name: subtest, status: of })),
});
const merged = (adapter: string, ...results: Result[]): MergedConformance => ({
  kind: 'assay-conformance',
  run: 'r-1',
  date: '2026-01-01T00:00:00Z',
  missing: [],
  // Two tasks, as two workers tell them.
  parts: [results.slice(0, 1), results.slice(1)].map((own, at) => ({
    suite: 'cts',
    revision: null,
    target: `t${at}`,
    browser: 'chromium 1',
    adapter,
    isSoftware: adapter === 'swift',
    results: own,
  })),
});

test('results of all tasks on one browser and adapter are counted together; a test without subtests counts as one', () => {
  const run = merged('swift', result('a:b:c:', 'fail', { 'x=1': 'pass', 'x=2': 'fail' }), result('a:b:d:', 'skip'));
  expect(countsOf(run)).toEqual([
    {
      suite: 'cts',
      browser: 'chromium 1',
      adapter: 'swift (software)',
      tests: { fail: 1, skip: 1 },
      subtests: { fail: 1, pass: 1, skip: 1 },
    },
  ]);
});

test('two adapters differ in the subtests that ended otherwise, and in those that only one has', () => {
  const before = merged('swift', result('t', 'fail', { 'x=1': 'pass', 'x=2': 'fail' }), result('gone', 'pass'));
  const after = merged('metal', result('t', 'pass', { 'x=1': 'pass', 'x=2': 'pass' }), result('new', 'pass'));
  expect(differences(before, after)).toEqual([
    { name: 'gone', subtest: '', before: 'pass', after: null },
    { name: 'new', subtest: '', before: null, after: 'pass' },
    { name: 't', subtest: '', before: 'fail', after: 'pass' },
    { name: 't', subtest: 'x=2', before: 'fail', after: 'pass' },
  ]);
  expect(differences(before, before)).toEqual([]);
});

test('what tests took is written as milliseconds a subcase, in the suite’s own form', () => {
  const run = merged(
    'swift',
    result('w:f:t:n=1', 'pass', { a: 'pass', b: 'pass' }, 30),
    result('w:f:t:n=2', 'pass', {}, 30),
  );
  expect(durationsOf(run)).toEqual({ 'w:f:t:*': { subcaseMS: 20 } });
});
