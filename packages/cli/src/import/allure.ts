// Allure results: one `*-result.json` a test (allurereport.org, "Allure result file"). Each file is one case; `broken` is a failure
// outside the assertion and counts as failed; of several results of one test the last counts, the others are its retries.
import { corrupt, firstIssue, parseJson, type ReadCase, type Reader } from '@assay/agent/formats';
import { z } from 'zod';

const Result = z.looseObject({
  name: z.string(),
  fullName: z.string().optional(),
  historyId: z.string().optional(),
  status: z.enum(['passed', 'failed', 'broken', 'skipped', 'unknown']).optional(),
  stage: z.string().optional(),
  statusDetails: z.looseObject({ message: z.string().optional(), trace: z.string().optional() }).nullish(),
  titlePath: z.array(z.string()).optional(),
  labels: z.array(z.looseObject({ name: z.string(), value: z.string().nullish() })).optional(),
  parameters: z
    .array(z.looseObject({ name: z.string(), value: z.string().nullish(), excluded: z.boolean().optional() }))
    .optional(),
  start: z.number().optional(),
  stop: z.number().optional(),
});
type Result = z.infer<typeof Result>;

/** A list of results: `[result, result]`, as the files of a folder are joined. */
export const readAllure: Reader = (text, name) => {
  const json = parseJson(text, name);
  if ('kind' in json) return json;
  const parsed = z.array(Result).safeParse(Array.isArray(json.value) ? json.value : [json.value]);
  if (!parsed.success) return corrupt(`${name} is not an Allure result: ${firstIssue(parsed.error)}`);
  const byTest = new Map<string, Result[]>();
  for (const one of parsed.data.toSorted((a, b) => (a.start ?? 0) - (b.start ?? 0))) {
    const key = JSON.stringify([one.historyId ?? '', one.fullName ?? one.name]);
    byTest.set(key, [...(byTest.get(key) ?? []), one]);
  }
  const starts = parsed.data.flatMap(({ start }) => (start === undefined ? [] : [start]));
  const cases = [...byTest.values()].map(caseOf);
  return { kind: 'cases', cases, ...(starts.length === 0 ? {} : { startedAtMs: Math.min(...starts) }) };
};

function caseOf(results: readonly Result[]): ReadCase {
  const one = results.at(-1)!;
  const isFailed = one.status === 'failed' || one.status === 'broken';
  const details = one.statusDetails ?? {};
  const failure = {
    message: details.message ?? 'failed',
    ...(details.trace === undefined ? {} : { stack: details.trace }),
  };
  const open = one.status === undefined && one.stage === 'pending' ? 'todo' : 'skipped';
  return {
    path: [...titlesOf(one), titleOf(one)],
    status: isFailed ? 'failed' : one.status === 'passed' ? 'passed' : open,
    durationMs: Math.max(0, (one.stop ?? 0) - (one.start ?? one.stop ?? 0)),
    ...(isFailed ? { failure } : {}),
    ...(results.length > 1 ? { runnerRetries: results.length - 1 } : {}),
    ...targetOf(one),
  };
}

/** Parameters that are part of the test stand behind its name, as Allure shows them. */
function titleOf({ name, parameters = [] }: Result): string {
  const shown = parameters.filter(({ excluded }) => excluded !== true).map((one) => `${one.name}=${one.value ?? ''}`);
  return shown.length === 0 ? name : `${name} [${shown.join(', ')}]`;
}

function titlesOf({ labels = [] }: Result): string[] {
  return ['parentSuite', 'suite', 'subSuite'].flatMap((wanted) => {
    const value = labels.find(({ name }) => name === wanted)?.value;
    return value ? [value] : [];
  });
}

/** The file, where the result's full name says it: "path/to/file#titles". */
function targetOf({ fullName }: Result): { target?: string } {
  const [file, ...rest] = fullName?.split('#') ?? [];
  return file && rest.length > 0 && /[./]/.test(file) ? { target: file } : {};
}
