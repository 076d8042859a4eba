// New against known failures, and tests in quarantine, in every form of a report.
import { stripVTControlCharacters } from 'node:util';
import type { Case, KnownFailure, QuarantineNote } from '@assay/protocol';
import { expect, test } from 'vitest';
import { renderSummary } from '../render/summary.ts';
import { reportFixture } from '../testing/report-fixture.ts';
import { toAllure } from './allure.ts';
import { toCtrf } from './ctrf.ts';
import { toJson } from './json.ts';
import { toJUnit } from './junit.ts';
import { toMarkdown } from './markdown.ts';
import type { RunReport } from './model.ts';

const at = (day: number): number => Date.UTC(2026, 10, day);
const fails = (name: string): Case => ({
  path: [name],
  status: 'failed',
  durationMs: 1,
  failure: { message: `${name}!` },
});
const note: QuarantineNote = {
  quarantine: 'q-1',
  path: ['muted'],
  mode: 'mute',
  owner: 'ada',
  reason: 'races the clock',
  expiresAtMs: at(30),
  failures: 1,
};
const known: KnownFailure = {
  project: 'p',
  suite: 'unit',
  target: 'b.test.ts',
  path: ['old'],
  variant: '',
  signature: 'old!',
  message: 'old!',
  seen: 'known',
  earlier: 3,
  firstSeen: { run: 'r-first', atMs: at(2) },
  lastSeen: { run: 'r-last', atMs: at(20) },
  revisions: ['v2', 'v1'],
  hardware: ['Zen 4, chrome 156'],
};
const fresh: KnownFailure = { ...known, path: ['fresh'], message: 'fresh!', seen: 'new', earlier: 0, lastSeen: null };

/** The second file fails in three tests: one in quarantine, one known, one new. */
function report(history: KnownFailure[] | null): RunReport {
  const fixture = reportFixture();
  const [first, second] = fixture.tasks;
  const task = { ...second!.task, quarantined: [note] };
  return { ...fixture, tasks: [first!, { ...second!, task, cases: ['muted', 'old', 'fresh'].map(fails) }], history };
}
const told = report([known, fresh]);
const line =
  'known: failed so 3 times before, first 2026-11-02 in r-first, last 2026-11-20 in r-last, at 2 revisions, on Zen 4, chrome 156';

test('the terminal says of each failure whether it is new, and lists what did not count apart from it', () => {
  const text = stripVTControlCharacters(renderSummary(told, (_, shown) => shown));
  expect(text).toContain(`old\n    ${line}`);
  expect(text).toContain('fresh\n    new: it never failed so before');
  expect(text).toContain('muted, failed: ada, until 2026-11-30: races the clock');
  expect(text).not.toContain('✗ b.test.ts › muted');
  expect(text).toContain('failures: 1 new, 1 known; 1 in quarantine');
});

test('so do Markdown, JSON, JUnit, CTRF and Allure', () => {
  const markdown = toMarkdown(told);
  expect(markdown).toContain('## What failed (2, 1 new, 1 known)');
  expect(markdown).toContain(line);
  expect(markdown).toContain('## In quarantine: not counted (1)');
  const json = JSON.parse(toJson(told));
  expect(json.failures).toEqual({ new: 1, known: 1 });
  expect(json.files[1]).toMatchObject({ quarantined: [note] });
  expect(json.files[1].cases.map((one: { history: KnownFailure | null }) => one.history?.seen)).toEqual([
    undefined,
    'known',
    'new',
  ]);
  const junit = toJUnit(told);
  expect(junit).toContain('failures="2" errors="0" skipped="1"');
  expect(junit).toContain('<skipped message="in quarantine: muted, failed: ada');
  expect(junit).toContain(`<property name="assay.failure old" value="${line}"/>`);
  const tests = JSON.parse(toCtrf(told)).results.tests;
  expect(tests.find(({ name }: { name: string }) => name === 'muted')).toMatchObject({
    status: 'other',
    rawStatus: 'failed',
  });
  expect(tests.find(({ name }: { name: string }) => name === 'fresh')).toMatchObject({ tags: ['new failure'] });
  const allure = toAllure(told);
  expect(allure.find(({ name }) => name === 'muted')).toMatchObject({ statusDetails: { muted: true } });
  expect(allure.find(({ name }) => name === 'old')).toMatchObject({ statusDetails: { known: true } });
});

test('where the history could not be read nothing is said of it', () => {
  const text = renderSummary(report(null), (_, shown) => shown);
  expect(text).not.toMatch(/known:|new:| new,/);
  expect(JSON.parse(toJson(report(null))).failures).toBeNull();
});
