// GPUs as the Linux kernel lists them, without any vendor's tool: /sys/class/drm/cardN/device.
//
// It gives the PCI ids, the bus address and the bound driver of every card, and, for amdgpu, its memory. A container sees
// its host's /sys: a card that has no device node in /dev/dri is not offered here, and is reported as such.
import { exists, listFolder, readText } from './context.ts';
import type { ProbeContext, Probed } from './context.ts';
import type { FoundGpu } from './gpus.ts';
import { busAddress, pciVendor } from './pci.ts';

export async function probeDrm(ctx: ProbeContext): Promise<Probed<FoundGpu[]>> {
  if (ctx.platform !== 'linux') return { value: undefined, unknown: [] };
  const cards = (await listFolder(ctx, '/sys/class/drm'))?.filter((name) => /^card\d+$/.test(name)) ?? [];
  const value: FoundGpu[] = [];
  const unknown: Probed<FoundGpu[]>['unknown'] = [];
  for (const card of cards) {
    const gpu = await readCard(ctx, card);
    if (!gpu) continue;
    if (await hasDeviceNode(ctx, card)) value.push(gpu);
    else
      unknown.push({
        field: 'gpus',
        reason: `${card} (${gpu.pciId}) is in this machine, but has no node in /dev/dri here`,
      });
  }
  return { value, unknown };
}

/** Undefined for what sits on no PCI bus (vkms, simple framebuffers) and so is no graphics processor that we can name. */
async function readCard(ctx: ProbeContext, card: string): Promise<FoundGpu | undefined> {
  const device = `/sys/class/drm/${card}/device`;
  const vendorId = hexId(await readText(ctx, `${device}/vendor`));
  const deviceId = hexId(await readText(ctx, `${device}/device`));
  if (vendorId === undefined || deviceId === undefined) return undefined;
  const gpu: FoundGpu = { vendor: pciVendor(vendorId), pciId: `${vendorId}:${deviceId}`, via: 'drm' };
  const uevent = (await readText(ctx, `${device}/uevent`)) ?? '';
  const driver = /^DRIVER=(.+)$/m.exec(uevent)?.[1];
  const bus = busAddress(/^PCI_SLOT_NAME=(.+)$/m.exec(uevent)?.[1]);
  const bytes = (await readText(ctx, `${device}/mem_info_vram_total`))?.trim() ?? '';
  if (driver) gpu.driver = driver.slice(0, 200);
  if (bus !== undefined) gpu.busAddress = bus;
  if (/^\d+$/.test(bytes)) gpu.memoryMiB = Math.floor(Number(bytes) / 2 ** 20);
  return gpu;
}

/** The card's own node or its render node; render nodes hang below the same device. */
async function hasDeviceNode(ctx: ProbeContext, card: string): Promise<boolean> {
  const nodes = (await listFolder(ctx, `/sys/class/drm/${card}/device/drm`)) ?? [];
  for (const node of new Set([card, ...nodes])) if (await exists(ctx, `/dev/dri/${node}`)) return true;
  return false;
}

function hexId(text: string | undefined): string | undefined {
  return /^0x([0-9a-f]{4})\s*$/i.exec(text ?? '')?.[1]?.toLowerCase();
}
