// Rows put together by the test that they are of, in the order in which they came.
import type { TestName } from '@assay/protocol';

export function testNameOf({ project, suite, target, path, variant }: TestName): TestName {
  return { project, suite, target, path, variant };
}

/** `target > group > test`, with the variant behind it where one ran. */
export function testText({ target, path, variant }: TestName): string {
  return [target, ...path].join(' > ') + (variant === '' ? '' : ` [${variant}]`);
}

export function groupBy<Row>(rows: readonly Row[], keyOf: (row: Row) => readonly unknown[]): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = JSON.stringify(keyOf(row));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

export const testKey = ({ project, suite, target, path, variant }: TestName): readonly unknown[] => [
  project,
  suite,
  target,
  path,
  variant,
];
