// What amdgpu's compute topology says of AMD GPUs without any tool: compute units, GFX version and highest clock, by bus address.
// (/sys/class/kfd/kfd/topology/nodes, Documentation/gpu/amdgpu and the kfd topology of the Linux kernel.)
import { listFolder, readText } from './context.ts';
import type { ProbeContext } from './context.ts';

export type KfdNode = { computeUnits?: number; computeCapability?: string; clockMHz?: number };

export async function probeKfd(ctx: ProbeContext): Promise<Map<string, KfdNode>> {
  const nodes = new Map<string, KfdNode>();
  if (ctx.platform !== 'linux') return nodes;
  const root = '/sys/class/kfd/kfd/topology/nodes';
  for (const name of (await listFolder(ctx, root)) ?? []) {
    const parsed = parseKfd((await readText(ctx, `${root}/${name}/properties`)) ?? '');
    if (parsed !== undefined) nodes.set(parsed.busAddress, parsed.node);
  }
  return nodes;
}

/** A node's properties; undefined for a CPU, which has no SIMDs. */
export function parseKfd(text: string): { busAddress: string; node: KfdNode } | undefined {
  const values = new Map(
    [...text.matchAll(/^(\w+) (\d+)$/gm)].map(([, key, value]): [string, number] => [key ?? '', Number(value)]),
  );
  const simds = values.get('simd_count') ?? 0;
  const location = values.get('location_id');
  if (simds === 0 || location === undefined) return undefined;
  const perUnit = values.get('simd_per_cu') ?? 0;
  const gfx = values.get('gfx_target_version') ?? 0;
  const clock = values.get('max_engine_clk_fcompute') ?? 0;
  const digits = (value: number, length: number): string => value.toString(16).padStart(length, '0');
  const domain = values.get('domain') ?? 0;
  const busAddress = `${digits(domain, 4)}:${digits((location >> 8) & 0xff, 2)}:${digits((location >> 3) & 0x1f, 2)}.${location & 7}`;
  const node: KfdNode = {};
  if (perUnit > 0) node.computeUnits = Math.floor(simds / perUnit);
  // 90402 is gfx942: major, minor and stepping as decimal pairs, the last two shown in hexadecimal.
  if (gfx > 0)
    node.computeCapability = `gfx${Math.floor(gfx / 10_000)}${digits(Math.floor(gfx / 100) % 100, 1)}${digits(gfx % 100, 1)}`;
  if (clock > 0) node.clockMHz = clock;
  return { busAddress, node };
}
