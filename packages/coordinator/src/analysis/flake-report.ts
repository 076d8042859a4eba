// Which of the tests that failed are flakes, and where each one's failures live.
import { flakeExecutionsMin, judgeFlake, placeOfFailures, type Placed } from '@assay/core';
import type { FlakeReport, FlakyTest } from '@assay/protocol';
import type { ExecutionRow } from '../ports/analysis.ts';
import { groupBy, testKey, testNameOf, testText } from './by-test.ts';
import { dimensionsOf } from './dimensions.ts';

export function flakeReportOf(
  rows: readonly ExecutionRow[],
  profiles: ReadonlyMap<string, unknown>,
  isCut: boolean,
): FlakeReport {
  const tests = groupBy(rows, testKey).map((group) => judged(group, profiles));
  tests.sort((a, b) => (b.score ?? -1) - (a.score ?? -1) || (testText(a) < testText(b) ? -1 : 1));
  return { tests, executionsMin: flakeExecutionsMin, isCut };
}

function judged(rows: readonly ExecutionRow[], profiles: ReadonlyMap<string, unknown>): FlakyTest {
  const ordered = rows.toSorted((a, b) => a.revisionSeq - b.revisionSeq);
  const chains = groupBy(ordered, ({ profileDigest }) => [profileDigest]).map((chain) =>
    groupBy(chain, ({ revision }) => [revision]).map((group) => ({
      failed: sum(group, ({ failed }) => failed),
      passed: sum(group, ({ passed }) => passed),
    })),
  );
  const flake = judgeFlake(chains);
  const placed = rows.map(({ worker, profileDigest, failed, passed }): Placed => ({
    where: { worker, ...dimensionsOf(profileDigest, profiles.get(profileDigest)) },
    failed,
    passed,
  }));
  const failures = sum(rows, ({ failed }) => failed);
  const shared = {
    ...testNameOf(rows[0] as ExecutionRow),
    executions: failures + sum(rows, ({ passed }) => passed),
    failures,
    place: placeOf(placed),
  };
  if (flake.kind === 'tooFew') return { ...shared, verdict: 'tooFew', score: null, rate: null };
  return { ...shared, verdict: flake.verdict, score: flake.score, rate: flake.rate };
}

function placeOf(placed: readonly Placed[]): FlakyTest['place'] {
  const place = placeOfFailures(placed);
  return place === null ? null : { ...place, alike: [...place.alike] };
}

function sum<Row>(rows: readonly Row[], of: (row: Row) => number): number {
  return rows.reduce((total, row) => total + of(row), 0);
}
