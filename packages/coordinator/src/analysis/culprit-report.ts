// After which revision a test fails, for every test whose name holds the words that were asked for.
import { locateCulprit, type Tried } from '@assay/core';
import type { CulpritReport, CulpritRequest } from '@assay/protocol';
import type { ExecutionRow } from '../ports/analysis.ts';
import { groupBy, testKey, testNameOf, testText } from './by-test.ts';

const testsMax = 20;

export function culpritReportOf(rows: readonly ExecutionRow[], { test, revisions }: CulpritRequest): CulpritReport {
  const asked = groupBy(
    rows.filter((row) => testText(row).includes(test)),
    testKey,
  );
  return { tests: asked.slice(0, testsMax).flatMap((group) => culpritOf(group, revisions) ?? []) };
}

function culpritOf(
  rows: readonly ExecutionRow[],
  asked: readonly string[] | undefined,
): CulpritReport['tests'][number] | null {
  const seen = groupBy(
    rows.toSorted((a, b) => a.revisionSeq - b.revisionSeq),
    ({ revision }) => [revision],
  );
  const counts = new Map(seen.map((group) => [(group[0] as ExecutionRow).revision, countsOf(group)]));
  const order = asked ?? [...counts.keys()];
  const tried = order.map((revision) => counts.get(revision) ?? { failed: 0, passed: 0 });
  const culprit = locateCulprit(tried);
  if (culprit === null) return null;
  const { first, last, likeliest, posterior, changed } = culprit;
  return {
    ...testNameOf(rows[0] as ExecutionRow),
    changed,
    likeliest: order[likeliest] as string,
    between: order.slice(first, last + 1),
    next: first === last ? null : (order[halfOf(posterior, first, last)] as string),
    revisions: order.map((revision, at) => ({ revision, ...(tried[at] as Tried) })),
  };
}

/**
 * The revision that splits what the posterior holds in halves: one that is no flake's result then tells one bit, the most that
 * one result can. It lies before the last place of the set, so that its result can move the set.
 */
function halfOf(posterior: readonly number[], first: number, last: number): number {
  let [held, best, nearest] = [0, first, Infinity];
  for (let at = first; at < last; at += 1) {
    // The posterior begins at place 1.
    held += posterior[at - 1] as number;
    // Halves that differ by rounding only are halves alike: the earlier one stands.
    if (Math.abs(held - 0.5) < nearest - 1e-9) [best, nearest] = [at, Math.abs(held - 0.5)];
  }
  return best;
}

function countsOf(group: readonly ExecutionRow[]): Tried {
  return group.reduce((sum, { failed, passed }) => ({ failed: sum.failed + failed, passed: sum.passed + passed }), {
    failed: 0,
    passed: 0,
  });
}
