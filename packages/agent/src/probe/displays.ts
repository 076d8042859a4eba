// GPUs of a Mac, from `system_profiler -json SPDisplaysDataType`.
//
// Apple silicon shares its memory with the CPU and reports none of its own, so `memoryMiB` is absent there; a discrete
// card says "8 GB" or "1536 MB", and a shared Intel one says it in another field, which is not its own memory.
import { failureReason } from './context.ts';
import type { ProbeContext, Probed } from './context.ts';
import type { FoundGpu } from './gpus.ts';
import { pciVendor } from './pci.ts';

export async function probeDisplays(ctx: ProbeContext): Promise<Probed<FoundGpu[]>> {
  if (ctx.platform !== 'darwin') return { value: undefined, unknown: [] };
  const outcome = await ctx.run('/usr/sbin/system_profiler', ['-json', 'SPDisplaysDataType'], ctx.commandTimeoutMs);
  const value = outcome.kind === 'ok' ? parseDisplays(outcome.stdout) : undefined;
  if (value) return { value, unknown: [] };
  return {
    value: undefined,
    unknown: [{ field: 'gpus', reason: failureReason('system_profiler', outcome, ctx.commandTimeoutMs) }],
  };
}

export function parseDisplays(text: string): FoundGpu[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const list =
    typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>).SPDisplaysDataType : undefined;
  if (!Array.isArray(list)) return undefined;
  return list.flatMap((entry: unknown): FoundGpu[] => {
    if (typeof entry !== 'object' || entry === null) return [];
    const fields = new Map(
      Object.entries(entry).map(([key, value]) => [key, typeof value === 'string' ? value.trim() : '']),
    );
    const model = fields.get('sppci_model') || fields.get('_name');
    if (!model) return [];
    const gpu: FoundGpu = {
      vendor: vendorOf(fields.get('spdisplays_vendor') ?? '', model),
      model: model.slice(0, 200),
      via: 'system_profiler',
    };
    const memory = /^(\d+)\s*(MB|GB)$/.exec(fields.get('spdisplays_vram') ?? '');
    if (memory) gpu.memoryMiB = Number(memory[1]) * (memory[2] === 'GB' ? 1024 : 1);
    const cores = Number(fields.get('sppci_cores'));
    if (Number.isInteger(cores) && cores > 0) gpu.computeUnits = cores;
    const metal = /^spdisplays_metal(\d+)$/.exec(fields.get('spdisplays_mtlgpufamilysupport') ?? '')?.[1];
    if (metal !== undefined) gpu.apis = { metal: { version: metal, major: Number(metal) } };
    return [gpu];
  });
}

/** "sppci_vendor_Apple", "Intel", "AMD (0x1002)", "NVIDIA (0x10de)": the number where there is one, else the word. */
function vendorOf(vendor: string, model: string): string {
  const id = /\(0x([0-9a-f]{4})\)/i.exec(vendor)?.[1];
  if (id !== undefined) return pciVendor(id);
  const said = vendor.replace(/^sppci_vendor_/, '').toLowerCase();
  const known = ['apple', 'intel', 'amd', 'nvidia'].find((name) => said.startsWith(name));
  return known ?? (model.startsWith('Apple') ? 'apple' : 'unknown');
}
