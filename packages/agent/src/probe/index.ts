// What this machine offers, measured. One call, all probes at once, no probe able to fail the others.
//
// What always holds: the profile passes its wire schema; every field that is absent because it could not be measured has
// an entry in `unknown` with the reason; nothing in the profile says which machine it is (that is `identity`); equal
// machines have equal digests. Free memory, load and free disk are not here: they move, and a profile must not.
import { createHash } from 'node:crypto';
import { profileDigestText } from '@assay/protocol';
import type { MachineIdentity, Profile } from '@assay/protocol';
import { probeAccelerators } from './accelerators.ts';
import { probeApis } from './apis.ts';
import type { ApiProbe } from './apis.ts';
import { probeBrowsers } from './browsers.ts';
import { probeCgroup } from './cgroup.ts';
import { probeCim } from './cim.ts';
import { probeContainer } from './container.ts';
import { thisMachine } from './context.ts';
import type { ProbeContext } from './context.ts';
import { probeCpu } from './cpu.ts';
import { probeGpus } from './gpus.ts';
import type { Gpu } from './gpus.ts';
import { probeRuntimes } from './runtimes.ts';
import { probeIdentity, probeMemory, probeOs } from './system.ts';

export { runCommand, thisMachine } from './context.ts';
export type { CommandOutcome, ProbeContext } from './context.ts';
export { diagnose } from './doctor.ts';
export type { Finding, ProjectNeed } from './doctor.ts';

export type MachineProbe = { profile: Profile; identity: MachineIdentity; digest: string };

/** Measures the machine of a context, by default this one. Takes about as long as its slowest tool, at most two time-outs. */
export async function probeMachine(ctx: ProbeContext = thisMachine()): Promise<MachineProbe> {
  const cimAnswer = probeCim(ctx);
  const [gpus, runtimes, browsers, cgroup, container, cim, accelerators, apis] = await Promise.all([
    probeGpus(ctx, cimAnswer),
    probeRuntimes(ctx),
    probeBrowsers(ctx),
    probeCgroup(ctx),
    probeContainer(ctx),
    cimAnswer,
    probeAccelerators(ctx),
    probeApis(ctx),
  ]);
  const [os, cpu, memory, identity] = await Promise.all([
    probeOs(ctx, cim),
    probeCpu(ctx, cgroup, cim),
    probeMemory(ctx, cgroup, cim),
    probeIdentity(ctx, cgroup, cim),
  ]);
  const limits = cgroup.value;
  const profile: Profile = {
    os: os.value ?? { family: ctx.platform, arch: ctx.arch },
    cpu: cpu.value ?? {},
    memory: memory.value ?? {},
    runtimes: runtimes.runtimes,
    runners: runtimes.runners,
    browsers: browsers.browsers,
    drivers: browsers.drivers,
    unknown: [os, cpu, memory, cgroup, container, gpus, runtimes, browsers, accelerators, apis]
      .flatMap((probed) => probed.unknown)
      .slice(0, 128),
  };
  if (limits) {
    profile.cgroup = { version: limits.version };
    if (limits.cpuQuotaCores !== undefined) profile.cgroup.cpuQuotaCores = limits.cpuQuotaCores;
    if (limits.memoryLimitBytes !== undefined)
      profile.cgroup.memoryLimitMiB = Math.floor(limits.memoryLimitBytes / 2 ** 20);
  }
  if (container.value) profile.container = container.value;
  if (gpus.gpus) profile.gpus = gpus.gpus.map((gpu) => withVulkan(gpu, apis));
  if (accelerators.value) profile.accelerators = accelerators.value;
  if (Object.keys(apis.apis).length > 0) profile.apis = apis.apis;
  return { profile, identity: { ...identity, gpus: gpus.identity }, digest: profileDigest(profile) };
}

/** Two equal cards speak the same Vulkan, so that the kind of card is enough to join on. */
function withVulkan(gpu: Gpu, { vulkan }: ApiProbe): Gpu {
  const version = gpu.pciId === undefined ? undefined : vulkan.get(gpu.pciId);
  return version === undefined ? gpu : { ...gpu, apis: { ...gpu.apis, vulkan: version } };
}

/** The name of the capability class: equal profiles give equal digests. 32 hexadecimal digits of SHA-256. */
export function profileDigest(profile: Profile): string {
  return createHash('sha256').update(profileDigestText(profile)).digest('hex').slice(0, 32);
}
