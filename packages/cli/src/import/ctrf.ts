// CTRF reports (ctrf.io, schema of the package `ctrf`). A test of status "other" is one that did not run to an end: it counts as
// failed where it has a message, and as skipped where it has none.
import { corrupt, firstIssue, parseJson, type ReadCase, type Reader } from '@assay/agent/formats';
import { z } from 'zod';

const Test = z.looseObject({
  name: z.string(),
  status: z.enum(['passed', 'failed', 'skipped', 'pending', 'other']),
  duration: z.number(),
  message: z.string().optional(),
  trace: z.string().optional(),
  suite: z.union([z.string(), z.array(z.string())]).optional(),
  filePath: z.string().optional(),
  line: z.number().optional(),
  retries: z.number().optional(),
});
const Document = z.looseObject({
  results: z.looseObject({
    tool: z.looseObject({ name: z.string() }),
    summary: z.looseObject({ start: z.number().optional() }),
    tests: z.array(Test),
  }),
});

export const readCtrf: Reader = (text, name) => {
  const json = parseJson(text, name);
  if ('kind' in json) return json;
  const parsed = Document.safeParse(json.value);
  if (!parsed.success) return corrupt(`${name} is not a CTRF report: ${firstIssue(parsed.error)}`);
  const { tests, summary } = parsed.data.results;
  const started = summary.start !== undefined && summary.start > 0 ? { startedAtMs: summary.start } : {};
  return { kind: 'cases', cases: tests.map(caseOf), ...started };
};

function caseOf(test: z.infer<typeof Test>): ReadCase {
  const { suite = [], message, trace } = test;
  const titles = typeof suite === 'string' ? [suite] : suite;
  const isFailed = test.status === 'failed' || (test.status === 'other' && message !== undefined);
  const failure = { message: message ?? 'failed', ...(trace === undefined ? {} : { stack: trace }) };
  const other = test.status === 'pending' ? 'todo' : 'skipped';
  return {
    path: [...titles.filter((title) => title !== ''), test.name],
    status: isFailed ? 'failed' : test.status === 'passed' ? 'passed' : other,
    durationMs: Math.max(0, test.duration),
    ...(isFailed ? { failure } : {}),
    ...(test.line === undefined ? {} : { line: test.line }),
    ...(test.retries === undefined ? {} : { runnerRetries: test.retries }),
    ...(test.filePath === undefined ? {} : { target: test.filePath }),
  };
}
