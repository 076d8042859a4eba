import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { oomKills } from './machine-evidence.ts';

async function kills(selfCgroup: string, files: Record<string, string>): Promise<number | null> {
  const root = await mkdtemp(path.join(tmpdir(), 'assay-cgroup-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), text);
    }
    await writeFile(path.join(root, 'self'), selfCgroup);
    return await oomKills({ selfCgroup: path.join(root, 'self'), root });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

test('cgroup v2 counts in memory.events', async () => {
  expect(await kills('0::/a/b\n', { 'a/b/memory.events': 'low 0\noom 3\noom_kill 2\n' })).toBe(2);
});

test('cgroup v1 counts in memory.oom_control', async () => {
  expect(await kills('4:memory:/job\n0::/x\n', { 'memory/job/memory.oom_control': 'under_oom 0\noom_kill 1\n' })).toBe(
    1,
  );
});

test('a container that sees its own group as the root is found by walking up', async () => {
  expect(await kills('0::/docker/abc\n', { 'memory.events': 'oom_kill 4\n' })).toBe(4);
});

test('without control groups nothing is known, and that is not zero', async () => {
  expect(await kills('', {})).toBeNull();
});
