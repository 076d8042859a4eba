// The operating system, the memory and who this machine is.
//
// The identity is read here and kept apart: two equal machines differ in nothing but it. systemd asks that the machine id
// is not shown around, so what leaves the machine is a digest of it under our own name (machine-id(5)).
import { createHash } from 'node:crypto';
import type { MachineIdentity, Profile } from '@assay/protocol';
import type { CgroupLimits } from './cgroup.ts';
import type { CimFacts } from './cim.ts';
import { failureReason, readText } from './context.ts';
import type { ProbeContext, Probed } from './context.ts';

export type Os = Profile['os'];
export type Memory = Profile['memory'];

export async function probeOs(ctx: ProbeContext, cim: Probed<CimFacts>): Promise<Probed<Os>> {
  const os: Os = { family: ctx.platform === 'win32' ? 'windows' : ctx.platform, arch: ctx.arch };
  const unknown: Probed<Os>['unknown'] = [];
  if (ctx.platform === 'linux') {
    const release = (await readText(ctx, '/etc/os-release')) ?? (await readText(ctx, '/usr/lib/os-release'));
    const fields = parseOsRelease(release ?? '');
    const name = fields.get('ID');
    const version = fields.get('VERSION_ID');
    if (name) os.name = name.slice(0, 200);
    else
      unknown.push({
        field: 'os.name',
        reason: release === undefined ? 'there is no os-release file' : 'os-release has no ID',
      });
    // Rolling distributions have no version: its absence is an answer.
    if (version) os.version = version.slice(0, 200);
    os.kernel = ((await readText(ctx, '/proc/sys/kernel/osrelease'))?.trim() || ctx.kernel).slice(0, 200);
  } else if (ctx.platform === 'darwin') {
    os.name = 'macos';
    os.kernel = ctx.kernel;
    const outcome = await ctx.run('/usr/bin/sw_vers', ['-productVersion'], ctx.commandTimeoutMs);
    const version = outcome.kind === 'ok' ? /^\d[\w.]*/.exec(outcome.stdout.trim())?.[0] : undefined;
    if (version !== undefined) os.version = version.slice(0, 200);
    else unknown.push({ field: 'os.version', reason: failureReason('sw_vers', outcome, ctx.commandTimeoutMs) });
  } else {
    os.kernel = ctx.kernel;
    if (ctx.platform === 'win32') os.name = 'windows';
    if (cim.value?.os.version !== undefined) os.version = cim.value.os.version;
    for (const entry of cim.unknown.slice(0, 1)) unknown.push({ field: 'os.version', reason: entry.reason });
  }
  return { value: os, unknown };
}

/** os-release(5): shell-like assignments, quoted or not. */
export function parseOsRelease(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const found = /^([A-Z][A-Z0-9_]*)=(?:"(.*)"|'(.*)'|(.*))$/.exec(line.trim());
    if (found?.[1]) fields.set(found[1], found[2] ?? found[3] ?? found[4] ?? '');
  }
  return fields;
}

export async function probeMemory(
  ctx: ProbeContext,
  cgroup: Probed<CgroupLimits>,
  cim: Probed<CimFacts>,
): Promise<Probed<Memory>> {
  const total = await totalMiB(ctx, cim);
  if (total.value === undefined) return { value: {}, unknown: total.unknown };
  const limitBytes = cgroup.value?.memoryLimitBytes;
  const isLimitUnknown = cgroup.unknown.some(
    (entry) => entry.field === 'cgroup' || entry.field.startsWith('cgroup.memory'),
  );
  if (isLimitUnknown) {
    const reason = "the cgroup's memory limit could not be read, so the total may be more than this process may use";
    return { value: { totalMiB: total.value }, unknown: [{ field: 'memory.limitMiB', reason }] };
  }
  const limitMiB = limitBytes === undefined ? total.value : Math.min(total.value, Math.floor(limitBytes / 2 ** 20));
  return { value: { totalMiB: total.value, limitMiB }, unknown: [] };
}

async function totalMiB(ctx: ProbeContext, cim: Probed<CimFacts>): Promise<Probed<number>> {
  const none = (reason: string): Probed<number> => ({
    value: undefined,
    unknown: [{ field: 'memory.totalMiB', reason }],
  });
  if (ctx.platform === 'linux') {
    const kib = /^MemTotal:\s+(\d+) kB$/m.exec((await readText(ctx, '/proc/meminfo')) ?? '')?.[1];
    return kib === undefined
      ? none('/proc/meminfo has no MemTotal')
      : { value: Math.floor(Number(kib) / 1024), unknown: [] };
  }
  if (ctx.platform === 'darwin') {
    const outcome = await ctx.run('/usr/sbin/sysctl', ['-n', 'hw.memsize'], ctx.commandTimeoutMs);
    const bytes = outcome.kind === 'ok' ? Number(outcome.stdout.trim() || Number.NaN) : Number.NaN;
    if (bytes > 0) return { value: Math.floor(bytes / 2 ** 20), unknown: [] };
    return none(failureReason('sysctl -n hw.memsize', outcome, ctx.commandTimeoutMs));
  }
  const value = cim.value?.totalMiB;
  return value === undefined
    ? none(cim.unknown[0]?.reason ?? `no memory probe for ${ctx.platform}`)
    : { value, unknown: [] };
}

export async function probeIdentity(
  ctx: ProbeContext,
  cgroup: Probed<CgroupLimits>,
  cim: Probed<CimFacts>,
): Promise<Omit<MachineIdentity, 'gpus'>> {
  const id = await machineId(ctx, cim);
  return {
    hostname: ctx.hostname.slice(0, 255),
    ...(id === undefined
      ? {}
      : { machine: createHash('sha256').update(`assay machine ${id}`).digest('hex').slice(0, 32) }),
    ...(cgroup.value === undefined ? {} : { cgroupPath: cgroup.value.path.slice(0, 4_096) }),
  };
}

async function machineId(ctx: ProbeContext, cim: Probed<CimFacts>): Promise<string | undefined> {
  if (ctx.platform === 'linux') return (await readText(ctx, '/etc/machine-id'))?.trim() || undefined;
  if (ctx.platform === 'win32') return cim.value?.machineId;
  if (ctx.platform !== 'darwin') return undefined;
  const outcome = await ctx.run('/usr/sbin/ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice'], ctx.commandTimeoutMs);
  return outcome.kind === 'ok' ? /"IOPlatformUUID" = "([^"]+)"/.exec(outcome.stdout)?.[1] : undefined;
}
