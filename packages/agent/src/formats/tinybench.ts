// tinybench's results: as Vitest's JSON report carries them (`benchmarks` of an assertion, Vitest 5), as `vitest bench
// --outputJson` wrote them before (files, groups, benchmarks), and as a script writes them itself:
// `JSON.stringify(bench.tasks.map(({ name, result }) => ({ name, result })))`.
// tinybench sorts its samples and usually drops them, so what is kept is its statistics, each with the number of samples.
// Latencies are in milliseconds, throughput in operations a second (tinybench's README, "Statistics").
import type { Measurement } from '@assay/protocol';
import { z } from 'zod';
import { corrupt, firstIssue, measured, parseJson, type ReadCase, type Reader } from './read-case.ts';

const Statistics = z.looseObject({
  mean: z.number(),
  p50: z.number().optional(),
  p75: z.number().optional(),
  p99: z.number().optional(),
  rme: z.number().optional(),
  samplesCount: z.number().optional(),
});
const Timed = z.looseObject({ latency: Statistics, throughput: Statistics, totalTime: z.number() });
const Failed = z.looseObject({ state: z.string(), error: z.unknown().optional() });
const OwnTask = z.looseObject({ name: z.string(), result: z.union([Timed, Failed]).optional() });

/** Before Vitest 5: statistics stand in the benchmark itself. */
const OldBenchmark = z.looseObject({
  name: z.string(),
  mean: z.number().optional(),
  p75: z.number().optional(),
  p99: z.number().optional(),
  hz: z.number().optional(),
  rme: z.number().optional(),
  totalTime: z.number().optional(),
  sampleCount: z.number().optional(),
});
const OldReport = z.looseObject({
  files: z.array(
    z.looseObject({
      filepath: z.string(),
      groups: z.array(z.looseObject({ fullName: z.string(), benchmarks: z.array(OldBenchmark) })),
    }),
  ),
});

/** What one test of Vitest measured: one entry a `bench()`. */
export const VitestBenchmarks = z.array(
  z.looseObject({ name: z.string(), tasks: z.array(z.looseObject({ name: z.string(), ...Timed.shape })) }),
);

export const readTinybench: Reader = (text, name) => {
  const json = parseJson(text, name);
  if ('kind' in json) return json;
  const old = OldReport.safeParse(json.value);
  if (old.success) return { kind: 'cases', cases: old.data.files.flatMap(oldCases) };
  const own = z.array(OwnTask).safeParse(json.value);
  if (!own.success) return corrupt(`${name} is not a list of tinybench's results: ${firstIssue(own.error)}`);
  return { kind: 'cases', cases: own.data.map(ownCase) };
};

function ownCase({ name, result }: z.infer<typeof OwnTask>): ReadCase {
  const timed = Timed.safeParse(result);
  if (timed.success)
    return { path: [name], status: 'passed', durationMs: timed.data.totalTime, ...measured(samplesOf('', timed.data)) };
  if (result === undefined) return { path: [name], status: 'skipped', durationMs: 0 };
  const message = z.looseObject({ message: z.string() }).safeParse(result['error']).data?.message;
  return { path: [name], status: 'failed', durationMs: 0, failure: { message: message ?? 'the benchmark failed' } };
}

function oldCases(file: z.infer<typeof OldReport>['files'][number]): ReadCase[] {
  return file.groups.flatMap((group) =>
    group.benchmarks.map((one) => {
      // The group's name starts with the file's.
      const titles = group.fullName.split(' > ').slice(1);
      const covariates = held(one.sampleCount, one.rme);
      const told: [string, string, Measurement['direction'], number | undefined][] = [
        ['latency mean', 'ms', 'lower', one.mean],
        ['latency p75', 'ms', 'lower', one.p75],
        ['latency p99', 'ms', 'lower', one.p99],
        ['throughput mean', 'ops/s', 'higher', one.hz],
      ];
      const measurements = told.flatMap(([metric, unit, direction, value]) =>
        value === undefined ? [] : [{ metric, unit, direction, value, ...covariates }],
      );
      const status = measurements.length === 0 ? ('skipped' as const) : ('passed' as const);
      const durationMs = Math.max(0, one.totalTime ?? 0);
      return { path: [...titles, one.name], target: file.filepath, status, durationMs, ...measured(measurements) };
    }),
  );
}

/** The measurements of one test of Vitest 5; a metric carries the name of its `bench()` where the test has several. */
export function vitestMeasurements(benchmarks: unknown): Measurement[] {
  const parsed = VitestBenchmarks.safeParse(benchmarks);
  const tasks = parsed.success ? parsed.data.flatMap((one) => one.tasks) : [];
  return tasks.flatMap((task) => samplesOf(tasks.length === 1 ? '' : `${task.name}: `.slice(0, 150), task));
}

function samplesOf(prefix: string, { latency, throughput }: z.infer<typeof Timed>): Measurement[] {
  const covariates = held(latency.samplesCount, latency.rme);
  const found: Measurement[] = [];
  for (const statistic of ['mean', 'p50', 'p75', 'p99'] as const) {
    const value = latency[statistic];
    if (value !== undefined)
      found.push({ metric: `${prefix}latency ${statistic}`, unit: 'ms', value, direction: 'lower', ...covariates });
  }
  const metric = `${prefix}throughput mean`;
  return [...found, { metric, unit: 'ops/s', value: throughput.mean, direction: 'higher', ...covariates }];
}

function held(samples: number | undefined, rme: number | undefined): { covariates?: Record<string, number> } {
  const covariates = {
    ...(samples === undefined ? {} : { samples }),
    ...(rme === undefined || !Number.isFinite(rme) ? {} : { marginOfErrorPercent: rme }),
  };
  return Object.keys(covariates).length === 0 ? {} : { covariates };
}
