// The JSON report of Vitest and Jest (the same shape), with what `bench()` measured where Vitest 5 wrote it. A file that did not load
// has no test and is a failed case of its own.
import {
  corrupt,
  firstIssue,
  parseJson,
  vitestMeasurements,
  measured,
  type ReadCase,
  type Reader,
} from '@assay/agent/formats';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';

const Assertion = z.looseObject({
  ancestorTitles: z.array(z.string()),
  title: z.string(),
  status: z.string(),
  duration: z.number().nullish(),
  failureMessages: z.array(z.string()).nullish(),
  location: z.looseObject({ line: z.number() }).nullish(),
  invocations: z.number().optional(),
  benchmarks: z.unknown().optional(),
});
const Document = z.looseObject({
  numTotalTests: z.number(),
  startTime: z.number().optional(),
  testResults: z.array(
    z.looseObject({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(Assertion),
    }),
  ),
});

export const readVitestJson: Reader = (text, name) => {
  const json = parseJson(text, name);
  if ('kind' in json) return json;
  const parsed = Document.safeParse(json.value);
  if (!parsed.success) return corrupt(`${name} is not the JSON report of Vitest or Jest: ${firstIssue(parsed.error)}`);
  const { testResults, startTime } = parsed.data;
  const cases = testResults.flatMap((file): ReadCase[] => {
    const found = file.assertionResults.map((one) => caseOf(one, file.name));
    if (file.status !== 'failed' || found.some(({ status }) => status === 'failed')) return found;
    const message = stripVTControlCharacters(file.message ?? '').trim() || 'the file failed outside its tests';
    return [
      ...found,
      { path: ['outside its tests'], target: file.name, status: 'failed', durationMs: 0, failure: { message } },
    ];
  });
  return { kind: 'cases', cases, ...(startTime === undefined ? {} : { startedAtMs: startTime }) };
};

function caseOf(one: z.infer<typeof Assertion>, target: string): ReadCase {
  const text = stripVTControlCharacters(one.failureMessages?.[0] ?? '');
  const status = one.status === 'passed' || one.status === 'failed' || one.status === 'todo' ? one.status : 'skipped';
  const message = text.split('\n')[0] || 'failed';
  const retries = (one.invocations ?? 1) - 1;
  return {
    path: [...one.ancestorTitles.filter((title) => title !== ''), one.title],
    status,
    durationMs: Math.max(0, one.duration ?? 0),
    ...(status === 'failed' ? { failure: text.includes('\n') ? { message, stack: text } : { message } } : {}),
    ...(one.location ? { line: one.location.line } : {}),
    ...(retries > 0 ? { runnerRetries: retries } : {}),
    ...(one.benchmarks === undefined ? {} : measured(vitestMeasurements(one.benchmarks))),
    target,
  };
}
