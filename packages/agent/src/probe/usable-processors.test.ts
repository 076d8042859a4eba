import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fixtureText, machineAt, writeTree } from './fixture-tree.ts';
import { usableProcessors } from './usable-processors.ts';

test.each([
  ['cgroup-v2-nested.tree', 8, 1],
  ['cgroup-v2-container.tree', 8, 1],
  ['cgroup-hybrid.tree', 8, 3],
  ['cgroup-hybrid.tree', 2, 2],
])('%s on %i processors: %i usable', async (tree, schedulable, usable) => {
  const root = writeTree(fixtureText(tree));
  try {
    expect(await usableProcessors(machineAt(root), schedulable)).toBe(usable);
  } finally {
    rmSync(root, { recursive: true });
  }
});
