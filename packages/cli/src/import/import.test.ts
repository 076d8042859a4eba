// Readers of other tools' reports, on files that the tools wrote (packages/agent/fixtures/reports/README.md), and what a run is
// made of them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImportedContent, limit, type Case } from '@assay/protocol';
import { expect, test } from 'vitest';
import { toCtrf } from '../report/ctrf.ts';
import { toJUnit } from '../report/junit.ts';
import { reportFixture } from '../testing/report-fixture.ts';
import { contentOf } from './content.ts';
import { formatOf, importFormats, importReaders } from './formats.ts';
import { readReports } from './read-files.ts';

const fixtures = new URL('../../../agent/fixtures/reports/', import.meta.url).pathname;
const options = { project: 'p', base: '/srv' };

async function imported(...files: string[]): Promise<ImportedContent> {
  const content = contentOf(
    await readReports(
      files.map((file) => join(fixtures, file)),
      null,
    ),
    options,
  );
  expect(ImportedContent.parse(content)).toEqual(content);
  return content;
}

const line = (one: Case): string => `${one.status} ${one.path.join(' > ')}`;
const linesOf = ({ tasks }: ImportedContent): string[] =>
  tasks.flatMap(({ target, cases }) => cases.map((one) => `${target}: ${line(one)}`));

test.each([
  [
    'surefire.xml',
    'junit',
    [
      ': passed org.example.CartTest > adds',
      ': failed org.example.CartTest > errs',
      ': failed org.example.CartTest > fails',
      ': passed org.example.CartTest > flaky',
      ': skipped org.example.CartTest > skipped',
    ],
  ],
  [
    'pytest.xml',
    'junit',
    [
      ': passed pytest > test_things > test_value[1]',
      ': failed pytest > test_things > test_value[2]',
      ': passed pytest > test_things.TestGroup > test_ok',
      ': skipped pytest > test_things > test_skipped',
      ': failed pytest > test_things > test_error',
    ],
  ],
  [
    'pytest-xunit1.xml',
    'junit',
    [
      'test_things.py: passed pytest > test_things > test_value[1]',
      'test_things.py: failed pytest > test_things > test_value[2]',
      'test_things.py: passed pytest > test_things.TestGroup > test_ok',
      'test_things.py: skipped pytest > test_things > test_skipped',
      'test_things.py: failed pytest > test_things > test_error',
    ],
  ],
  [
    'playwright.xml',
    'junit',
    [
      ': passed math.spec.ts > math › adds',
      ': failed math.spec.ts > math › fails <here> & there',
      ': passed math.spec.ts > math › is flaky',
      ': skipped math.spec.ts > math › is skipped',
      ': skipped math.spec.ts > math › is to be mended',
    ],
  ],
  [
    'playwright.json',
    'playwright-json',
    [
      'math.spec.ts: passed math > adds',
      'math.spec.ts: failed math > fails <here> & there',
      'math.spec.ts: passed math > is flaky',
      'math.spec.ts: skipped math > is skipped',
      'math.spec.ts: todo math > is to be mended',
    ],
  ],
  [
    'gotestsum.xml',
    'junit',
    [
      ': failed example.org/sorting > TestSub/neg',
      ': failed example.org/sorting > TestSub',
      ': skipped example.org/sorting > TestSkip',
      ': passed example.org/sorting > TestAdd',
      ': passed example.org/sorting > TestSub/pos',
    ],
  ],
  [
    'vitest.xml',
    'junit',
    [
      ': passed a.test.js > outer > passes',
      ': failed a.test.js > outer > fails',
      ': skipped a.test.js > outer > skipped',
      ': skipped a.test.js > outer > to do',
    ],
  ],
  [
    'vitest.json',
    'vitest-json',
    [
      'va/a.test.js: passed outer > passes',
      'va/a.test.js: failed outer > fails',
      'va/a.test.js: skipped outer > skipped',
      'va/a.test.js: todo outer > to do',
    ],
  ],
  [
    'allure-results',
    'allure',
    ['va/a.test.js: passed outer > passes', 'va/a.test.js: failed outer > fails', 'va/a.test.js: todo outer > to do'],
  ],
  [
    'node-test.tap',
    'tap',
    [
      ': passed group > adds',
      ': failed group > fails',
      ': todo group > later',
      ': skipped group > skipped',
      ': passed plain',
    ],
  ],
  [
    'pytest-json-report.json',
    'pytest-json',
    [
      'test_things.py: passed test_value[a::1]',
      'test_things.py: failed TestGroup > test_fails',
      'test_things.py: skipped test_known',
      'test_things.py: failed test_error',
      'test_broken.py: failed collection',
    ],
  ],
])('%s is read as %s', async (file, format, lines) => {
  const content = await imported(file);
  expect(content.suites).toEqual([{ name: format, format }]);
  expect(linesOf(content)).toEqual(lines);
});

