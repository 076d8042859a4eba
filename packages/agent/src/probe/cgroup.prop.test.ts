import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { probeCgroup } from './cgroup.ts';
import { machineAt, writeTree } from './fixture-tree.ts';

const limits = fc.option(fc.integer({ min: 1, max: 2 ** 40 }), { nil: undefined });
const quotas = fc.option(
  fc.record({ quota: fc.integer({ min: 1_000, max: 10_000_000 }), period: fc.constantFrom(10_000, 50_000, 100_000) }),
  { nil: undefined },
);
const chain = fc.array(fc.record({ memory: limits, cpu: quotas }), { minLength: 1, maxLength: 8 });

test.each(['1', '2'] as const)(
  'safety: in cgroup v%s no ancestor allows less than what is reported',
  async (version) => {
    await fc.assert(
      fc.asyncProperty(chain, async (groups) => {
        const root = writeTree(version === '1' ? v1Tree(groups) : v2Tree(groups));
        try {
          const { value, unknown } = await probeCgroup(machineAt(root));
          const memory = groups.flatMap((group) => group.memory ?? []);
          const cores = groups.flatMap((group) => (group.cpu ? [group.cpu.quota / group.cpu.period] : []));
          expect(unknown).toEqual([]);
          expect(value?.memoryLimitBytes).toBe(memory.length === 0 ? undefined : Math.min(...memory));
          if (cores.length === 0) expect(value).not.toHaveProperty('cpuQuotaCores');
          else expect(value?.cpuQuotaCores).toBe(Math.min(...cores));
        } finally {
          rmSync(root, { recursive: true });
        }
      }),
      { numRuns: 60 },
    );
  },
);

type Group = { memory: number | undefined; cpu: { quota: number; period: number } | undefined };

function pathOf(depth: number): string {
  return Array.from({ length: depth + 1 }, (_, index) => `/g${index}`).join('');
}

function v2Tree(groups: Group[]): string {
  const files = groups.map((group, depth) => {
    const folder = `sys/fs/cgroup${pathOf(depth)}`;
    const cpu = group.cpu ? `${group.cpu.quota} ${group.cpu.period}` : 'max 100000';
    return `-- ${folder}/cpu.max --\n${cpu}\n-- ${folder}/memory.max --\n${group.memory ?? 'max'}\n`;
  });
  const own = pathOf(groups.length - 1);
  const mounts = '30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw';
  return `Drawn.\n-- proc/self/cgroup --\n0::${own}\n-- proc/self/mountinfo --\n${mounts}\n${files.join('')}`;
}

function v1Tree(groups: Group[]): string {
  const files = groups.map((group, depth) => {
    const cpu = `sys/fs/cgroup/cpu${pathOf(depth)}`;
    const memory = `sys/fs/cgroup/memory${pathOf(depth)}/memory.limit_in_bytes`;
    return [
      `-- ${cpu}/cpu.cfs_quota_us --\n${group.cpu?.quota ?? -1}\n-- ${cpu}/cpu.cfs_period_us --\n${group.cpu?.period ?? 100_000}\n`,
      `-- ${memory} --\n${group.memory ?? '9223372036854771712'}\n`,
    ].join('');
  });
  const own = pathOf(groups.length - 1);
  const mounts = [
    '32 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu',
    '33 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
  ].join('\n');
  return `Drawn.\n-- proc/self/cgroup --\n2:memory:${own}\n1:cpu:${own}\n-- proc/self/mountinfo --\n${mounts}\n${files.join('')}`;
}
