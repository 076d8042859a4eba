// What of this machine moves by itself, measured now: free GPU memory, heat, throttling, battery. Sent to the coordinator, which
// judges it; nothing here decides. A sensor that is not there or fails is missing from the list, which opens its gate.
import type { Reading } from '@assay/protocol';
import { listFolder, readText } from './context.ts';
import type { ProbeContext } from './context.ts';
import { findNvidiaTool } from './nvidia.ts';
import { busAddress } from './pci.ts';

/** Where the GPUs of the profile are, in its order: by that a reading finds its device. */
export type GpuPlaces = readonly { readonly busAddress?: string | undefined }[];

/** Counters of the last look, so that the next one knows a rate. */
export type ReadingsMemory = { throttles: { count: number; atMs: number } | null };

const readingsMax = 512;

export async function takeReadings(
  ctx: ProbeContext,
  gpus: GpuPlaces,
  memory: ReadingsMemory,
  nowMs: number,
): Promise<Reading[]> {
  const lists = await Promise.all([
    nvidiaReadings(ctx, gpus),
    kernelGpuReadings(ctx, gpus),
    thermalReadings(ctx),
    throttleReadings(ctx, memory, nowMs),
    batteryReadings(ctx),
  ]);
  return lists.flat().slice(0, readingsMax);
}

const query = 'pci.bus_id,memory.free,memory.total,temperature.gpu,clocks_throttle_reasons.hw_slowdown';

async function nvidiaReadings(ctx: ProbeContext, gpus: GpuPlaces): Promise<Reading[]> {
  if (gpus.length === 0) return [];
  const tool = await findNvidiaTool(ctx);
  if (tool === undefined) return [];
  const outcome = await ctx.run(tool, [`--query-gpu=${query}`, '--format=csv,noheader,nounits'], ctx.commandTimeoutMs);
  return outcome.kind === 'ok' ? parseNvidiaReadings(outcome.stdout, gpus) : [];
}

/** Rows of the query above; a value that the driver does not have ("[N/A]") is no reading. All slices of a card share its readings. */
export function parseNvidiaReadings(text: string, gpus: GpuPlaces): Reading[] {
  const readings: Reading[] = [];
  for (const line of text.split('\n')) {
    const [bus, free, total, temperature, slowdown] = line.split(',').map((cell) => cell.trim());
    const place = busAddress(bus);
    if (place === undefined) continue;
    for (const [index, gpu] of gpus.entries()) {
      if (gpu.busAddress !== place) continue;
      const device = `gpu:${index}`;
      if (isNumber(free) && isNumber(total) && Number(total) > 0)
        readings.push({ sensor: 'gpuFreeMemoryPercent', device, value: (100 * Number(free)) / Number(total) });
      if (isNumber(temperature)) readings.push({ sensor: 'gpuTemperatureC', device, value: Number(temperature) });
      if (slowdown === 'Active' || slowdown === 'Not Active')
        readings.push({ sensor: 'gpuSlowdown', device, value: slowdown === 'Active' ? 1 : 0 });
    }
  }
  return readings;
}

/** What amdgpu says in sysfs (Documentation/gpu/amdgpu: mem_info_vram_*, hwmon temp1_input); other drivers say nothing there. */
async function kernelGpuReadings(ctx: ProbeContext, gpus: GpuPlaces): Promise<Reading[]> {
  const lists = await Promise.all(
    gpus.map(async ({ busAddress: place }, index): Promise<Reading[]> => {
      if (place === undefined) return [];
      const device = `gpu:${index}`;
      const folder = `/sys/bus/pci/devices/${place}`;
      const total = (await readText(ctx, `${folder}/mem_info_vram_total`))?.trim();
      const used = (await readText(ctx, `${folder}/mem_info_vram_used`))?.trim();
      const readings: Reading[] = [];
      if (isNumber(total) && isNumber(used) && Number(total) > 0)
        readings.push({
          sensor: 'gpuFreeMemoryPercent',
          device,
          value: 100 * (1 - Number(used) / Number(total)),
        });
      if (total === undefined) return readings;
      const [hwmon] = (await listFolder(ctx, `${folder}/hwmon`)) ?? [];
      const degrees = (await readText(ctx, `${folder}/hwmon/${hwmon ?? ''}/temp1_input`))?.trim();
      if (isNumber(degrees)) readings.push({ sensor: 'gpuTemperatureC', device, value: Number(degrees) / 1_000 });
      return readings;
    }),
  );
  return lists.flat();
}

/** The hottest zone, in thousandths of a degree in sysfs (Documentation/ABI/testing/sysfs-class-thermal). */
async function thermalReadings(ctx: ProbeContext): Promise<Reading[]> {
  const zones = (await listFolder(ctx, '/sys/class/thermal'))?.filter((name) => /^thermal_zone\d+$/.test(name)) ?? [];
  const texts = await Promise.all(zones.map((zone) => readText(ctx, `/sys/class/thermal/${zone}/temp`)));
  const degrees = texts.filter((text) => isNumber(text?.trim())).map((text) => Number(text) / 1_000);
  // A zone without a sensor behind it says 0, or less than any machine survives.
  const real = degrees.filter((value) => value > 0 && value < 200);
  return real.length === 0 ? [] : [{ sensor: 'temperatureC', device: null, value: Math.max(...real) }];
}

/** The highest counter of all processors, since they are slowed down together; a rate from the second look on. */
async function throttleReadings(ctx: ProbeContext, memory: ReadingsMemory, nowMs: number): Promise<Reading[]> {
  const root = '/sys/devices/system/cpu';
  const cpus = (await listFolder(ctx, root))?.filter((name) => /^cpu\d+$/.test(name)) ?? [];
  const texts = await Promise.all(
    cpus.flatMap((cpu) =>
      ['core_throttle_count', 'package_throttle_count'].map((file) =>
        readText(ctx, `${root}/${cpu}/thermal_throttle/${file}`),
      ),
    ),
  );
  const counts = texts.filter((text) => isNumber(text?.trim())).map(Number);
  if (counts.length === 0) return [];
  const count = Math.max(...counts);
  const last = memory.throttles;
  memory.throttles = { count, atMs: nowMs };
  if (last === null || nowMs <= last.atMs) return [];
  const perMinute = (Math.max(0, count - last.count) * 60_000) / (nowMs - last.atMs);
  return [{ sensor: 'throttlesPerMinute', device: null, value: Math.min(perMinute, 1_000_000) }];
}

/** The emptiest battery, while one discharges (Documentation/ABI/testing/sysfs-class-power). */
async function batteryReadings(ctx: ProbeContext): Promise<Reading[]> {
  const root = '/sys/class/power_supply';
  const levels: number[] = [];
  for (const name of (await listFolder(ctx, root)) ?? []) {
    const type = (await readText(ctx, `${root}/${name}/type`))?.trim();
    const status = (await readText(ctx, `${root}/${name}/status`))?.trim();
    // A mouse has a battery too, and says that its scope is a device.
    const scope = (await readText(ctx, `${root}/${name}/scope`))?.trim();
    const capacity = (await readText(ctx, `${root}/${name}/capacity`))?.trim();
    if (type === 'Battery' && status === 'Discharging' && scope !== 'Device' && isNumber(capacity))
      levels.push(Number(capacity));
  }
  return levels.length === 0 ? [] : [{ sensor: 'dischargingBatteryPercent', device: null, value: Math.min(...levels) }];
}

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^-?\d+(\.\d+)?$/.test(text);
}
