// Processors, GPUs and accelerators of a profile as units of the taxonomy: which of the profile's words is which attribute.
import type { Accelerator, ApiVersion, Gpu, Profile } from '@assay/protocol';
import { bytesPerMiB, Frequency, Memory } from '../quantity.ts';
import type { DeviceClass } from './classes.ts';
import type { FoundUnit } from './devices.ts';
import { hardwareGpuVendors } from './gpu-families.ts';
import { isaGroupsOf } from './isa-groups.ts';

export function cpuUnit({ cpu, memory, os }: Profile): FoundUnit {
  const usableMiB = memory.limitMiB ?? memory.totalMiB;
  const precisions = cpu.isa === undefined ? undefined : cpuPrecisions(cpu.isa, os.arch);
  return {
    measured: { class: 'cpu', vendor: cpuVendor(cpu.vendor), model: cpu.model, arch: os.arch },
    source: 'cpu probe',
    values: {
      model: cpu.model,
      isa: cpu.isa,
      computeUnits: cpu.count,
      memory: usableMiB === undefined ? undefined : memoryOf(usableMiB),
    },
    derived: {
      isaGroups: cpu.isa === undefined ? undefined : isaGroupsOf(cpu.isa),
      precisions: precisions === undefined || precisions.length === 0 ? undefined : precisions,
    },
  };
}

/** CPUID's names and those of ARM's implementers, as the words that other devices use. */
function cpuVendor(vendor: string | undefined): string | undefined {
  const words: Record<string, string> = { GenuineIntel: 'intel', AuthenticAMD: 'amd', HygonGenuine: 'hygon' };
  return vendor === undefined ? undefined : (words[vendor] ?? vendor.toLowerCase());
}

/** What the instruction sets compute beside the base of the architecture, which the catalogue has. */
function cpuPrecisions(isa: readonly string[], arch: string): string[] {
  const base = arch === 'x64' || arch === 'arm64' ? ['fp64', 'fp32', 'int8'] : [];
  const fp16 = ['avx512_fp16', 'amx_fp16', 'fphp', 'asimdhp'].some((flag) => isa.includes(flag));
  const bf16 = ['avx512_bf16', 'amx_bf16', 'avx_ne_convert', 'bf16'].some((flag) => isa.includes(flag));
  return [...base, ...(fp16 ? ['fp16'] : []), ...(bf16 ? ['bf16'] : [])];
}

/** APIs of the machine that reach the devices of these vendors: the driver's version is the machine's, not one card's. */
const machineApis: Readonly<Record<string, { readonly gpu?: readonly string[]; readonly npu?: readonly string[] }>> = {
  cuda: { gpu: ['nvidia'] },
  rocm: { gpu: ['amd'] },
  metal: { gpu: ['apple', 'amd', 'intel'] },
  oneapi: { gpu: ['intel'] },
  openvino: { gpu: ['intel'], npu: ['intel'] },
  qnn: { gpu: ['qualcomm'], npu: ['qualcomm'] },
};

function apisOf(
  own: Readonly<Record<string, ApiVersion>> | undefined,
  profile: Profile,
  kind: 'gpu' | 'npu',
  vendor: string,
): Record<string, ApiVersion> | undefined {
  const apis: Record<string, ApiVersion> = {};
  for (const [name, version] of Object.entries(profile.apis ?? {}))
    if (machineApis[name]?.[kind]?.includes(vendor) === true) apis[name] = version;
  Object.assign(apis, own);
  return Object.keys(apis).length === 0 ? undefined : apis;
}

export function gpuUnit(gpu: Gpu, profile: Profile): FoundUnit {
  const { vendor, model, computeCapability, migProfile, pciId, memoryMiB, computeUnits, clockMHz } = gpu;
  return {
    measured: { class: 'gpu', vendor, model, computeCapability, migProfile, pciId },
    source: `${gpu.via}`,
    values: {
      model,
      memory: memoryMiB === undefined ? undefined : memoryOf(memoryMiB),
      computeUnits,
      clock: clockMHz === undefined ? undefined : new Frequency(clockMHz * 1e6),
      computeCapability,
      migProfile,
      driver: gpu.driver,
      firmware: gpu.firmware,
      pciId,
      apis: apisOf(gpu.apis, profile, 'gpu', vendor),
      precisions: gpu.precisions,
    },
    derived: { software: hardwareGpuVendors.has(vendor) ? false : undefined },
    ...(migProfile === undefined ? {} : { withholds: ['computeUnits'] as const }),
  };
}

const acceleratorClasses: ReadonlySet<string> = new Set(['npu', 'tpu', 'dsp', 'fpga'] satisfies DeviceClass[]);

/** A processing accelerator that the tables do not know is no device of a class: it stays in `accelerators`. */
export function acceleratorUnit(found: Accelerator, profile: Profile): FoundUnit[] {
  if (!acceleratorClasses.has(found.class)) return [];
  const { vendor, model, pciId, pciRevision, usbId, compatible, memoryMiB } = found;
  return [
    {
      measured: { class: found.class as DeviceClass, vendor, model, pciId, pciRevision, usbId, compatible },
      source: found.via,
      values: {
        model,
        memory: memoryMiB === undefined ? undefined : memoryOf(memoryMiB),
        computeUnits: found.computeUnits,
        driver: found.driver,
        driverVersion: found.driverVersion,
        firmware: found.firmware,
        pciId,
        usbId,
        apis: found.class === 'npu' ? apisOf(found.apis, profile, 'npu', vendor) : found.apis,
        precisions: found.precisions,
      },
    },
  ];
}

export function memoryOf(mebibytes: number): Memory {
  return new Memory(mebibytes * bytesPerMiB);
}
