// Kinds of machines, and the requirements that tasks may have, each with what it means in plain code: what really fits where
// is decided here, apart from the requirement language that is tested.
import type { Profile } from '@assay/protocol';

export type MachineKind = { kind: string; profile: Profile; declared: Record<string, string | number | boolean> };

function profileOf(
  os: string,
  cpus: number,
  memoryMiB: number,
  isa: string[],
  gpus: { vendor: string; memoryMiB: number }[],
): Profile {
  return {
    os: { family: os, arch: 'x64' },
    cpu: { count: cpus, isa },
    memory: { totalMiB: memoryMiB, limitMiB: memoryMiB },
    gpus: gpus.map((gpu) => ({ ...gpu, via: 'simulated' })),
    runtimes: { node: { version: '24.0.0', major: 24, minor: 0 } },
    runners: { command: { version: '1', runtime: 'command' } },
    browsers: [],
    drivers: {},
    unknown: [],
  };
}

export const machineKinds = [
  { kind: 'small linux', profile: profileOf('linux', 2, 4_096, ['sse3'], []), declared: {} },
  { kind: 'large linux', profile: profileOf('linux', 16, 65_536, ['sse3', 'avx2'], []), declared: { lab: 'north' } },
  {
    kind: 'gpu linux',
    profile: profileOf('linux', 8, 32_768, ['sse3', 'avx2'], [{ vendor: 'nvidia', memoryMiB: 16_384 }]),
    declared: {},
  },
  { kind: 'mac', profile: profileOf('darwin', 10, 32_768, ['neon'], []), declared: { lab: 'south' } },
] as const satisfies readonly MachineKind[];

/** The same machine with fewer processors, as after a changed limit. */
export function shrunk(profile: Profile): Profile {
  return { ...profile, cpu: { ...profile.cpu, count: 1 } };
}

export type Need = { text: string; fits: (profile: Profile, declared: Record<string, unknown>) => boolean };

export const needs = [
  { text: '', fits: () => true },
  { text: 'cpu.count >= 4', fits: (profile) => (profile.cpu.count ?? 0) >= 4 },
  { text: '"avx2" in cpu.isa', fits: (profile) => profile.cpu.isa?.includes('avx2') === true },
  {
    text: 'gpus.exists(g, g.vendor == "nvidia")',
    fits: (profile) => profile.gpus?.some((gpu) => gpu.vendor === 'nvidia') === true,
  },
  { text: 'os.family == "darwin"', fits: (profile) => profile.os.family === 'darwin' },
  {
    text: 'os.family == "linux" && memory.totalMiB >= 8192',
    fits: (profile) => profile.os.family === 'linux' && (profile.memory.totalMiB ?? 0) >= 8_192,
  },
  { text: 'declared.lab == "north"', fits: (_profile, declared) => declared['lab'] === 'north' },
] as const satisfies readonly Need[];

/** What no machine here has. */
export const impossibleNeed: Need = { text: 'memory.totalMiB >= 1048576', fits: () => false };

export function needOf(text: string): Need {
  const found = [...needs, impossibleNeed].find((need) => need.text === text);
  if (found === undefined) throw new Error(`no need is called ${text}`);
  return found;
}
