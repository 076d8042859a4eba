// NPUs, TPUs, DSPs and FPGAs as the Linux kernel lists them, without any maker's tool: the PCI class "processing accelerator"
// (0x12) and known ids, /sys/class/accel, USB sticks, remote processors and FPGA managers.
//
// A container sees its host's /sys: a part of /sys/class/accel that has no node in /dev/accel is not offered here, and is said
// to be so. A part whose id nobody knows is listed as `unknown` rather than guessed.
import { acceleratorsByPciId, acceleratorsByUsbId } from '@assay/protocol';
import type { Accelerator } from '@assay/protocol';
import { exists, listFolder, readLink, readText, realPath } from './context.ts';
import type { ProbeContext, Probed } from './context.ts';
import { pciVendor, usbVendor } from './pci.ts';

type Found = { accelerator: Accelerator; busAddress?: string };
type Lists = { found: Found[]; unknown: Probed<Accelerator[]>['unknown'] };

/** Drivers that make a card of a gate array something to run on; of these makers other cards exist. */
const fpgaDrivers = new Set([
  'xocl',
  'xclmgmt',
  'amdxrt',
  'xdma',
  'qdma-pf',
  'dfl-pci',
  'altera-cvp',
  'intel-fpga-pci',
]);
const fpgaVendors = new Set(['xilinx', 'altera', 'lattice', 'microchip']);

export async function probeAccelerators(ctx: ProbeContext): Promise<Probed<Accelerator[]>> {
  if (ctx.platform !== 'linux')
    return {
      value: undefined,
      unknown: [{ field: 'accelerators', reason: `no probe for accelerators on ${ctx.platform}` }],
    };
  const lists: Lists = { found: [], unknown: [] };
  await fromPci(ctx, lists);
  await fromAccelClass(ctx, lists);
  await fromUsb(ctx, lists);
  await fromRemoteProcessors(ctx, lists);
  await fromFpgaManagers(ctx, lists);
  const value = lists.found
    .slice(0, 256)
    .map(({ accelerator }) => sorted(accelerator))
    .map((accelerator) => ({ accelerator, key: JSON.stringify(accelerator) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ accelerator }) => accelerator);
  return { value, unknown: lists.unknown };
}

async function fromPci(ctx: ProbeContext, { found }: Lists): Promise<void> {
  const root = '/sys/bus/pci/devices';
  for (const busAddress of (await listFolder(ctx, root)) ?? []) {
    const folder = `${root}/${busAddress}`;
    const vendorId = hex(await readText(ctx, `${folder}/vendor`), 4);
    const deviceId = hex(await readText(ctx, `${folder}/device`), 4);
    const pciClass = hex(await readText(ctx, `${folder}/class`), 6);
    if (vendorId === undefined || deviceId === undefined) continue;
    const pciId = `${vendorId}:${deviceId}`;
    const vendor = pciVendor(vendorId);
    const driver = await driverOf(ctx, folder);
    const isProcessing = pciClass?.startsWith('12') === true;
    const isFpga = fpgaVendors.has(vendor) && (isProcessing || fpgaDrivers.has(driver ?? ''));
    const kind = acceleratorsByPciId[pciId] ?? (isFpga ? 'fpga' : isProcessing ? 'unknown' : undefined);
    if (kind === undefined) continue;
    const revision = hex(await readText(ctx, `${folder}/revision`), 2);
    const accelerator: Accelerator = { class: kind, vendor, pciId, via: 'sysfs-pci' };
    if (revision !== undefined && revision !== '00') accelerator.pciRevision = revision;
    found.push({ accelerator: await withDriver(ctx, accelerator, driver), busAddress });
  }
}

/** The kernel's own list of compute accelerators: adds what it knows to a PCI part, and parts that are on no bus. */
async function fromAccelClass(ctx: ProbeContext, { found, unknown }: Lists): Promise<void> {
  const names = (await listFolder(ctx, '/sys/class/accel'))?.filter((name) => /^accel\d+$/.test(name)) ?? [];
  for (const name of names) {
    const device = `/sys/class/accel/${name}/device`;
    const uevent = (await readText(ctx, `${device}/uevent`)) ?? '';
    const busAddress = /^PCI_SLOT_NAME=(\S+)$/m.exec(uevent)?.[1];
    const known = found.findIndex((entry) => busAddress !== undefined && entry.busAddress === busAddress);
    const compatible = /^OF_COMPATIBLE_0=(\S+)$/m.exec(uevent)?.[1];
    const entry = known >= 0 ? found[known] : undefined;
    if (!(await exists(ctx, `/dev/accel/${name}`))) {
      const what = entry?.accelerator.pciId ?? compatible ?? 'an accelerator';
      unknown.push({
        field: 'accelerators',
        reason: `${name} (${what}) is in this machine, but has no node in /dev/accel here`,
      });
      if (known >= 0) found.splice(known, 1);
      continue;
    }
    const firmware = line(await readText(ctx, `${device}/fw_version`));
    const model = line(await readText(ctx, `${device}/vbnv`));
    const accelerator: Accelerator =
      entry?.accelerator ?? (await withDriver(ctx, onChip(compatible), /^DRIVER=(\S+)$/m.exec(uevent)?.[1]));
    accelerator.via = 'sysfs-accel';
    if (firmware !== undefined) accelerator.firmware = firmware;
    if (model !== undefined) accelerator.model = model;
    if (entry === undefined) found.push({ accelerator, ...(busAddress === undefined ? {} : { busAddress }) });
  }
}

