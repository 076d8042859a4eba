// Failures that are one, and which of them a run brought.
import { clusterFailures } from '@assay/core';
import type { FailureReport } from '@assay/protocol';
import type { FailureRow } from '../ports/analysis.ts';
import { testText } from './by-test.ts';
import { knownFailuresOf } from './known-failures.ts';

const clustersMax = 200;
const namesMax = 50;

export function failureReportOf(
  rows: readonly FailureRow[],
  run: string | null,
  profiles: ReadonlyMap<string, unknown>,
  isCut: boolean,
): FailureReport {
  const failures = rows.map((row) => ({ ...row, test: testText(row), hardware: row.profileDigest }));
  const inRun = new Set(rows.filter((row) => row.run === run));
  const clusters = clusterFailures(failures).map((cluster) => ({
    ...cluster,
    tests: cluster.tests.slice(0, namesMax),
    revisions: cluster.revisions.slice(0, namesMax),
    hardware: cluster.hardware.slice(0, namesMax),
    inRun: run === null ? null : ('absent' as const),
  }));
  if (run === null) return { clusters: clusters.slice(0, clustersMax), failures: rows.length, ofRun: [], isCut };
  const brought = new Set(
    clusterFailures(failures.filter((_, at) => inRun.has(rows[at] as FailureRow))).map(({ signature }) => signature),
  );
  const told = clusters.map((cluster) =>
    brought.has(cluster.signature)
      ? { ...cluster, inRun: cluster.firstSeen.run === run ? ('new' as const) : ('known' as const) }
      : cluster,
  );
  // What the run brought comes first.
  told.sort((a, b) => Number(a.inRun === 'absent') - Number(b.inRun === 'absent'));
  const ofRun = knownFailuresOf(rows, run, profiles);
  return { clusters: told.slice(0, clustersMax), failures: rows.length, ofRun, isCut };
}
