// Of each failure that a run brought: did this test fail so before? By test and signature, so that a generic message in another
// test does not make a new failure an old one. Rows come newest run first, so that what stands behind a run's rows is older.
import { signatureOf } from '@assay/core';
import type { KnownFailure } from '@assay/protocol';
import type { FailureRow } from '../ports/analysis.ts';
import { groupBy, testNameOf } from './by-test.ts';
import { hardwareText } from './dimensions.ts';

const namesMax = 20;

export function knownFailuresOf(
  rows: readonly FailureRow[],
  run: string,
  profiles: ReadonlyMap<string, unknown>,
): KnownFailure[] {
  const first = rows.findIndex((row) => row.run === run);
  if (first < 0) return [];
  const told = rows.slice(first).map((row) => ({ ...row, signature: signatureOf(row.message, row.stack) }));
  // Another variant of a test is the same test on another thing: what it failed with there is known.
  const alike = groupBy(told, ({ suite, target, path, signature, project }) => [
    project,
    suite,
    target,
    path,
    signature,
  ]);
  return alike.flatMap((group) => {
    const mine = group.filter((row) => row.run === run);
    const earlier = group.filter((row) => row.run !== run);
    const [newest] = mine;
    if (newest === undefined) return [];
    const [last, oldest] = [earlier[0] ?? null, group.at(-1) as FailureRow];
    const distinct = (of: (row: FailureRow) => string): string[] => [...new Set(group.map(of))].slice(0, namesMax);
    return [
      {
        ...testNameOf(newest),
        signature: newest.signature,
        message: newest.message,
        seen: last === null ? ('new' as const) : ('known' as const),
        earlier: earlier.length,
        firstSeen: { run: oldest.run, atMs: oldest.atMs },
        lastSeen: last === null ? null : { run: last.run, atMs: last.atMs },
        revisions: distinct(({ revision }) => revision),
        hardware: distinct(({ profileDigest }) => hardwareText(profileDigest, profiles.get(profileDigest))),
      },
    ];
  });
}
