// pytest-json-report's file. A test that failed in set-up or teardown is failed, as pytest's exit code has it; an xfail is skipped and
// an xpass passed, as our own pytest runner counts them. Source of the fields: github.com/numirias/pytest-json-report, README.
import { corrupt, firstIssue, nodePath, parseJson, type ReadCase, type Reader } from '@assay/agent/formats';
import { z } from 'zod';

const Phase = z.looseObject({
  duration: z.number().optional(),
  outcome: z.string().optional(),
  crash: z.looseObject({ message: z.string().optional() }).optional(),
  longrepr: z.string().optional(),
});
const Test = z.looseObject({
  nodeid: z.string(),
  lineno: z.number().nullish(),
  outcome: z.string(),
  setup: Phase.optional(),
  call: Phase.optional(),
  teardown: Phase.optional(),
});
const Document = z.looseObject({
  created: z.number(),
  duration: z.number().optional(),
  exitcode: z.number(),
  tests: z.array(Test).optional(),
  collectors: z
    .array(z.looseObject({ nodeid: z.string(), outcome: z.string(), longrepr: z.string().optional() }))
    .optional(),
});

export const readPytestJson: Reader = (text, name) => {
  const json = parseJson(text, name);
  if ('kind' in json) return json;
  const parsed = Document.safeParse(json.value);
  if (!parsed.success) return corrupt(`${name} is not pytest-json-report's file: ${firstIssue(parsed.error)}`);
  const { tests = [], collectors = [], created, duration = 0 } = parsed.data;
  const unloaded = collectors
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ nodeid, longrepr = '' }): ReadCase => ({
      path: ['collection'],
      target: nodeid,
      status: 'failed',
      durationMs: 0,
      failure: { message: lastLine(longrepr) || 'it could not be collected', stack: longrepr },
    }));
  const startedAtMs = Math.max(0, (created - duration) * 1_000);
  return { kind: 'cases', cases: [...tests.map(caseOf), ...unloaded], startedAtMs };
};

function caseOf(test: z.infer<typeof Test>): ReadCase {
  const phases = [test.setup, test.call, test.teardown].filter((phase) => phase !== undefined);
  const bad = phases.find(({ outcome }) => outcome === 'failed');
  const status = statusOf(test.outcome);
  const stack = bad?.longrepr ?? '';
  const message = bad?.crash?.message ?? (lastLine(stack) || 'failed');
  return {
    ...nodePath(test.nodeid),
    status,
    durationMs: phases.reduce((sum, phase) => sum + (phase.duration ?? 0), 0) * 1_000,
    ...(status === 'failed' ? { failure: { message, ...(stack === '' ? {} : { stack }) } } : {}),
    ...(typeof test.lineno === 'number' ? { line: test.lineno + 1 } : {}),
  };
}

function statusOf(outcome: string): ReadCase['status'] {
  if (outcome === 'passed' || outcome === 'xpassed') return 'passed';
  return outcome === 'skipped' || outcome === 'xfailed' ? 'skipped' : 'failed';
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
