// hyperfine's JSON (--export-json). Each run of a command is a sample; user and system time are told once a command, in seconds.
// Source of the fields: github.com/sharkdp/hyperfine, src/benchmark/benchmark_result.rs.
import type { Measurement } from '@assay/protocol';
import { z } from 'zod';
import { corrupt, evenPart, firstIssue, measured, parseJson, samplesEach, type Reader } from './read-case.ts';

const Result = z.looseObject({
  command: z.string(),
  user: z.number().optional(),
  system: z.number().optional(),
  median: z.number().optional(),
  times: z.array(z.number()).optional(),
  memory_usage_byte: z.array(z.number()).nullish(),
  exit_codes: z.array(z.number().nullable()).optional(),
  parameters: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
});
const Document = z.looseObject({ results: z.array(Result) });

export const readHyperfine: Reader = (text, name) => {
  const json = parseJson(text, name);
  if ('kind' in json) return json;
  const parsed = Document.safeParse(json.value);
  if (!parsed.success) return corrupt(`${name} is not hyperfine's JSON: ${firstIssue(parsed.error)}`);
  const cases = parsed.data.results.map((result) => {
    const { times, memory_usage_byte: memory, exit_codes: codes = [] } = result;
    const each = samplesEach(memory ? 3 : 2);
    const measurements: Measurement[] = [
      ...(times === undefined
        ? once('median time', result.median)
        : evenPart({ metric: 'time', unit: 's', direction: 'lower' }, times, each)),
      ...(memory ? evenPart({ metric: 'memory', unit: 'B', direction: 'lower' }, memory, each) : []),
      ...once('user time', result.user),
      ...once('system time', result.system),
    ];
    // Runs that ended badly are in the report only where hyperfine was told to go on.
    const bad = codes.filter((code) => code !== 0).length;
    const failure = { message: `${bad} of ${codes.length} runs ended with another exit code than 0` };
    return {
      path: [titleOf(result.command, result.parameters)],
      status: bad > 0 ? ('failed' as const) : ('passed' as const),
      durationMs: (times ?? []).reduce((sum, time) => sum + time, 0) * 1_000,
      ...(bad > 0 ? { failure } : {}),
      ...measured(measurements),
    };
  });
  return { kind: 'cases', cases };
};

function once(metric: string, value: number | undefined): Measurement[] {
  return value === undefined ? [] : [{ metric, unit: 's', value, direction: 'lower' }];
}

/** hyperfine repeats a command without the parameter in it: the parameter tells the two apart. */
function titleOf(command: string, parameters: Readonly<Record<string, string | number>> = {}): string {
  const shown = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  return shown.length === 0 ? command : `${command} [${shown.join(', ')}]`;
}
