// The processors: vendor, model, how many there are, how many this process may use, and their instruction sets.
//
// `count` is what this process may keep busy: the affinity mask and the cgroup quota bound it, and Node's
// availableParallelism() ignores a v1 quota. `isa` is the intersection over all processors, because a task may land on any.
import type { Profile } from '@assay/protocol';
import type { CgroupLimits } from './cgroup.ts';
import type { CimFacts } from './cim.ts';
import { failureReason, listFolder, oneLine, readText } from './context.ts';
import type { ProbeContext, Probed } from './context.ts';
import { partialCpu } from './cpu-info.ts';
import type { CpuFacts } from './cpu-info.ts';

export type Cpu = Profile['cpu'];

export async function probeCpu(
  ctx: ProbeContext,
  cgroup: Probed<CgroupLimits>,
  cim: Probed<CimFacts>,
): Promise<Probed<Cpu>> {
  const quotaCores = cgroup.value?.cpuQuotaCores;
  const isQuotaUnknown = cgroup.unknown.some(
    (entry) => entry.field === 'cgroup' || entry.field === 'cgroup.cpuQuotaCores',
  );
  const facts = await readFacts(ctx, cim);
  const cpu: Cpu = { ...facts.value };
  const unknown = [...facts.unknown];
  const allowed = await allowedCount(ctx, cpu.logicalCount);
  if (quotaCores !== undefined) cpu.quotaCores = quotaCores;
  if (allowed === undefined) {
    unknown.push({
      field: 'cpu.count',
      reason: 'neither the affinity mask nor the number of processors could be read',
    });
  } else if (isQuotaUnknown) {
    unknown.push({
      field: 'cpu.count',
      reason: "the cgroup's CPU quota could not be read, so the affinity mask may promise too much",
    });
  } else {
    cpu.count = Math.max(1, Math.min(allowed, Math.floor(quotaCores ?? allowed)));
  }
  for (const field of ['vendor', 'model', 'logicalCount', 'isa'] as const) {
    const isSaid = unknown.some((entry) => entry.field === `cpu.${field}` || entry.field === 'cpu');
    if (cpu[field] === undefined && !isSaid)
      unknown.push({ field: `cpu.${field}`, reason: `${facts.source} does not say` });
  }
  return { value: cpu, unknown };
}

type Facts = { value: CpuFacts; unknown: Probed<Cpu>['unknown']; source: string };

async function readFacts(ctx: ProbeContext, cim: Probed<CimFacts>): Promise<Facts> {
  switch (ctx.platform) {
    case 'linux':
      return linuxFacts(ctx);
    case 'darwin':
      return darwinFacts(ctx);
    case 'win32':
      return {
        value: cim.value?.cpu ?? {},
        unknown: cim.value ? [] : reasonsAs('cpu', cim),
        source: 'Win32_Processor',
      };
    default:
      return { value: {}, unknown: [{ field: 'cpu', reason: `no CPU probe for ${ctx.platform}` }], source: '' };
  }
}

function reasonsAs(field: string, cim: Probed<CimFacts>): Probed<Cpu>['unknown'] {
  return cim.unknown.slice(0, 1).map((entry) => ({ field, reason: entry.reason }));
}

async function linuxFacts(ctx: ProbeContext): Promise<Facts> {
  const text = await readText(ctx, '/proc/cpuinfo');
  if (text === undefined) {
    return { value: {}, unknown: [{ field: 'cpu', reason: '/proc/cpuinfo cannot be read' }], source: '/proc/cpuinfo' };
  }
  const value = partialCpu(text);
  const online = parseCpuList(await readText(ctx, '/sys/devices/system/cpu/online'));
  if (online !== undefined) value.logicalCount = online.length;
  const physical = value.physicalCount ?? (await coresFromTopology(ctx));
  if (physical !== undefined) value.physicalCount = physical;
  return { value, unknown: [], source: '/proc/cpuinfo' };
}

/** ARM's cpuinfo has no core ids: processors that share a core name each other in `thread_siblings_list`. */
async function coresFromTopology(ctx: ProbeContext): Promise<number | undefined> {
  const folders = (await listFolder(ctx, '/sys/devices/system/cpu'))?.filter((name) => /^cpu\d+$/.test(name)) ?? [];
  const siblings = await Promise.all(
    folders.map((name) => readText(ctx, `/sys/devices/system/cpu/${name}/topology/thread_siblings_list`)),
  );
  const cores = new Set(siblings.filter((text) => text !== undefined));
  return cores.size === 0 ? undefined : cores.size;
}

async function allowedCount(ctx: ProbeContext, logicalCount: number | undefined): Promise<number | undefined> {
  if (ctx.platform !== 'linux') return logicalCount;
  const status = await readText(ctx, '/proc/self/status');
  const mask = /^Cpus_allowed_list:\s*(\S+)/m.exec(status ?? '')?.[1];
  return parseCpuList(mask)?.length ?? logicalCount;
}

/** The kernel's list format, "0-3,8,10-11" (cpuset(7)); undefined for anything else. */
export function parseCpuList(text: string | undefined): number[] | undefined {
  const list = text?.trim();
  if (list === undefined || !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(list)) return undefined;
  const cpus = new Set<number>();
  for (const range of list.split(',')) {
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let cpu = first; cpu <= last && cpus.size < 65_536; cpu++) cpus.add(cpu);
  }
  return [...cpus];
}

async function darwinFacts(ctx: ProbeContext): Promise<Facts> {
  const outcome = await ctx.run('/usr/sbin/sysctl', ['-a'], ctx.commandTimeoutMs);
  if (outcome.kind !== 'ok') {
    const reason = failureReason('sysctl', outcome, ctx.commandTimeoutMs);
    return { value: {}, unknown: [{ field: 'cpu', reason }], source: 'sysctl' };
  }
  return { value: parseSysctl(outcome.stdout), unknown: [], source: 'sysctl' };
}

/** `sysctl -a` of macOS. Intel lists features as words; Apple silicon has one `hw.optional.arm.FEAT_X: 1` a feature. */
export function parseSysctl(text: string): CpuFacts {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon > 0) values.set(line.slice(0, colon), line.slice(colon + 2).trim());
  }
  const facts: CpuFacts = {};
  const model = values.get('machdep.cpu.brand_string');
  if (model) facts.model = oneLine(model).slice(0, 200);
  const vendor = values.get('machdep.cpu.vendor') ?? (model?.startsWith('Apple') ? 'Apple' : undefined);
  if (vendor) facts.vendor = vendor;
  const logical = Number(values.get('hw.logicalcpu'));
  if (logical >= 1) facts.logicalCount = logical;
  const physical = Number(values.get('hw.physicalcpu'));
  if (physical >= 1) facts.physicalCount = physical;
  const isa = new Set<string>();
  for (const [key, value] of values) {
    const arm = /^hw\.optional\.(?:arm\.FEAT_)?(\w+)$/.exec(key)?.[1]?.toLowerCase();
    if (arm !== undefined && value === '1') isa.add(arm);
    if (/^machdep\.cpu\.(leaf7_)?features$/.test(key))
      for (const flag of value.toLowerCase().split(' ')) isa.add(intelName(flag));
  }
  if (isa.size > 0) facts.isa = [...isa].filter((flag) => /^[a-z0-9][\w.]*$/.test(flag)).sort();
  return facts;
}

/** macOS prints Intel's spelling, `AVX1.0` and `SSE4.2`; requirements use the Linux one. */
function intelName(flag: string): string {
  return flag === 'avx1.0' ? 'avx' : flag.replace(/^sse4\.(\d)$/, 'sse4_$1');
}
