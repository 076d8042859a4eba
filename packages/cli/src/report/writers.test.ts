import { XMLParser } from 'fast-xml-parser';
import { isValid, parse } from 'ctrf';
import { expect, test } from 'vitest';
import { create } from 'xmlbuilder2';
import { renderSummary } from '../render/summary.ts';
import { hostile, reportFixture } from '../testing/report-fixture.ts';
import { toCtrf } from './ctrf.ts';
import { toJson } from './json.ts';
import { toJUnit } from './junit.ts';
import { toMarkdown } from './markdown.ts';

const plain = (_: unknown, text: string): string => text;

test('JUnit is well-formed whatever the tests say, and a file that failed as a whole is an error in it', () => {
  const xml = toJUnit(reportFixture());
  expect(() => create(xml).end({ wellFormed: true })).not.toThrow();
  const { testsuites } = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' }).parse(xml) as {
    testsuites: { testsuite: Record<string, string>[] };
  };
  expect(
    testsuites.testsuite.map(({ tests, failures, errors, skipped }) => [tests, failures, errors, skipped].join()),
  ).toEqual(['2,0,0,1', '1,1,0,0', '1,0,1,0', '1,0,1,0']);
  expect(testsuites.testsuite.every(({ time }) => time === '1.235' || time === '1.234')).toBe(true);
  expect(xml).not.toMatch(/[\u0000-\u0008\u001b]/);
});

test('CTRF passes its own schema and counts every case and every failed file', () => {
  const text = toCtrf(reportFixture());
  const report = parse(text);
  expect(isValid(report)).toBe(true);
  expect(report.results.summary).toMatchObject({
    tests: 5,
    passed: 1,
    failed: 3,
    skipped: 1,
    start: 1_700_000_000_000,
    stop: 1_700_000_060_000,
  });
});

test('Markdown fences what tests say, so that it cannot change the page', () => {
  const text = toMarkdown(reportFixture());
  expect(text).toContain('````text');
  expect(text).toContain('## What failed (3)');
  expect(text).not.toMatch(/^# nightly a <b>/m);
});

test('JSON has every file with its cases, and the exit code', () => {
  const document = JSON.parse(toJson(reportFixture())) as { exitCode: number; files: { cases: { name: string }[] }[] };
  expect(document.exitCode).toBe(1);
  expect(document.files.map(({ cases }) => cases.length)).toEqual([2, 1, 0, 0]);
  expect(document.files[1]?.cases[0]?.name).toBe(`group > ${hostile}`);
});

test('the terminal summary names each failure once, with what to do next', () => {
  const text = renderSummary(reportFixture(), plain);
  expect(text.match(/✗/g)).toHaveLength(3);
  expect(text).toContain('FILE_FAILED_TO_LOAD');
  expect(text).toContain('Raise timeout');
  expect(text).toContain('FAILED');
});
