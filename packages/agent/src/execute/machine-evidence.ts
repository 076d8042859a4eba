// What the machine itself says when a process was cut short: whether the scratch disk is full, and whether the kernel
// killed something for memory. The latter are the counters of the memory control group that this process lives in,
// cgroup v2 (`memory.events`, oom_kill) or v1 (`memory.oom_control`, oom_kill), read before and after.
import { readFile, statfs } from 'node:fs/promises';
import path from 'node:path';

export type CgroupFiles = { readonly selfCgroup: string; readonly root: string };

export const hostCgroup: CgroupFiles = { selfCgroup: '/proc/self/cgroup', root: '/sys/fs/cgroup' };

/** Processes killed for memory in this control group and its parents so far; null where the kernel does not say. */
export async function oomKills(files: CgroupFiles = hostCgroup): Promise<number | null> {
  const groups = await readFile(files.selfCgroup, 'utf8').catch(() => '');
  let total: number | null = null;
  for (const line of groups.split('\n')) {
    const [id, controllers, group] = line.split(':');
    if (group === undefined) continue;
    const isV2 = id === '0' && controllers === '';
    if (!isV2 && !controllers?.split(',').includes('memory')) continue;
    const roots = isV2 ? [files.root, path.join(files.root, 'unified')] : [path.join(files.root, 'memory')];
    for (const root of roots) {
      const found = await countAt(root, group, isV2 ? 'memory.events' : 'memory.oom_control');
      if (found !== null) total = (total ?? 0) + found;
    }
  }
  return total;
}

/** The counter of the group itself, or of the nearest parent that is visible (a container sees its own group as the root). */
async function countAt(root: string, group: string, file: string): Promise<number | null> {
  for (let at = group; ; at = path.dirname(at)) {
    const text = await readFile(path.join(root, at, file), 'utf8').catch(() => null);
    const count = text === null ? null : /^oom_kill (\d+)$/m.exec(text)?.[1];
    if (count) return Number(count);
    if (at === '/' || at === '.') return null;
  }
}

/** Free bytes where scratch directories are; null when the system does not say. */
export async function scratchFreeBytes(scratchDir: string): Promise<number | null> {
  return statfs(scratchDir).then(
    (found) => found.bavail * found.bsize,
    () => null,
  );
}
