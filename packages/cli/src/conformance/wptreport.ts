// Merged results as a wptreport file, the form that web-platform-tests' own tools read: one result a test page with its subtests.
// One file is of one browser, as theirs are.
import { AssayError } from '@assay/protocol';
import type { MergedConformance } from './merge.ts';

export type WptReport = {
  readonly run_info: { readonly product: string; readonly browser_version: string; readonly os: string };
  readonly time_start: number;
  readonly time_end: number;
  readonly results: readonly {
    readonly test: string;
    readonly status: string;
    readonly message: string | null;
    readonly duration: number;
    readonly subtests: readonly { readonly name: string; readonly status: string; readonly message: string | null }[];
  }[];
};

/** USAGE where the run has no web-platform-tests, or those of several browsers. Times are the time of merging. */
export function toWptReport({ parts, date }: MergedConformance, os: string): WptReport {
  const own = parts.filter(({ suite }) => suite === 'wpt');
  const [browser, ...others] = new Set(own.map((part) => part.browser));
  if (browser === undefined) throw new AssayError('USAGE', 'The run has no results of web-platform-tests.');
  if (others.length > 0)
    throw new AssayError('USAGE', `A wptreport is of one browser, and the run has ${[browser, ...others].join(', ')}.`);
  const at = browser.lastIndexOf(' ');
  const results = own.flatMap((part) => part.results);
  return {
    run_info: { product: browser.slice(0, at), browser_version: browser.slice(at + 1), os },
    time_start: Date.parse(date),
    time_end: Date.parse(date),
    results: results
      .map(({ name, status, message = null, durationMs, subtests }) => ({
        test: name,
        status,
        message,
        duration: Math.round(durationMs),
        subtests: subtests.map((one) => ({ name: one.name, status: one.status, message: one.message ?? null })),
      }))
      .toSorted((a, b) => (a.test < b.test ? -1 : a.test > b.test ? 1 : 0)),
  };
}
