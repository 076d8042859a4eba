// Which cgroup limits bind this process, read by ourselves: Node's os.totalmem() and availableParallelism() report the
// host's and know nothing of cgroup v1.
//
// A limit of any ancestor binds its descendants, so the walk goes from the process's own group up to the top of the mount
// and the tightest value wins. Three layouts: v1 (a hierarchy a controller), v2 (one for all), hybrid (v1 controllers,
// and v2 mounted beside them without any). /proc/self/cgroup names the group, mountinfo says where that hierarchy is
// mounted and which part of it we see: in a container without a cgroup namespace the mount's root is the container's own
// group, and the path in /proc/self/cgroup begins with it. Sources: cgroups(7), kernel Documentation/admin-guide/cgroup-v1
// and cgroup-v2, proc_pid_mountinfo(5).
import { posix } from 'node:path';
import { exists, readText } from './context.ts';
import type { ProbeContext, Probed } from './context.ts';

export type CgroupLimits = {
  version: '1' | '2' | 'hybrid';
  /** The process's own group, of the hierarchy that carries the memory or cpu controller. Identity, not capability. */
  path: string;
  cpuQuotaCores?: number;
  memoryLimitBytes?: number;
};

/** The controllers of cgroups(7); a named hierarchy (`name=systemd`) and mount options such as `xattr` are none. */
const v1Controllers = new Set(
  'cpu cpuacct cpuset memory devices freezer net_cls net_prio blkio perf_event hugetlb pids rdma misc'.split(' '),
);

type Membership = { controllers: string[]; path: string };
type CgroupMount = { kind: 'v1' | 'v2'; root: string; mountPoint: string; controllers: string[] };
type Limit = { kind: 'limit'; value: number } | { kind: 'none' } | { kind: 'unreadable'; reason: string };

export async function probeCgroup(ctx: ProbeContext): Promise<Probed<CgroupLimits>> {
  if (ctx.platform !== 'linux') return { value: undefined, unknown: [] };
  const membershipText = await readText(ctx, '/proc/self/cgroup');
  const mountsText = await readText(ctx, '/proc/self/mountinfo');
  const unreadable =
    membershipText === undefined ? '/proc/self/cgroup' : mountsText === undefined ? '/proc/self/mountinfo' : undefined;
  if (membershipText === undefined || mountsText === undefined) {
    return { value: undefined, unknown: [{ field: 'cgroup', reason: `${unreadable} cannot be read` }] };
  }
  const memberships = parseMemberships(membershipText);
  const mounts = parseCgroupMounts(mountsText);
  const first = mounts[0];
  if (!first) {
    return {
      value: undefined,
      unknown: [{ field: 'cgroup', reason: 'no cgroup file system is mounted, so limits cannot be read' }],
    };
  }
  const cpu = await tightest(ctx, ancestorsOf(memberships, mounts, 'cpu'), readCpuQuota);
  const memory = await tightest(ctx, ancestorsOf(memberships, mounts, 'memory'), readMemoryLimit);
  const unknown = [
    ...(cpu.kind === 'unreadable' ? [{ field: 'cgroup.cpuQuotaCores', reason: cpu.reason }] : []),
    ...(memory.kind === 'unreadable' ? [{ field: 'cgroup.memoryLimitMiB', reason: memory.reason }] : []),
  ];
  const kinds = new Set(
    mounts.filter((mount) => mount.kind === 'v2' || mount.controllers.length > 0).map((mount) => mount.kind),
  );
  const value: CgroupLimits = {
    version: kinds.size === 2 ? 'hybrid' : first.kind === 'v2' ? '2' : '1',
    path: (memberships.find((entry) => entry.controllers.includes('memory')) ?? memberships.at(-1))?.path ?? '/',
  };
  if (cpu.kind === 'limit') value.cpuQuotaCores = cpu.value;
  if (memory.kind === 'limit') value.memoryLimitBytes = memory.value;
  return { value, unknown };
}

/** Lines of `/proc/self/cgroup`: `id:controllers:path`. The v2 line has no controllers; a path may contain colons. */
export function parseMemberships(text: string): Membership[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, controllers = '', ...path] = line.split(':');
      return { controllers: controllers.split(',').filter(Boolean), path: path.join(':') || '/' };
    });
}

/** The cgroup mounts of `/proc/self/mountinfo`; mount points and roots have their octal escapes undone. */
export function parseCgroupMounts(text: string): CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of text.split('\n')) {
    const [left, right] = line.split(' - ');
    const [, , , root, mountPoint] = left?.split(' ') ?? [];
    const [type, , options = ''] = right?.split(' ') ?? [];
    if (root === undefined || mountPoint === undefined || (type !== 'cgroup' && type !== 'cgroup2')) continue;
    const place = { root: unescapeOctal(root), mountPoint: unescapeOctal(mountPoint) };
    const controllers = options.split(',').filter((option) => v1Controllers.has(option));
    mounts.push(type === 'cgroup2' ? { kind: 'v2', ...place, controllers: [] } : { kind: 'v1', ...place, controllers });
  }
  return mounts;
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

