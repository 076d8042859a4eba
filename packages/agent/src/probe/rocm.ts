// AMD GPUs, from rocm-smi's JSON. Its key names changed case and wording between ROCm releases ("Card series",
// "Card Series", "Device Name"), and it prints warnings before the JSON, so keys are compared without case and the
// object is taken from the first brace. "N/A" is absent.
import { failureReason, findOnPath, oneLine } from './context.ts';
import type { ProbeContext, Probed } from './context.ts';
import type { FoundGpu } from './gpus.ts';
import { busAddress } from './pci.ts';

const questions = [
  '--showproductname',
  '--showid',
  '--showmeminfo',
  'vram',
  '--showbus',
  '--showuniqueid',
  '--showdriverversion',
  '--json',
];

/** As for nvidia-smi: `value` and `unknown` both empty means that the tool is not installed. */
export async function probeRocm(ctx: ProbeContext): Promise<Probed<FoundGpu[]>> {
  const tool =
    (await findOnPath(ctx, 'rocm-smi')) ?? (await findOnPath({ ...ctx, env: { PATH: '/opt/rocm/bin' } }, 'rocm-smi'));
  if (tool === undefined) return { value: undefined, unknown: [] };
  const outcome = await ctx.run(tool, questions, ctx.commandTimeoutMs);
  if (outcome.kind === 'missing') return { value: undefined, unknown: [] };
  const value = outcome.kind === 'ok' ? parseRocm(outcome.stdout) : undefined;
  if (value) return { value, unknown: [] };
  return {
    value: undefined,
    unknown: [{ field: 'gpus', reason: failureReason('rocm-smi', outcome, ctx.commandTimeoutMs) }],
  };
}

/** The cards of a JSON report; undefined when it is none. */
export function parseRocm(text: string): FoundGpu[] | undefined {
  const report = objectIn(text);
  if (!report) return undefined;
  const driver = valueOf(report.get('system'), ['driver version']);
  return [...report].flatMap(([name, fields]): FoundGpu[] => {
    if (!/^card\d+$/.test(name)) return [];
    const gpu: FoundGpu = { vendor: 'amd', via: 'rocm-smi' };
    const series = valueOf(fields, ['card series', 'device name', 'card model']);
    const bytes = valueOf(fields, ['vram total memory (b)']);
    const gfx = valueOf(fields, ['gfx version']);
    const uuid = valueOf(fields, ['unique id']);
    const id = /^0x([0-9a-f]{4})$/i.exec(valueOf(fields, ['device id', 'gpu id', 'card model']) ?? '')?.[1];
    const bus = busAddress(valueOf(fields, ['pci bus']));
    if (series !== undefined) gpu.model = oneLine(series).slice(0, 200);
    if (bytes !== undefined && /^\d+$/.test(bytes)) gpu.memoryMiB = Math.floor(Number(bytes) / 2 ** 20);
    if (driver !== undefined) gpu.driver = driver;
    if (gfx !== undefined) gpu.computeCapability = gfx;
    if (uuid !== undefined) gpu.uuid = uuid;
    if (id !== undefined) gpu.pciId = `1002:${id.toLowerCase()}`;
    if (bus !== undefined) gpu.busAddress = bus;
    return [gpu];
  });
}

type Fields = Map<string, string>;

function objectIn(text: string): Map<string, Fields> | undefined {
  const start = text.indexOf('{');
  if (start < 0) return undefined;
  try {
    const parsed: unknown = JSON.parse(text.slice(start));
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    return new Map(Object.entries(parsed).map(([name, fields]) => [name, lowerCased(fields)]));
  } catch {
    return undefined;
  }
}

function lowerCased(fields: unknown): Fields {
  if (typeof fields !== 'object' || fields === null) return new Map();
  return new Map(Object.entries(fields).map(([key, value]) => [key.toLowerCase(), String(value).trim()]));
}

function valueOf(fields: Fields | undefined, keys: string[]): string | undefined {
  for (const key of keys) {
    const value = fields?.get(key);
    if (value !== undefined && value !== '' && value.toUpperCase() !== 'N/A') return value.slice(0, 200);
  }
  return undefined;
}
