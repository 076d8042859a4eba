// Counts merged results of conformance suites by suite, browser and adapter, and compares two runs subtest by subtest: between
// adapters, browsers, or one worker and many. A test without subtests counts as one.
import type { ConformanceResults } from '@assay/protocol';
import type { MergedConformance } from './merge.ts';

export type StatusCounts = Readonly<Record<string, number>>;
export type PlaceCounts = {
  readonly suite: string;
  readonly browser: string;
  readonly adapter: string;
  readonly tests: StatusCounts;
  readonly subtests: StatusCounts;
};
/** `null` is a side that has it not. */
export type Difference = {
  readonly name: string;
  readonly subtest: string;
  readonly before: string | null;
  readonly after: string | null;
};

export function countsOf({ parts }: Pick<MergedConformance, 'parts'>): PlaceCounts[] {
  const groups = Map.groupBy(parts, (part) => JSON.stringify([part.suite, part.browser, adapterOf(part)]));
  return [...groups.values()].map((group) => {
    const [{ suite, browser } = { suite: 'cts', browser: '' }] = group;
    const results = group.flatMap((part) => part.results);
    const subtests = results.flatMap((result) => (result.subtests.length === 0 ? [result] : result.subtests));
    const adapter = group[0] === undefined ? '' : adapterOf(group[0]);
    return { suite, browser, adapter, tests: tally(results), subtests: tally(subtests) };
  });
}

/** Every test or subtest whose status is not the same on both sides, sorted by name. */
export function differences(before: MergedConformance, after: MergedConformance): Difference[] {
  const [left, right] = [statusesOf(before), statusesOf(after)];
  const found: Difference[] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [name, subtest] = JSON.parse(key) as [string, string];
    const difference = { name, subtest, before: left.get(key) ?? null, after: right.get(key) ?? null };
    if (difference.before !== difference.after) found.push(difference);
  }
  return found.toSorted((a, b) => order(a.name, b.name) || order(a.subtest, b.subtest));
}

/** Milliseconds a subcase by test query, in the form of the WebGPU suite's own listing_meta.json. */
export function durationsOf({ parts }: Pick<MergedConformance, 'parts'>): Record<string, { subcaseMS: number }> {
  const totals = new Map<string, { ms: number; subcases: number }>();
  for (const { name, durationMs, subtests } of parts.flatMap(({ suite, results }) =>
    suite === 'cts' ? results : [],
  )) {
    const test = `${name.split(':').slice(0, 3).join(':')}:*`;
    const total = totals.get(test) ?? { ms: 0, subcases: 0 };
    totals.set(test, { ms: total.ms + durationMs, subcases: total.subcases + Math.max(1, subtests.length) });
  }
  return Object.fromEntries(
    [...totals]
      .map(([test, { ms, subcases }]) => [test, { subcaseMS: Math.round((ms / subcases) * 1_000) / 1_000 }] as const)
      .toSorted(([a], [b]) => order(a, b)),
  );
}

function statusesOf({ parts }: MergedConformance): Map<string, string> {
  const statuses = new Map<string, string>();
  for (const { name, status, subtests } of parts.flatMap((part) => part.results)) {
    statuses.set(JSON.stringify([name, '']), status);
    for (const subtest of subtests) statuses.set(JSON.stringify([name, subtest.name]), subtest.status);
  }
  return statuses;
}

function adapterOf({ adapter, isSoftware }: ConformanceResults): string {
  return `${adapter ?? 'no adapter'}${isSoftware === true ? ' (software)' : ''}`;
}

function tally(results: readonly { status: string }[]): StatusCounts {
  const counts: Record<string, number> = {};
  for (const { status } of results) counts[status] = (counts[status] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => order(a, b)));
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