test('a failure keeps its message and stack, repeats are counted, and times are milliseconds', async () => {
  const { tasks } = await imported('surefire.xml');
  const [adds, errs, fails, flaky] = tasks[0]?.cases ?? [];
  expect(adds?.durationMs).toBe(59);
  expect(errs).toMatchObject({ runnerRetries: 1, failure: { message: 'broken' } });
  expect(fails?.failure?.message).toBe('a <b> & c expected:<[x]> but was:<[y]>');
  expect(fails?.failure?.stack).toContain('CartTest.java:6');
  expect(flaky).toMatchObject({ runnerRetries: 1 });
  const played = (await imported('playwright.json')).tasks[0]?.cases ?? [];
  expect(played[2]).toMatchObject({ runnerRetries: 1, line: 5 });
  expect(played[1]?.failure?.message).not.toContain('\u001b');
});

test('what Vitest measured comes with its report', async () => {
  const { tasks } = await imported('vitest-bench.json');
  expect(tasks[0]?.cases.map((one) => one.measurements?.length)).toEqual([5, 10]);
  expect(tasks[0]?.cases[1]?.measurements?.[0]?.metric).toBe('reverse: latency mean');
});

test('our own JUnit and CTRF come in with the counts that they went out with', () => {
  const report = reportFixture();
  const counted = (cases: readonly { status: string }[]): Record<string, number> =>
    Object.fromEntries(
      ['passed', 'failed', 'skipped'].map((status) => [status, cases.filter((one) => one.status === status).length]),
    );
  for (const [format, text] of [
    ['ctrf', toCtrf(report)],
    ['junit', toJUnit(report)],
  ] as const) {
    expect(formatOf(text)).toBe(format);
    const read = importReaders[format](text, 'it');
    if (read.kind !== 'cases') throw new Error(read.reason);
    expect(counted(read.cases)).toEqual({ passed: 1, failed: 3, skipped: 1 });
  }
});

test('projects of Playwright are variants and no part of a name', () => {
  const spec = (name: string, status: string) => ({
    projectName: name,
    status,
    results: [{ status: 'passed', duration: 1 }],
  });
  const text = JSON.stringify({
    config: { projects: [{ name: 'chromium' }, { name: 'firefox' }] },
    stats: {},
    suites: [
      {
        title: 'a.spec.ts',
        file: 'a.spec.ts',
        specs: [
          { title: 'works', file: 'a.spec.ts', tests: [spec('chromium', 'expected'), spec('firefox', 'unexpected')] },
        ],
      },
    ],
  });
  const report = importReaders['playwright-json'](text, 'it');
  if (report.kind !== 'cases') throw new Error(report.reason);
  const { tasks } = contentOf([{ file: 'it', format: 'playwright-json', report }], options);
  expect(tasks.map(({ variant, target, cases }) => [variant, target, ...cases.map(line)])).toEqual([
    ['chromium', 'a.spec.ts', 'passed works'],
    ['firefox', 'a.spec.ts', 'failed works'],
  ]);
});

test('the content does not depend on the order in which files are named', async () => {
  expect(await imported('vitest.xml', 'surefire.xml', 'node-test.tap')).toEqual(
    await imported('node-test.tap', 'vitest.xml', 'surefire.xml'),
  );
});

test.each(importFormats)('%s: damaged text is refused by name', (format) => {
  for (const text of ['', '\u0000', '{"suites":', '<testsuite>', '[1,2', 'null', '{"results":{}}'])
    expect(importReaders[format](text, 'it')).toMatchObject({ kind: 'trouble', code: 'REPORT_CORRUPT' });
});

test('a file that shows no format, is damaged, missing or empty ends it all with its name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-import-'));
  try {
    const file = (name: string): string => join(folder, name);
    await writeFile(file('good.xml'), '<testsuite><testcase name="a"/></testsuite>');
    await writeFile(file('note.txt'), 'nothing of note');
    await writeFile(file('cut.xml'), '<testsuite><testcase name="a">');
    await writeFile(file('empty.xml'), '<testsuite/>');
    for (const bad of ['note.txt', 'cut.xml', 'gone.xml'])
      await expect(readReports([file('good.xml'), file(bad)], null)).rejects.toMatchObject({
        code: 'IMPORT_UNREADABLE',
        message: expect.stringContaining(bad),
      });
    const empty = await readReports([file('empty.xml')], null);
    expect(() => contentOf(empty, options)).toThrow('there is no test in it');
    const many = { path: ['a'], status: 'passed' as const, durationMs: 1 };
    const report = { kind: 'cases' as const, cases: Array.from({ length: limit('casesPerAttempt') + 1 }, () => many) };
    expect(() => contentOf([{ file: 'x', format: 'junit', report }], options)).toThrow('cases; at most');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
