// One test of web-platform-tests as a page: a case for each subtest, with what was expected of it, and the whole in the suite's
// own words in the results that are kept with the attempt.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ConformanceResults } from '@assay/protocol';
import { withExpectation } from '../conformance/expectations.ts';
import type { Expectations, FoundCase } from '../conformance/expectations.ts';
import { script } from '../page-preamble.ts';
import type { PageFact, PageTask } from '../page-suite.ts';

export type WptPageRequest = {
  readonly target: string;
  readonly reportPath: string;
  readonly browser: string;
  readonly expectations: Expectations;
  readonly timeoutMultiplier: number;
};

type Fields = Readonly<Record<string, unknown>>;
type Subtest = ConformanceResults['results'][number]['subtests'][number];

const report = fileURLToPath(new URL('../browser/in-page/wpt-report.mjs', import.meta.url));

export async function wptPage(request: WptPageRequest): Promise<PageTask> {
  const { target, reportPath, browser, expectations, timeoutMultiplier } = request;
  const test = `/${target}`;
  const page = { report: reportPath, task: { timeoutMultiplier } };
  const body = `globalThis.__assay = ${JSON.stringify(page)};\n${await readFile(report, 'utf8')}`;
  const subtests: Subtest[] = [];
  let end = { status: 'CRASH', message: '', durationMs: 0 };
  const readSubtest = (event: Fields): PageFact => {
    const [name, status, message] = [
      text(event['name'], 8_000),
      text(event['status'], 40),
      text(event['message'], 16_000),
    ];
    subtests.push({ name, status, ...(message === '' ? {} : { message }) });
    const found = caseOf(test, event);
    return {
      kind: 'case',
      case: withExpectation(found, expectations.find({ test, subtest: name, browser, adapter: '' })),
    };
  };
  const readHarness = (event: Fields): PageFact | null => {
    end = { status: text(event['status'], 40), message: text(event['message'], 16_000), durationMs: ms(event) };
    if (end.status === 'OK') return null;
    const reason = `the harness ended with ${end.status}: ${end.message}`;
    if (end.status === 'PRECONDITION_FAILED') return { kind: 'noTests', reason };
    return { kind: 'error', error: { message: reason, stack: text(event['stack'], 16_000) } };
  };
  return {
    path: test,
    routes: [
      (url) =>
        url.pathname === '/resources/testharnessreport.js' ? { headers: script, body, isIsolated: false } : null,
    ],
    read: (event) => {
      if (event['kind'] === 'subtest') return readSubtest(event);
      if (event['kind'] === 'harness') return readHarness(event);
      return event['kind'] === 'done' ? { kind: 'done' } : null;
    },
    results: () => {
      const { status, message, durationMs } = end;
      const result = { name: test, status, durationMs, ...(message === '' ? {} : { message }), subtests };
      return { suite: 'wpt', revision: null, results: [result] };
    },
  };
}

function caseOf(test: string, event: Fields): FoundCase {
  const status = text(event['status'], 40);
  const path = [test, text(event['name'], 8_000) || '(unnamed)'];
  if (status === 'PASS') return { path, status: 'passed', durationMs: ms(event) };
  if (status === 'PRECONDITION_FAILED') return { path, status: 'skipped', durationMs: ms(event) };
  const message = `${status}: ${text(event['message'], 16_000) || 'without a word'}`;
  const stack = text(event['stack'], 32_000);
  return { path, status: 'failed', durationMs: ms(event), failure: { message, ...(stack === '' ? {} : { stack }) } };
}

function ms(event: Fields): number {
  return Math.max(0, Number(event['ms']) || 0);
}

function text(value: unknown, max: number): string {
  return typeof value === 'string' ? value.slice(0, max) : '';
}