/** A part on the chip itself, by its device tree name: "rockchip,rk3588-rknn-core". */
function onChip(compatible: string | undefined): Accelerator {
  const maker = /^([a-z0-9]+),/.exec(compatible ?? '')?.[1] ?? 'unknown';
  const isNeural = /npu|rknn|ethos/.test(compatible ?? '');
  const accelerator: Accelerator = { class: isNeural ? 'npu' : 'unknown', vendor: maker, via: 'sysfs-accel' };
  if (compatible !== undefined) accelerator.compatible = compatible.slice(0, 200);
  return accelerator;
}

async function fromUsb(ctx: ProbeContext, { found }: Lists): Promise<void> {
  const root = '/sys/bus/usb/devices';
  for (const name of (await listFolder(ctx, root)) ?? []) {
    const vendorId = hex(await readText(ctx, `${root}/${name}/idVendor`), 4);
    const productId = hex(await readText(ctx, `${root}/${name}/idProduct`), 4);
    const usbId = `${vendorId ?? ''}:${productId ?? ''}`;
    const kind = acceleratorsByUsbId[usbId];
    if (kind === undefined || vendorId === undefined) continue;
    found.push({ accelerator: { class: kind, vendor: usbVendor(vendorId), usbId, via: 'sysfs-usb' } });
  }
}

/** DSPs beside the processor. Qualcomm's take work through fastrpc alone, so its node must be here too. */
async function fromRemoteProcessors(ctx: ProbeContext, { found, unknown }: Lists): Promise<void> {
  const root = '/sys/class/remoteproc';
  for (const name of (await listFolder(ctx, root)) ?? []) {
    const uevent = (await readText(ctx, `${root}/${name}/device/uevent`)) ?? '';
    const compatible = /^OF_COMPATIBLE_0=(\S+)$/m.exec(uevent)?.[1];
    const maker = /^(qcom|ti),.*\b\w*(?:dsp|c66|c71)/.exec(compatible ?? '')?.[1];
    if (compatible === undefined || maker === undefined) continue;
    const role = /\b([acs]dsp)\b/.exec(compatible)?.[1];
    if (maker === 'qcom' && !(await exists(ctx, `/dev/fastrpc-${role ?? 'cdsp'}`))) {
      unknown.push({ field: 'accelerators', reason: `${compatible} is in this machine, but has no fastrpc node here` });
      continue;
    }
    const vendor = maker === 'qcom' ? 'qualcomm' : 'ti';
    found.push({
      accelerator: { class: 'dsp', vendor, compatible: compatible.slice(0, 200), via: 'remoteproc' },
    });
  }
}

/** FPGAs beside the processor (Zynq, SoC FPGA). The manager of a PCI card is that card, which is listed already. */
async function fromFpgaManagers(ctx: ProbeContext, { found }: Lists): Promise<void> {
  const root = '/sys/class/fpga_manager';
  for (const name of (await listFolder(ctx, root)) ?? []) {
    const place = await realPath(ctx, `${root}/${name}`);
    if (found.some(({ busAddress }) => busAddress !== undefined && place.includes(busAddress))) continue;
    const model = line(await readText(ctx, `${root}/${name}/name`));
    const lower = model?.toLowerCase() ?? '';
    const vendor = ['xilinx', 'altera', 'lattice', 'microchip'].find((word) => lower.includes(word)) ?? 'unknown';
    const accelerator: Accelerator = { class: 'fpga', vendor, via: 'fpga-manager' };
    if (model !== undefined) accelerator.model = model;
    found.push({ accelerator });
  }
}

async function driverOf(ctx: ProbeContext, folder: string): Promise<string | undefined> {
  const link = await readLink(ctx, `${folder}/driver`);
  return link?.split('/').at(-1);
}

async function withDriver(
  ctx: ProbeContext,
  accelerator: Accelerator,
  driver: string | undefined,
): Promise<Accelerator> {
  if (driver === undefined || !/^[A-Za-z0-9][A-Za-z0-9._+:-]{0,63}$/.test(driver)) return accelerator;
  accelerator.driver = driver;
  const version = line(await readText(ctx, `/sys/module/${driver.replaceAll('-', '_')}/version`));
  if (version !== undefined) accelerator.driverVersion = version;
  return accelerator;
}

function hex(text: string | undefined, digits: number): string | undefined {
  const found = /^(?:0x)?([0-9a-f]+)\s*$/i.exec(text ?? '')?.[1]?.toLowerCase();
  return found?.length === digits ? found : undefined;
}

function line(text: string | undefined): string | undefined {
  const first = text?.split('\n')[0]?.trim().slice(0, 200);
  return first === undefined || first === '' ? undefined : first;
}

/** Keys in one order, so that equal parts compare equal. */
function sorted(accelerator: Accelerator): Accelerator {
  return Object.fromEntries(Object.entries(accelerator).sort(([a], [b]) => (a < b ? -1 : 1))) as Accelerator;
}
