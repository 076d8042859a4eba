// pytest-benchmark's JSON (--benchmark-json). Each round is a sample: the time of one call, in seconds, as the tool's own
// `data` has it. A file saved without data has its median, mean and smallest only.
// Source of the fields: pytest-benchmark.readthedocs.io, "Storage", and pytest_benchmark/fixture.py.
import type { Measurement } from '@assay/protocol';
import { z } from 'zod';
import { nodePath } from './pytest-node.ts';
import { corrupt, evenPart, firstIssue, measured, parseJson, samplesEach, type Reader } from './read-case.ts';

const Benchmark = z.looseObject({
  name: z.string(),
  fullname: z.string(),
  extra_info: z.record(z.string(), z.unknown()).optional(),
  stats: z.looseObject({
    data: z.array(z.number()).optional(),
    median: z.number().optional(),
    mean: z.number().optional(),
    min: z.number().optional(),
    total: z.number().optional(),
    rounds: z.number().optional(),
    iterations: z.number().optional(),
  }),
});
const Document = z.looseObject({
  benchmarks: z.array(Benchmark),
  version: z.string(),
  datetime: z.string().optional(),
});

export const readPytestBenchmark: Reader = (text, name) => {
  const json = parseJson(text, name);
  if ('kind' in json) return json;
  const parsed = Document.safeParse(json.value);
  if (!parsed.success) return corrupt(`${name} is not pytest-benchmark's JSON: ${firstIssue(parsed.error)}`);
  const startedAtMs = Date.parse(parsed.data.datetime ?? '');
  const cases = parsed.data.benchmarks.map((one) => ({
    ...nodePath(one.fullname),
    status: 'passed' as const,
    durationMs: (one.stats.total ?? 0) * (one.stats.iterations ?? 1) * 1_000,
    ...measured([...timesOf(one.stats), ...numbersOf(one.extra_info ?? {})]),
  }));
  return { kind: 'cases', cases, ...(Number.isFinite(startedAtMs) ? { startedAtMs } : {}) };
};

function timesOf(stats: z.infer<typeof Benchmark>['stats']): Measurement[] {
  const time = { unit: 's', direction: 'lower' } as const;
  if (stats.data !== undefined && stats.data.length > 0)
    return evenPart({ metric: 'time', ...time }, stats.data, samplesEach(2));
  const covariates = stats.rounds === undefined ? {} : { covariates: { rounds: stats.rounds } };
  const told = { 'median time': stats.median, 'mean time': stats.mean, 'smallest time': stats.min };
  return Object.entries(told).flatMap(([metric, value]) =>
    value === undefined ? [] : [{ metric, ...time, value, ...covariates }],
  );
}

/** Numbers that a test added of itself: which way is better, nobody says. */
function numbersOf(extra: Readonly<Record<string, unknown>>): Measurement[] {
  return Object.entries(extra).flatMap(([metric, value]) =>
    typeof value === 'number' && metric !== ''
      ? [{ metric: metric.slice(0, 200), unit: '1', value, direction: 'none' as const }]
      : [],
  );
}
