// The GPUs that this machine offers, from every tool that it has, each card once.
//
// The vendor's own tool knows most and is believed first; what only the kernel lists is added by bus address. When a tool
// is installed and fails, "no GPU" would be a guess: the list is absent unless another source has found a card.
import type { MachineIdentity, Profile } from '@assay/protocol';
import type { CimFacts } from './cim.ts';
import type { ProbeContext, Probed } from './context.ts';
import { probeDisplays } from './displays.ts';
import { probeDrm } from './drm.ts';
import { probeKfd } from './kfd.ts';
import { probeNvidia } from './nvidia.ts';
import { probeRocm } from './rocm.ts';

export type Gpu = NonNullable<Profile['gpus']>[number];
/** A card with its identity, which is split off before it becomes part of a profile. */
export type FoundGpu = Gpu & { uuid?: string; busAddress?: string };
export type GpuProbe = { gpus: Gpu[] | undefined; identity: MachineIdentity['gpus']; unknown: Profile['unknown'] };

export async function probeGpus(ctx: ProbeContext, cim: Promise<Probed<CimFacts>>): Promise<GpuProbe> {
  const [nvidia, rocm, drm, displays, windows, kfd] = await Promise.all([
    probeNvidia(ctx),
    probeRocm(ctx),
    probeDrm(ctx),
    probeDisplays(ctx),
    cim.then((facts): Probed<FoundGpu[]> => ({ value: facts.value?.gpus, unknown: facts.unknown })),
    probeKfd(ctx),
  ]);
  for (const gpu of [...(rocm.value ?? []), ...(drm.value ?? [])]) {
    const node = gpu.busAddress === undefined ? undefined : kfd.get(gpu.busAddress);
    // What the vendor's tool said stays.
    if (node !== undefined) Object.assign(gpu, { ...node, ...gpu });
  }
  return mergeGpus([nvidia, rocm], [drm, displays, windows]);
}

/** `vendors` are believed before `systems`. */
export function mergeGpus(vendors: Probed<FoundGpu[]>[], systems: Probed<FoundGpu[]>[]): GpuProbe {
  const found = vendors.flatMap((probed) => probed.value ?? []);
  for (const probed of systems) {
    for (const gpu of probed.value ?? []) if (!isListed(gpu, found)) found.push(gpu);
  }
  const unknown = [...vendors, ...systems].flatMap((probed) => probed.unknown);
  const hasFailed = [...vendors, ...systems].some((probed) => probed.unknown.length > 0 && probed.value === undefined);
  const ordered = found
    .slice(0, 256)
    .map((gpu) => ({ gpu: capabilityOf(gpu), identity: identityOf(gpu) }))
    .sort(
      (a, b) =>
        compare(JSON.stringify(a.gpu), JSON.stringify(b.gpu)) ||
        compare(a.identity.busAddress ?? '', b.identity.busAddress ?? ''),
    );
  const isUnknown = found.length === 0 && hasFailed;
  return {
    gpus: isUnknown ? undefined : ordered.map((entry) => entry.gpu),
    identity: ordered.map((entry) => entry.identity),
    unknown,
  };
}

/** Windows lists no bus address: there the kind of card decides, and a tool that names one of a kind names them all. */
function isListed(gpu: FoundGpu, found: FoundGpu[]): boolean {
  return found.some((other) => {
    if (gpu.busAddress !== undefined && other.busAddress !== undefined) return gpu.busAddress === other.busAddress;
    return (
      other.via !== gpu.via && gpu.vendor === other.vendor && (gpu.pciId === undefined || gpu.pciId === other.pciId)
    );
  });
}

/** Keys in one order, so that equal cards compare equal. */
function capabilityOf(gpu: FoundGpu): Gpu {
  const { uuid: _uuid, busAddress: _busAddress, ...capability } = gpu;
  return Object.fromEntries(Object.entries(capability).sort(([a], [b]) => compare(a, b))) as Gpu;
}

function identityOf(gpu: FoundGpu): MachineIdentity['gpus'][number] {
  return {
    ...(gpu.uuid === undefined ? {} : { uuid: gpu.uuid.slice(0, 100) }),
    ...(gpu.busAddress === undefined ? {} : { busAddress: gpu.busAddress }),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