type Group = { kind: 'v1' | 'v2'; folder: string };

/** The process's group of a controller and its ancestors that can be seen, nearest first; empty when it has no hierarchy. */
export function ancestorsOf(memberships: Membership[], mounts: CgroupMount[], controller: string): Group[] {
  const v1 = memberships.find((entry) => entry.controllers.includes(controller));
  const membership = v1 ?? memberships.find((entry) => entry.controllers.length === 0);
  const mount = v1
    ? mounts.find((entry) => entry.kind === 'v1' && entry.controllers.includes(controller))
    : mounts.find((entry) => entry.kind === 'v2');
  if (!membership || !mount) return [];
  const groups: Group[] = [];
  for (let path = pathBelowMount(membership.path, mount.root); ; path = posix.dirname(path)) {
    groups.push({ kind: mount.kind, folder: posix.join(mount.mountPoint, path) });
    if (path === '/') return groups;
  }
}

/** Where a group lies below its mount. Outside of what the mount shows (a group above our namespace), the mount's top is all there is. */
function pathBelowMount(path: string, root: string): string {
  if (root === '/') return path.startsWith('/..') ? '/' : posix.normalize(path);
  return path.startsWith(`${root}/`) ? posix.normalize(path.slice(root.length)) : '/';
}

async function tightest(ctx: ProbeContext, groups: Group[], read: typeof readCpuQuota): Promise<Limit> {
  // A group that is not to be seen below its own mount (a stale bind mount) leaves its ancestors, which bind it as well.
  const visible: Group[] = [];
  for (const group of groups) if (await exists(ctx, group.folder)) visible.push(group);
  if (groups.length > 0 && visible.length === 0) {
    return { kind: 'unreadable', reason: `no group of this process is visible under ${groups.at(-1)?.folder}` };
  }
  const limits = await Promise.all(visible.map((group) => read(ctx, group)));
  const values = limits.flatMap((entry) => (entry.kind === 'limit' ? [entry.value] : []));
  // Half a reading is no reading: the limit that could not be read may be the tightest.
  const broken = limits.find((entry) => entry.kind === 'unreadable');
  if (broken) return broken;
  return values.length === 0 ? { kind: 'none' } : { kind: 'limit', value: Math.min(...values) };
}

async function readCpuQuota(ctx: ProbeContext, group: Group): Promise<Limit> {
  if (group.kind === 'v2') {
    const text = await readText(ctx, `${group.folder}/cpu.max`);
    // The root group has no such file, and neither has a group whose parent does not delegate the controller.
    if (text === undefined) return { kind: 'none' };
    const [quota, period] = text.trim().split(' ');
    if (quota === 'max') return { kind: 'none' };
    return ratio(quota, period, `${group.folder}/cpu.max`);
  }
  const quota = await readText(ctx, `${group.folder}/cpu.cfs_quota_us`);
  if (quota === undefined || quota.trim() === '-1') return { kind: 'none' };
  return ratio(quota, await readText(ctx, `${group.folder}/cpu.cfs_period_us`), `${group.folder}/cpu.cfs_quota_us`);
}

function ratio(quota: string | undefined, period: string | undefined, file: string): Limit {
  const cores = wholeNumber(quota) / wholeNumber(period);
  if (cores > 0 && Number.isFinite(cores)) return { kind: 'limit', value: cores };
  return { kind: 'unreadable', reason: `${file} holds no quota and period: ${JSON.stringify(quota?.slice(0, 60))}` };
}

async function readMemoryLimit(ctx: ProbeContext, group: Group): Promise<Limit> {
  const file = `${group.folder}/${group.kind === 'v2' ? 'memory.max' : 'memory.limit_in_bytes'}`;
  const text = await readText(ctx, file);
  if (text === undefined || text.trim() === 'max' || text.trim() === '-1') return { kind: 'none' };
  const bytes = wholeNumber(text);
  if (!(bytes >= 0))
    return { kind: 'unreadable', reason: `${file} holds no number of bytes: ${JSON.stringify(text.slice(0, 60))}` };
  // v1 says "unlimited" by the largest multiple of the page size below 2^63 (4 KiB or 64 KiB pages).
  return bytes >= 2 ** 62 ? { kind: 'none' } : { kind: 'limit', value: bytes };
}

function wholeNumber(text: string | undefined): number {
  return text !== undefined && /^\d+$/.test(text.trim()) ? Number(text.trim()) : Number.NaN;
}
