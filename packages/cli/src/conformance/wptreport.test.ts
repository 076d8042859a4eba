import { expect, test } from 'vitest';
import type { MergedConformance } from './merge.ts';
import { toWptReport } from './wptreport.ts';

const part = (name: string, browser: string): MergedConformance['parts'][number] => ({
  suite: 'wpt',
  revision: null,
  target: name.slice(1),
  browser,
  adapter: null,
  isSoftware: null,
  results: [{ name, status: 'OK', durationMs: 12.6, subtests: [{ name: 'one', status: 'FAIL', message: 'got 2' }] }],
});
const merged = (...parts: MergedConformance['parts']): MergedConformance => ({
  kind: 'assay-conformance',
  run: 'r-1',
  date: '2026-01-01T00:00:00Z',
  parts,
  missing: [],
});

test('a report of web-platform-tests has a result for each page, sorted, and names its browser', () => {
  const report = toWptReport(
    merged(part('/b.html', 'chromium 156.0.1'), part('/a.html?x', 'chromium 156.0.1')),
    'linux',
  );
  expect(report.run_info).toEqual({ product: 'chromium', browser_version: '156.0.1', os: 'linux' });
  expect(report.results.map(({ test: name }) => name)).toEqual(['/a.html?x', '/b.html']);
  expect(report.results[0]).toEqual({
    test: '/a.html?x',
    status: 'OK',
    message: null,
    duration: 13,
    subtests: [{ name: 'one', status: 'FAIL', message: 'got 2' }],
  });
});

test('two browsers are two reports, and none is made of nothing', () => {
  expect(() => toWptReport(merged(part('/a.html', 'chromium 1'), part('/a.html', 'firefox 2')), 'linux')).toThrow(
    'chromium 1, firefox 2',
  );
  expect(() => toWptReport(merged(), 'linux')).toThrow('no results of web-platform-tests');
});
