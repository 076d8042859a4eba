// NVIDIA GPUs, from nvidia-smi's CSV and, where a card is cut into MIG slices, its XML.
//
// A card in MIG mode runs no work itself: its slices are what the machine offers, each with its own memory, and are listed
// in its place. Values that the driver does not have ("[N/A]", "[Not Supported]", "[Unknown Error]") are absent. An old
// nvidia-smi refuses the whole query for one field that it does not know, so a shorter query is tried after the full one.
import { failureReason, findOnPath, oneLine } from './context.ts';
import type { CommandOutcome, ProbeContext, Probed } from './context.ts';
import type { FoundGpu } from './gpus.ts';
import { busAddress } from './pci.ts';

const longQuery = [
  'name',
  'uuid',
  'driver_version',
  'memory.total',
  'pci.bus_id',
  'pci.device_id',
  'compute_cap',
  'mig.mode.current',
] as const;
const shortQuery = ['name', 'uuid', 'driver_version', 'memory.total', 'pci.bus_id', 'pci.device_id'] as const;
type Field = (typeof longQuery)[number];
type NvidiaRow = Partial<Record<Field, string>>;

/** `value` is undefined when nvidia-smi is not installed or has failed; `unknown` says which: it is empty when it is not installed. */
export async function probeNvidia(ctx: ProbeContext): Promise<Probed<FoundGpu[]>> {
  const tool = await findNvidiaTool(ctx);
  if (tool === undefined) return { value: undefined, unknown: [] };
  const query = (fields: readonly Field[]) =>
    ctx.run(tool, [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'], ctx.commandTimeoutMs);
  let fields: readonly Field[] = longQuery;
  let outcome = await query(fields);
  if (outcome.kind === 'failed' && /not a valid field/i.test(outcome.stdout + outcome.stderr)) {
    fields = shortQuery;
    outcome = await query(fields);
  }
  if (outcome.kind === 'missing') return { value: undefined, unknown: [] };
  if (hasNoDevices(outcome)) return { value: [], unknown: [] };
  const rows = outcome.kind === 'ok' ? parseNvidiaCsv(outcome.stdout, fields) : undefined;
  if (!rows)
    return {
      value: undefined,
      unknown: [{ field: 'gpus', reason: failureReason('nvidia-smi', outcome, ctx.commandTimeoutMs) }],
    };
  const sliced = await withSlices(ctx, tool, rows);
  return { value: sliced.value, unknown: [...sliced.unknown, ...(await addDetails(ctx, tool, rows, sliced.value))] };
}

/** Clock and firmware by a query of their own: whatever a driver says to it, the cards are known by then. */
async function addDetails(
  ctx: ProbeContext,
  tool: string,
  rows: NvidiaRow[],
  gpus: FoundGpu[] | undefined,
): Promise<Probed<FoundGpu[]>['unknown']> {
  const args = ['--query-gpu=pci.bus_id,clocks.max.sm,vbios_version', '--format=csv,noheader,nounits'];
  const outcome = await ctx.run(tool, args, ctx.commandTimeoutMs);
  // A driver that does not know these fields has no answer to give: they are absent, like any value it does not have.
  if (outcome.kind === 'failed' && /not a valid field/i.test(outcome.stdout + outcome.stderr)) return [];
  const lines = outcome.kind === 'ok' ? outcome.stdout.trim().split('\n') : [];
  const cells = lines.map((line) => line.split(',').map((cell) => cell.trim()));
  if (cells.length !== rows.length || cells.some((row) => row.length !== 3))
    return [{ field: 'gpus.clockMHz', reason: failureReason('nvidia-smi', outcome, ctx.commandTimeoutMs) }];
  for (const [bus, clock = '', firmware = ''] of cells) {
    for (const gpu of gpus ?? []) {
      if (gpu.busAddress === undefined || gpu.busAddress !== busAddress(bus)) continue;
      if (/^\d+$/.test(clock) && Number(clock) > 0) gpu.clockMHz = Number(clock);
      if (/^\w[\w.]*$/.test(firmware) && firmware !== 'N/A') gpu.firmware = firmware.slice(0, 200);
    }
  }
  return [];
}

/** Where nvidia-smi is; undefined where it is not installed. */
export async function findNvidiaTool(ctx: ProbeContext): Promise<string | undefined> {
  const onPath = await findOnPath(ctx, 'nvidia-smi');
  // WSL puts the host's tool where PATH does not always lead.
  return onPath ?? (await findOnPath({ ...ctx, env: { PATH: '/usr/lib/wsl/lib' } }, 'nvidia-smi'));
}

/** The driver works and has no card: that is an answer, and not a failure (nvidia-smi exits 6 or 0, by version). */
function hasNoDevices(outcome: CommandOutcome): boolean {
  if (outcome.kind !== 'ok' && outcome.kind !== 'failed') return false;
  return /^No devices were found\.?$/m.test(`${outcome.stdout}\n${outcome.stderr}`.replaceAll('\r', ''));
}

/** Rows of `--format=csv,noheader,nounits`; undefined when a line is not such a row. */
export function parseNvidiaCsv(text: string, fields: readonly Field[] = longQuery): NvidiaRow[] | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const rows: NvidiaRow[] = [];
  for (const line of lines) {
    const cells = line.split(',').map((cell) => cell.trim());
    if (cells.length !== fields.length) return undefined;
    const row: NvidiaRow = {};
    fields.forEach((field, index) => {
      const cell = cells[index];
      if (cell !== undefined && cell !== '' && !/^\[.*\]$|^N\/A$/.test(cell)) row[field] = cell.slice(0, 200);
    });
    rows.push(row);
  }
  return rows.length === 0 ? undefined : rows;
}

async function withSlices(ctx: ProbeContext, tool: string, rows: NvidiaRow[]): Promise<Probed<FoundGpu[]>> {
  if (!rows.some((row) => row['mig.mode.current'] === 'Enabled')) return { value: rows.map(wholeCard), unknown: [] };
  const outcome = await ctx.run(tool, ['-q', '-x'], ctx.commandTimeoutMs);
  const names = await ctx.run(tool, ['-L'], ctx.commandTimeoutMs);
  const slices =
    outcome.kind === 'ok' ? parseMigXml(outcome.stdout, names.kind === 'ok' ? names.stdout : '') : undefined;
  const gpus: FoundGpu[] = [];
  const unknown: Probed<FoundGpu[]>['unknown'] = [];
  for (const row of rows) {
    const card = wholeCard(row);
    const own = slices?.filter((slice) => slice.busAddress === card.busAddress) ?? [];
    if (row['mig.mode.current'] !== 'Enabled') gpus.push(card);
    else if (slices === undefined) {
      // The card is there, but its whole memory is not on offer, and how it is cut is not known.
      const { memoryMiB: _whole, ...withoutMemory } = card;
      gpus.push(withoutMemory);
      unknown.push({
        field: 'gpus.memoryMiB',
        reason: `MIG is on: ${failureReason('nvidia-smi -q -x', outcome, ctx.commandTimeoutMs)}`,
      });
    } else if (own.length === 0) {
      unknown.push({
        field: 'gpus',
        reason: `${oneLine(card.model ?? 'a card')} is in MIG mode and has no slices, so nothing can run on it`,
      });
    } else {
      const { memoryMiB: _whole, uuid: _card, ...shared } = card;
      gpus.push(...own.map((slice) => ({ ...shared, ...slice })));
    }
  }
  return { value: gpus, unknown };
}

function wholeCard(row: NvidiaRow): FoundGpu {
  const gpu: FoundGpu = { vendor: 'nvidia', via: 'nvidia-smi' };
  if (row.name !== undefined) gpu.model = oneLine(row.name).slice(0, 200);
  if (row.driver_version !== undefined) gpu.driver = row.driver_version;
  if (row.compute_cap !== undefined) gpu.computeCapability = row.compute_cap;
  if (row.uuid !== undefined) gpu.uuid = row.uuid;
  if (/^\d+$/.test(row['memory.total'] ?? '')) gpu.memoryMiB = Number(row['memory.total']);
  // "0x233510DE": device, then vendor.
  const ids = /^0x([0-9a-f]{4})([0-9a-f]{4})$/i.exec(row['pci.device_id'] ?? '');
  if (ids) gpu.pciId = `${ids[2]}:${ids[1]}`.toLowerCase();
  const bus = busAddress(row['pci.bus_id']);
  if (bus !== undefined) gpu.busAddress = bus;
  return gpu;
}

type Slice = { busAddress?: string; memoryMiB?: number; uuid?: string; migProfile?: string };

/** `nvidia-smi -q -x` gives each slice its memory, `nvidia-smi -L` its profile and UUID, in the same order a card. */
export function parseMigXml(xml: string, list: string): Slice[] | undefined {
  if (!xml.includes('<nvidia_smi_log>')) return undefined;
  const labels = parseMigList(list);
  return [...xml.matchAll(/<gpu id="([^"]*)">([\s\S]*?)<\/gpu>/g)].flatMap(([, id, card = '']) => {
    const uuid =
      /<\/mig_devices>[\s\S]*?<uuid>([^<]*)<\/uuid>/.exec(card)?.[1] ??
      /<uuid>(GPU-[^<]*)<\/uuid>/.exec(card)?.[1] ??
      '';
    const address = busAddress(id);
    const devices = [...card.matchAll(/<mig_device>([\s\S]*?)<\/mig_device>/g)];
    return devices.map(([, device = ''], index): Slice => {
      const slice: Slice = address === undefined ? {} : { busAddress: address };
      const memory = /<fb_memory_usage>\s*<total>\s*(\d+)\s*MiB\s*<\/total>/.exec(device)?.[1];
      if (memory !== undefined) slice.memoryMiB = Number(memory);
      const label = labels.get(uuid)?.[index];
      if (label) Object.assign(slice, label);
      return slice;
    });
  });
}

/** "GPU 0: NAME (UUID: GPU-x)", then a line "  MIG 1g.10gb     Device  0: (UUID: MIG-x)" a slice. By the card's UUID. */
function parseMigList(list: string): Map<string, { migProfile: string; uuid: string }[]> {
  const cards = new Map<string, { migProfile: string; uuid: string }[]>();
  let slices: { migProfile: string; uuid: string }[] = [];
  for (const line of list.split('\n')) {
    const card = /^GPU \d+: .*\(UUID: ([^)]+)\)/.exec(line)?.[1];
    if (card !== undefined) cards.set(card, (slices = []));
    const slice = /^\s+MIG (\S+)\s+Device\s+\d+: \(UUID: ([^)]+)\)/.exec(line);
    if (slice?.[1] && slice[2]) slices.push({ migProfile: slice[1], uuid: slice[2] });
  }
  return cards;
}
