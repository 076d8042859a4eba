// Playwright's JSON report. Each test of a spec is a case; where there are several projects, the project (a browser, usually)
// is the case's variant, and no part of its titles. A flaky test passed in the end, and says how often it was repeated. Source of the fields: playwright's `JSONReport`, types/testReporter.d.ts.
import { corrupt, firstIssue, parseJson, type ReadCase, type Reader } from '@assay/agent/formats';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';

const Result = z.looseObject({
  status: z.string().optional(),
  duration: z.number().optional(),
  error: z.looseObject({ message: z.string().optional(), stack: z.string().optional() }).nullish(),
});
const Spec = z.looseObject({
  title: z.string(),
  file: z.string().optional(),
  line: z.number().optional(),
  tests: z.array(
    z.looseObject({
      projectName: z.string().optional(),
      status: z.enum(['skipped', 'expected', 'unexpected', 'flaky']).optional(),
      annotations: z.array(z.looseObject({ type: z.string() })).optional(),
      results: z.array(Result),
    }),
  ),
});
type Spec = z.infer<typeof Spec>;
type Suite = { title: string; file?: string | undefined; specs?: Spec[] | undefined; suites?: Suite[] | undefined };
const Suite: z.ZodType<Suite> = z.looseObject({
  title: z.string(),
  file: z.string().optional(),
  specs: z.array(Spec).optional(),
  get suites() {
    return z.array(Suite).optional();
  },
});
const Document = z.looseObject({
  config: z.looseObject({ projects: z.array(z.looseObject({ name: z.string() })).optional() }),
  suites: z.array(Suite),
  stats: z.looseObject({ startTime: z.string().optional() }).optional(),
  errors: z.array(z.looseObject({ message: z.string().optional(), stack: z.string().optional() })).optional(),
});

export const readPlaywright: Reader = (text, name) => {
  const json = parseJson(text, name);
  if ('kind' in json) return json;
  const parsed = Document.safeParse(json.value);
  if (!parsed.success) return corrupt(`${name} is not Playwright's JSON report: ${firstIssue(parsed.error)}`);
  const { suites, config, stats, errors = [] } = parsed.data;
  const isOfMany = (config.projects?.length ?? 0) > 1;
  // Errors outside tests (a file that does not load) are nowhere else in the report.
  const loose = errors.map((error, at): ReadCase => ({
    path: [`error outside tests ${at + 1}`],
    status: 'failed',
    durationMs: 0,
    failure: failureOf(error),
  }));
  const cases = suites.flatMap((suite) => casesOf(suite, [], isOfMany));
  const startedAtMs = Date.parse(stats?.startTime ?? '');
  return {
    kind: 'cases',
    cases: [...cases, ...loose],
    ...(Number.isFinite(startedAtMs) ? { startedAtMs } : {}),
  };
};

function casesOf(suite: Suite, titles: readonly string[], isOfMany: boolean): ReadCase[] {
  // The outermost suite is the file itself, which is the target.
  const inner = suite.title === suite.file ? titles : [...titles, suite.title];
  return [
    ...(suite.specs ?? []).flatMap((spec) => specCases(spec, inner, isOfMany)),
    ...(suite.suites ?? []).flatMap((one) => casesOf(one, inner, isOfMany)),
  ];
}

function specCases(spec: Spec, titles: readonly string[], isOfMany: boolean): ReadCase[] {
  return spec.tests.map((test) => {
    const last = test.results.at(-1);
    const isFixme = test.annotations?.some(({ type }) => type === 'fixme') === true;
    const status =
      test.status === 'skipped' || last === undefined
        ? isFixme
          ? ('todo' as const)
          : ('skipped' as const)
        : test.status === 'unexpected'
          ? ('failed' as const)
          : ('passed' as const);
    return {
      path: [...titles, spec.title],
      ...(isOfMany && test.projectName ? { variant: test.projectName.slice(0, 100) } : {}),
      status,
      durationMs: Math.max(0, last?.duration ?? 0),
      ...(status === 'failed' ? { failure: failureOf(last?.error ?? { message: last?.status }) } : {}),
      ...(spec.line === undefined ? {} : { line: spec.line }),
      ...(test.results.length > 1 ? { runnerRetries: test.results.length - 1 } : {}),
      ...(spec.file === undefined ? {} : { target: spec.file }),
    };
  });
}

function failureOf(error: { message?: string | undefined; stack?: string | undefined }): {
  message: string;
  stack?: string;
} {
  const message = stripVTControlCharacters(error.message ?? 'failed');
  return { message, ...(error.stack === undefined ? {} : { stack: stripVTControlCharacters(error.stack) }) };
}
