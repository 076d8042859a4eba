import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseCgroupMounts, probeCgroup } from './cgroup.ts';
import { probeCpu } from './cpu.ts';
import { fixtureText, machineAt, writeTree } from './fixture-tree.ts';
import { probeMemory } from './system.ts';

const gib = 2 ** 30;
const none = { value: undefined, unknown: [] };

async function inTree<T>(text: string, body: (root: string) => Promise<T>): Promise<T> {
  const root = writeTree(text);
  try {
    return await body(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const layouts = [
  ['cgroup-v1-nested.tree', { version: '1', path: '/ci/team-a/job', cpuQuotaCores: 2.5, memoryLimitBytes: 3 * gib }],
  [
    'cgroup-v1-docker.tree',
    { version: '1', path: '/docker/0123456789abcdef:x', cpuQuotaCores: 1.5, memoryLimitBytes: gib / 2 },
  ],
  [
    'cgroup-v2-nested.tree',
    { version: '2', path: '/user.slice/user-1000.slice/ci.service', cpuQuotaCores: 1.5, memoryLimitBytes: 2 * gib },
  ],
  ['cgroup-v2-container.tree', { version: '2', path: '/', cpuQuotaCores: 0.5, memoryLimitBytes: gib }],
  ['cgroup-hybrid.tree', { version: 'hybrid', path: '/lab/worker', cpuQuotaCores: 3.5, memoryLimitBytes: 4 * gib }],
] as const;

test.each(layouts)('%s: the tightest limit of any ancestor wins', async (name, expected) => {
  await inTree(fixtureText(name), async (root) => {
    expect(await probeCgroup(machineAt(root))).toEqual({ value: expected, unknown: [] });
  });
});

test.each([
  ['/docker/0123456789abcdef:x/inner', 0.25, 'a group below the root of the mount counts'],
  ['/docker/0123456789abcdef:xyz/inner', 1.5, 'a name that only begins like the root of the mount is not below it'],
])('in a container without a cgroup namespace, at %s: quota %d, because %s', async (path, cpuQuotaCores) => {
  const inner = 'sys/fs/cgroup/cpu,cpuacct/inner';
  const tree = fixtureText('cgroup-v1-docker.tree').replaceAll(':/docker/0123456789abcdef:x\n', `:${path}\n`);
  const text = `${tree}-- ${inner}/cpu.cfs_quota_us --\n25000\n-- ${inner}/cpu.cfs_period_us --\n100000\n`;
  await inTree(text, async (root) => {
    expect((await probeCgroup(machineAt(root))).value).toMatchObject({ cpuQuotaCores });
  });
});

test('a limit that cannot be understood makes the quota, and with it the processor count, unknown', async () => {
  await inTree(fixtureText('cgroup-broken.tree'), async (root) => {
    const ctx = machineAt(root);
    const cgroup = await probeCgroup(ctx);
    expect(cgroup.value).toEqual({ version: '2', path: '/a/b', memoryLimitBytes: gib });
    expect(cgroup.unknown).toEqual([
      {
        field: 'cgroup.cpuQuotaCores',
        reason: '/sys/fs/cgroup/a/cpu.max holds no quota and period: "plenty"',
      },
    ]);
    const cpu = await probeCpu(ctx, cgroup, none);
    expect(cpu.value).not.toHaveProperty('count');
    expect(cpu.unknown.map((entry) => entry.field)).toContain('cpu.count');
    // Memory was readable, and is not concerned.
    expect(await probeMemory(ctx, cgroup, none)).toEqual({ value: { totalMiB: 16_000, limitMiB: 1024 }, unknown: [] });
  });
});

test('a Linux without cgroups says so, and neither count nor memory limit is guessed', async () => {
  const text =
    'Hand-written.\n-- proc/meminfo --\nMemTotal: 1024000 kB\n-- proc/self/status --\nCpus_allowed_list:\t0-3\n';
  await inTree(text, async (root) => {
    const ctx = machineAt(root);
    const cgroup = await probeCgroup(ctx);
    expect(cgroup).toEqual({
      value: undefined,
      unknown: [{ field: 'cgroup', reason: '/proc/self/cgroup cannot be read' }],
    });
    expect((await probeCpu(ctx, cgroup, none)).value).not.toHaveProperty('count');
    const memory = await probeMemory(ctx, cgroup, none);
    expect(memory.value).toEqual({ totalMiB: 1000 });
    expect(memory.unknown.map((entry) => entry.field)).toEqual(['memory.limitMiB']);
  });
});

test('a quota below one processor still leaves one to run on, and the fraction is kept', async () => {
  const status = '-- proc/self/status --\nCpus_allowed_list:\t0-7\n';
  await inTree(fixtureText('cgroup-v2-container.tree') + status, async (root) => {
    const ctx = machineAt(root);
    const cpu = await probeCpu(ctx, await probeCgroup(ctx), none);
    expect(cpu.value).toMatchObject({ count: 1, quotaCores: 0.5 });
  });
});

test('a quota of several and a half processors is rounded down, and a mask that is tighter wins', async () => {
  for (const [mask, count] of [
    ['0-7', 3],
    ['4', 1],
  ] as const) {
    const status = `-- proc/self/status --\nCpus_allowed_list:\t${mask}\n`;
    await inTree(fixtureText('cgroup-hybrid.tree') + status, async (root) => {
      const ctx = machineAt(root);
      expect((await probeCpu(ctx, await probeCgroup(ctx), none)).value).toMatchObject({ count, quotaCores: 3.5 });
    });
  }
});

test('a mount point with a space in it is found, and a named hierarchy carries no controller', () => {
  const text = String.raw`30 25 0:26 / /mnt/my\040groups rw - cgroup cgroup rw,memory
31 25 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd`;
  expect(parseCgroupMounts(text)).toEqual([
    { kind: 'v1', root: '/', mountPoint: '/mnt/my groups', controllers: ['memory'] },
    { kind: 'v1', root: '/', mountPoint: '/sys/fs/cgroup/systemd', controllers: [] },
  ]);
});
