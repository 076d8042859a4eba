// Google Benchmark's JSON (--benchmark_out_format=json). Each repetition is a sample; aggregates are left out, since they say
// nothing that the samples do not. A benchmark that was skipped with an error is a failed case.
// Source of the fields: github.com/google/benchmark, src/json_reporter.cc.
import type { Measurement } from '@assay/protocol';
import { z } from 'zod';
import { corrupt, firstIssue, measured, parseJson, type ReadCase, type Reader } from './read-case.ts';

const Row = z.looseObject({
  name: z.string(),
  run_name: z.string().optional(),
  run_type: z.string().optional(),
  threads: z.number().optional(),
  iterations: z.number().optional(),
  real_time: z.number().optional(),
  cpu_time: z.number().optional(),
  time_unit: z.enum(['ns', 'us', 'ms', 's']).optional(),
  error_occurred: z.boolean().optional(),
  error_message: z.string().optional(),
});
type Row = z.infer<typeof Row>;
const Document = z.looseObject({
  context: z.looseObject({
    mhz_per_cpu: z.number().optional(),
    cpu_scaling_enabled: z.boolean().optional(),
    load_avg: z.array(z.number()).optional(),
  }),
  benchmarks: z.array(Row),
});

/** Fields of a row that are no counters of the user's. */
const ownFields = new Set([
  ...Object.keys(Row.shape),
  ...['family_index', 'per_family_instance_index', 'repetitions', 'repetition_index', 'aggregate_name'],
  ...['aggregate_unit', 'label', 'bytes_per_second', 'items_per_second', 'skipped', 'skip_message'],
  ...['cpu_coefficient', 'real_coefficient', 'big_o', 'rms', 'total_items', 'max_bytes_used', 'allocs_per_iter'],
]);
const toMs = { ns: 1e-6, us: 1e-3, ms: 1, s: 1_000 };

export const readGoogleBenchmark: Reader = (text, name) => {
  const json = parseJson(text, name);
  if ('kind' in json) return json;
  const parsed = Document.safeParse(json.value);
  if (!parsed.success) return corrupt(`${name} is not Google Benchmark's JSON: ${firstIssue(parsed.error)}`);
  const { context, benchmarks } = parsed.data;
  const held: Measurement['covariates'] = {
    ...(context.mhz_per_cpu === undefined ? {} : { clockMHz: context.mhz_per_cpu }),
    ...(context.cpu_scaling_enabled === undefined ? {} : { clockScales: context.cpu_scaling_enabled }),
    ...(context.load_avg?.[0] === undefined ? {} : { load1: context.load_avg[0] }),
  };
  const groups = new Map<string, Row[]>();
  for (const row of benchmarks) {
    if (row.run_type === 'aggregate') continue;
    const key = row.run_name ?? row.name;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return { kind: 'cases', cases: [...groups].map(([title, rows]) => caseOf(title, rows, held)) };
};

function caseOf(title: string, rows: readonly Row[], held: NonNullable<Measurement['covariates']>): ReadCase {
  const bad = rows.find((row) => row.error_occurred === true);
  const durationMs = rows.reduce(
    (sum, row) => sum + (row.real_time ?? 0) * (row.iterations ?? 0) * toMs[row.time_unit ?? 'ns'],
    0,
  );
  const failure = bad && { message: bad.error_message || 'skipped with an error' };
  return {
    path: [title],
    status: bad ? 'failed' : 'passed',
    durationMs,
    ...(failure ? { failure } : {}),
    ...measured(rows.filter((row) => row.error_occurred !== true).flatMap((row) => samplesOf(row, held))),
  };
}

function samplesOf(row: Row, held: NonNullable<Measurement['covariates']>): Measurement[] {
  const covariates = {
    ...held,
    ...(row.iterations === undefined ? {} : { iterations: row.iterations }),
    ...(row.threads === undefined ? {} : { threads: row.threads }),
  };
  const unit = `${row.time_unit ?? 'ns'}/op`;
  const found: Measurement[] = [];
  const add = (metric: string, value: unknown, of: string, direction: Measurement['direction']): void => {
    if (typeof value === 'number') found.push({ metric, unit: of, value, direction, covariates });
  };
  add('real time', row.real_time, unit, 'lower');
  add('cpu time', row.cpu_time, unit, 'lower');
  add('bytes', row['bytes_per_second'], 'B/s', 'higher');
  add('items', row['items_per_second'], 'items/s', 'higher');
  add('peak memory', row['max_bytes_used'], 'B', 'lower');
  add('allocations', row['allocs_per_iter'], 'allocs/op', 'lower');
  for (const [counter, value] of Object.entries(row)) {
    if (!ownFields.has(counter) && counter !== '') add(counter.slice(0, 200), value, '1', 'none');
  }
  return found;
}
