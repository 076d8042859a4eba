// The kernel's own limits, set for real: a group below the one that this process is in, a tighter one above it, a process
// moved into it, and the probe run inside. v1 and v2 alike, whichever this machine lets us write.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Profile } from '@assay/protocol';
import { afterEach, expect, test } from 'vitest';

const isLinux = process.platform === 'linux';
const name = `assay-probe-${process.pid}`;
const made: string[] = [];
const mebi = 2 ** 20;

afterEach(removeGroups);

/** A group is busy for a moment after its last process has ended. */
async function removeGroups(): Promise<void> {
  for (const folder of made.splice(0).toReversed()) {
    const deadlineMs = performance.now() + 10_000;
    while (!isRemoved(folder)) {
      if (performance.now() > deadlineMs)
        throw new Error(`the group ${folder} stays busy: something is left running in it`);
      await delay(10);
    }
  }
}

function isRemoved(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

type Place =
  | { kind: 'v1'; cpu: string; memory: string }
  | { kind: 'v2'; group: string }
  | { kind: 'none'; reason: string };

/** Two nested groups of our own, below the top of what is mounted; or why there can be none. */
function makeGroups(): Place {
  if (!isLinux) return { kind: 'none', reason: 'cgroups are Linux' };
  const mount = (type: string, option?: string): string | undefined => {
    for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
      const [left = '', right = ''] = line.split(' - ');
      const [found, , options = ''] = right.split(' ');
      if (found === type && (option === undefined || options.split(',').includes(option))) return left.split(' ')[4];
    }
    return undefined;
  };
  const nest = (base: string): string => {
    for (const folder of [join(base, name), join(base, name, 'inner')]) {
      mkdirSync(folder);
      made.push(folder);
    }
    return join(base, name);
  };
  try {
    const [cpu, memory] = [mount('cgroup', 'cpu'), mount('cgroup', 'memory')];
    if (cpu !== undefined && memory !== undefined) return { kind: 'v1', cpu: nest(cpu), memory: nest(memory) };
    const unified = mount('cgroup2');
    if (unified === undefined) return { kind: 'none', reason: 'no cgroup file system is mounted' };
    const group = nest(unified);
    writeFileSync(join(group, 'cgroup.subtree_control'), '+cpu +memory');
    if (!readdirSync(group).includes('cpu.max'))
      return { kind: 'none', reason: 'the cpu controller is not delegated to us' };
    return { kind: 'v2', group };
  } catch (error) {
    return {
      kind: 'none',
      reason: `groups cannot be made here: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** The groups, or a loud skip; under ASSAY_REQUIRE_ALL a machine that cannot set limits fails. */
function requireGroups(skip: (note: string) => never): Exclude<Place, { kind: 'none' }> {
  const place = makeGroups();
  if (place.kind !== 'none') return place;
  if (process.env.ASSAY_REQUIRE_ALL === '1') expect.fail(`no cgroup limit can be set for real: ${place.reason}`);
  process.stderr.write(`SKIPPED cgroup.real.test.ts: ${place.reason}\n`);
  return skip(place.reason);
}

/** Runs the probe in a process that has entered the groups before it starts Node. */
async function probeInside(groups: string[]): Promise<Profile> {
  const probe = join(import.meta.dirname, 'index.ts');
  const program = `const { probeMachine } = await import(${JSON.stringify(probe)}); console.log(JSON.stringify((await probeMachine()).profile));`;
  const enter = groups.map((group) => `echo $$ > '${group}/cgroup.procs'`).join(' && ');
  const command = `${enter || 'true'} && exec '${process.execPath}' --input-type=module -e '${program}'`;
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command], { timeout: 60_000 });
  return JSON.parse(stdout) as Profile;
}

test('inside a real group the tightest limit of its ancestors is measured', async ({ skip }) => {
  const place = requireGroups(skip);
  const groups = place.kind === 'v1' ? [`${place.cpu}/inner`, `${place.memory}/inner`] : [`${place.group}/inner`];
  if (place.kind === 'v1') {
    writeFileSync(`${place.cpu}/inner/cpu.cfs_quota_us`, '150000');
    writeFileSync(`${place.memory}/memory.limit_in_bytes`, String(700 * mebi));
    writeFileSync(`${place.memory}/inner/memory.limit_in_bytes`, String(900 * mebi));
  } else {
    writeFileSync(`${place.group}/inner/cpu.max`, '150000 100000');
    writeFileSync(`${place.group}/memory.max`, String(700 * mebi));
    writeFileSync(`${place.group}/inner/memory.max`, String(900 * mebi));
  }
  const first = await probeInside(groups);
  expect(first.unknown.filter((entry) => /^(cgroup|cpu|memory)/.test(entry.field))).toEqual([]);
  expect(first.cpu).toMatchObject({ count: 1, quotaCores: 1.5 });
  expect(first.cgroup).toMatchObject({ cpuQuotaCores: 1.5, memoryLimitMiB: 700 });
  expect(first.memory.limitMiB).toBe(700);
  expect(first.memory.totalMiB).toBeGreaterThan(700);

  // Now the parent allows half a processor. (v1 refuses a child with more than its parent, so the child has no quota of its own.)
  if (place.kind === 'v1') {
    writeFileSync(`${place.cpu}/inner/cpu.cfs_quota_us`, '-1');
    writeFileSync(`${place.cpu}/cpu.cfs_quota_us`, '50000');
  } else writeFileSync(`${place.group}/cpu.max`, '50000 100000');
  const second = await probeInside(groups);
  expect(second.cpu).toMatchObject({ count: 1, quotaCores: 0.5 });
  expect(second.cgroup?.cpuQuotaCores).toBe(0.5);

  // Outside of the group nothing of it is seen.
  const free = await probeInside([]);
  expect(free.memory.limitMiB).toBeGreaterThan(700);
});
