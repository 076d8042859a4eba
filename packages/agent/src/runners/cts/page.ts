// One chunk of the WebGPU conformance suite as a page: a case for each of its cases, with what was expected of it, and every
// subcase in the results that are kept with the attempt.
import type { ConformanceResults } from '@assay/protocol';
import { withExpectation } from '../conformance/expectations.ts';
import type { Expectations, FoundCase } from '../conformance/expectations.ts';
import { html, preamble } from '../page-preamble.ts';
import type { PageFact, PageTask } from '../page-suite.ts';
import { partOf } from './chunks.ts';

export type CtsPageRequest = {
  readonly target: string;
  readonly reportPath: string;
  readonly browser: string;
  readonly expectations: Expectations;
  readonly revision: string | null;
};

type Results = ConformanceResults['results'];
type Fields = Readonly<Record<string, unknown>>;

export function ctsPage({ target, reportPath, browser, expectations, revision }: CtsPageRequest): PageTask {
  const results: Results = [];
  // Named by the page's first event; the hallmark says what it was seen to be.
  let adapter = '';
  const task = { ...partOf(target), skip: expectations.skips(browser) };
  const body = `<!doctype html><meta charset="utf-8"><title>CTS</title>${preamble(reportPath, task)}<body><script type="module" src="/__assay/cts.mjs"></script>`;
  const take = (event: Fields): PageFact => {
    const result = resultOf(event);
    results.push(result);
    const expected = expectations.find({ test: result.name, subtest: '', browser, adapter });
    return { kind: 'case', case: withExpectation(caseOf(result), expected) };
  };
  return {
    path: '/__assay/cts.html',
    routes: [(url) => (url.pathname === '/__assay/cts.html' ? { headers: html, body } : null)],
    read: (event) => {
      switch (event['kind']) {
        case 'adapter':
          adapter = text(event['name']);
          return null;
        case 'case':
          return take(event);
        case 'loadError':
          return { kind: 'loadError', error: { message: text(event['message']), stack: text(event['stack']) } };
        case 'done':
          return { kind: 'done' };
        default:
          return null;
      }
    },
    results: () => ({ suite: 'cts', revision, results }),
  };
}

function resultOf(event: Fields): Results[number] {
  const message = text(event['text']).slice(0, 16_000);
  const subcases = Object.entries((event['subcases'] ?? {}) as Fields);
  return {
    name: text(event['name']).slice(0, 8_000),
    status: text(event['status']).slice(0, 40) || 'fail',
    durationMs: Math.max(0, Number(event['ms']) || 0),
    ...(message === '' ? {} : { message }),
    subtests: subcases.map(([name, status]) => ({
      name: name.slice(0, 8_000),
      status: text(status).slice(0, 40) || 'fail',
    })),
  };
}

function caseOf({ name, status, durationMs, message = '', subtests }: Results[number]): FoundCase {
  const isPass = status === 'pass' || status === 'warn';
  return {
    path: pathOf(name),
    status: isPass ? 'passed' : status === 'skip' ? 'skipped' : 'failed',
    durationMs,
    ...(isPass || status === 'skip' ? {} : { failure: failureOf(message, subtests) }),
  };
}

/** `suite:file`, test and parameters. */
function pathOf(name: string): string[] {
  const [suite = '', file = '', test = '', ...rest] = name.split(':');
  return [`${suite}:${file}`, test || '(unnamed)', rest.join(':') || '(no parameters)'];
}

function failureOf(message: string, subtests: Results[number]['subtests']): { message: string; stack?: string } {
  const failed = subtests.filter(({ status }) => status === 'fail').length;
  const first = message.split('\n')[0] || 'failed without a word';
  return {
    message: subtests.length > 0 ? `${first} (${failed} of ${subtests.length} subcases failed)` : first,
    ...(message === '' ? {} : { stack: message }),
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
