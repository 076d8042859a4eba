// Readers of benchmark outputs, on files that the tools themselves wrote (packages/agent/fixtures/reports/README.md says how).
import { readFileSync } from 'node:fs';
import { Case } from '@assay/protocol';
import { expect, test } from 'vitest';
import { caseOf } from '../execute/host-events.ts';
import { maskerOf } from '../execute/mask.ts';
import { benchmarkReaders } from './benchmarks.ts';
import { evenPart, type ReadCase } from './read-case.ts';

function fixture(file: string): string {
  return readFileSync(new URL(`../../fixtures/reports/${file}`, import.meta.url), 'utf8');
}

function read(format: keyof typeof benchmarkReaders, text: string): readonly ReadCase[] {
  const report = benchmarkReaders[format](text, 'report');
  if (report.kind !== 'cases') throw new Error(report.reason);
  for (const one of report.cases) expect(Case.parse(caseOf(one, maskerOf([])))).toBeDefined();
  return report.cases;
}

const valuesOf = (one: ReadCase | undefined, metric: string): number[] =>
  (one?.measurements ?? []).filter((found) => found.metric === metric).map(({ value }) => value);

test('hyperfine: each run of a command is a sample in seconds, and the parameter tells two alike apart', () => {
  const cases = read('hyperfine', fixture('hyperfine.json'));
  expect(cases.map(({ path }) => path)).toEqual([
    ['sleep 0.01 [n=1]'],
    ['true [n=1]'],
    ['sleep 0.02 [n=2]'],
    ['true [n=2]'],
  ]);
  expect(valuesOf(cases[0], 'time')).toEqual([
    0.01941170348, 0.02330585048, 0.01499215848, 0.01924827348, 0.02603296048,
  ]);
  expect(cases[0]?.measurements?.[0]).toMatchObject({ unit: 's', direction: 'lower' });
  expect(valuesOf(cases[0], 'user time')).toEqual([0.0004805600000000002]);
});

test('Google Benchmark: each repetition is a sample, aggregates are none, and an error is a failed case', () => {
  const cases = read('google-benchmark', fixture('google-benchmark.json'));
  expect(cases.map(({ path, status }) => [...path, status])).toEqual([
    ['BM_Sort/64', 'passed'],
    ['BM_Sort/1024', 'passed'],
    ['BM_Bad', 'failed'],
  ]);
  expect(valuesOf(cases[0], 'real time')).toEqual([226.81586450620884, 116.6899459516863, 113.24163817323756]);
  const units = Object.fromEntries(
    (cases[0]?.measurements ?? []).map(({ metric, unit, direction }) => [metric, [unit, direction]]),
  );
  expect(units).toEqual({
    'real time': ['ns/op', 'lower'],
    'cpu time': ['ns/op', 'lower'],
    bytes: ['B/s', 'higher'],
    items: ['items/s', 'higher'],
    cache: ['1', 'none'],
  });
  expect(cases[0]?.measurements?.[0]?.covariates).toMatchObject({
    clockMHz: 2096,
    clockScales: false,
    iterations: 151193,
  });
  expect(cases[2]).toMatchObject({ failure: { message: 'no device' } });
  expect(cases[2]?.measurements).toBeUndefined();
});

test('pytest-benchmark: rounds are samples, an even part of them where they are many, and extra_info has no direction', () => {
  const cases = read('pytest-benchmark', fixture('pytest-benchmark.json'));
  expect(cases.map(({ target, path }) => [target, ...path])).toEqual([
    ['pb/test_bench.py', 'test_sum'],
    ['pb/test_bench.py', 'test_sorted[10]'],
    ['pb/test_bench.py', 'test_sorted[100]'],
  ]);
  expect(valuesOf(cases[1], 'time')).toHaveLength(12);
  expect(cases[1]?.measurements?.at(-1)).toEqual({ metric: 'n', unit: '1', value: 10, direction: 'none' });
  const many = (cases[0]?.measurements ?? []).filter(({ metric }) => metric === 'time');
  expect(many).toHaveLength(335);
  expect(many.every(({ covariates }) => covariates?.['oneOf'] === 3)).toBe(true);
});

test('go test -bench: repeated lines are samples, the processor suffix is no part of the name, a failure has its words', () => {
  const cases = read('go-bench', fixture('go-bench.txt'));
  expect(cases.map(({ target, path, status }) => [target, ...path, status])).toEqual([
    ['example.org/sorting', 'BenchmarkSort/n=10', 'passed'],
    ['example.org/sorting', 'BenchmarkSort/n=100', 'passed'],
    ['example.org/sorting', 'BenchmarkBad', 'failed'],
  ]);
  expect(valuesOf(cases[0], 'time')).toEqual([427.6, 84.38, 89.98]);
  expect(cases[0]?.measurements?.[2]).toEqual({
    metric: 'cmp/op',
    unit: 'cmp/op',
    value: 1.5,
    direction: 'none',
    covariates: { iterations: 50, processors: 2 },
  });
  expect(cases[2]?.failure).toEqual({ message: 's_test.go:4: no device' });
});

test('tinybench: its statistics with the number of samples, and a task that threw is a failed case', () => {
  const cases = read('tinybench', fixture('tinybench.json'));
  expect(cases.map(({ path, status }) => [...path, status])).toEqual([
    ['sort', 'passed'],
    ['throws', 'failed'],
  ]);
  expect(valuesOf(cases[0], 'latency p50')).toEqual([0.00009999999997489795]);
  expect(cases[0]?.measurements?.at(-1)).toMatchObject({
    metric: 'throughput mean',
    unit: 'ops/s',
    direction: 'higher',
    covariates: { samples: 33_024 },
  });
});

test.each(Object.keys(benchmarkReaders) as (keyof typeof benchmarkReaders)[])(
  '%s: what is not its own is refused by name',
  (format) => {
    for (const text of ['', '{', '[]x', '{"benchmarks":3}', 'null']) {
      expect(benchmarkReaders[format](text, 'it.json')).toMatchObject({ kind: 'trouble', code: 'REPORT_CORRUPT' });
    }
  },
);

test('an even part says how many samples each stands for', () => {
  const metric = { metric: 't', unit: 's', direction: 'lower' } as const;
  const part = evenPart(
    metric,
    Array.from({ length: 25 }, (_, at) => at),
    10,
  );
  expect(part.map(({ value }) => value)).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24]);
  expect(part[0]?.covariates).toEqual({ oneOf: 3 });
  expect(evenPart(metric, [1, 2], 2)[0]?.covariates).toBeUndefined();
});
