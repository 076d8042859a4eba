// Windows, asked once: PowerShell takes most of a second to start, so one script answers for OS, CPU, memory and GPUs.
//
// ConvertTo-Json writes an object for one instance and an array for several; both are read. AdapterRAM is a 32-bit field
// and saturates at 4 GiB, so a value that close to the top is not a measurement and is left out; the driver's own
// 64-bit HardwareInformation.qwMemorySize in the registry is preferred. Instruction sets come from
// IsProcessorFeaturePresent of kernel32.
import { failureReason, findOnPath } from './context.ts';
import type { ProbeContext, Probed } from './context.ts';
import { pciVendor } from './pci.ts';
import type { FoundGpu } from './gpus.ts';
import type { CpuFacts } from './cpu-info.ts';

export type CimFacts = {
  os: { version?: string };
  cpu: CpuFacts;
  totalMiB?: number;
  gpus: FoundGpu[];
  machineId?: string;
};

/** PF_* numbers of winnt.h and the names that requirements use. */
const processorFeatures: Record<string, string> = {
  6: 'sse',
  10: 'sse2',
  13: 'sse3',
  19: 'neon',
  34: 'atomics',
  36: 'ssse3',
  37: 'sse4_1',
  38: 'sse4_2',
  39: 'avx',
  40: 'avx2',
  41: 'avx512f',
  43: 'asimddp',
  46: 'sve',
};

export const cimScript = [
  "$ErrorActionPreference='Stop'",
  '[Console]::OutputEncoding=[Text.Encoding]::UTF8',
  // Where policy forbids Add-Type (constrained language mode) only the instruction sets stay unknown.
  '$f=$null',
  'try{$k=Add-Type -PassThru -Name K -Namespace A -MemberDefinition \'[DllImport("kernel32.dll")] public static extern bool IsProcessorFeaturePresent(uint f);\'',
  `$f=@(${Object.keys(processorFeatures).join(',')}|?{$k::IsProcessorFeaturePresent($_)})}catch{}`,
  "$c='HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}\\0*'",
  "$r=Get-ItemProperty $c -ErrorAction SilentlyContinue|select MatchingDeviceId,'HardwareInformation.qwMemorySize'",
  '@{os=Get-CimInstance Win32_OperatingSystem|select Version,Caption',
  'cpu=Get-CimInstance Win32_Processor|select Name,Manufacturer,NumberOfCores,NumberOfLogicalProcessors',
  'memory=Get-CimInstance Win32_ComputerSystem|select TotalPhysicalMemory',
  'gpus=Get-CimInstance Win32_VideoController|select Name,AdapterCompatibility,AdapterRAM,DriverVersion,PNPDeviceID',
  'adapters=$r;features=$f',
  "machineId=(Get-ItemProperty 'HKLM:\\SOFTWARE\\Microsoft\\Cryptography').MachineGuid}|ConvertTo-Json -Depth 4 -Compress",
].join(';');

export async function probeCim(ctx: ProbeContext): Promise<Probed<CimFacts>> {
  if (ctx.platform !== 'win32') return { value: undefined, unknown: [] };
  const shell = (await findOnPath(ctx, 'powershell')) ?? (await findOnPath(ctx, 'pwsh')) ?? 'powershell';
  // Starting PowerShell and compiling the one-line import take their time on a cold machine.
  const timeoutMs = ctx.commandTimeoutMs * 2;
  const outcome = await ctx.run(shell, ['-NoProfile', '-NonInteractive', '-Command', cimScript], timeoutMs);
  const value = outcome.kind === 'ok' ? parseCim(outcome.stdout) : undefined;
  if (value) return { value, unknown: [] };
  return { value: undefined, unknown: [{ field: 'gpus', reason: failureReason('powershell', outcome, timeoutMs) }] };
}

type Row = Record<string, unknown>;

export function parseCim(text: string): CimFacts | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
  const all = rows(parsed)[0];
  if (!all) return undefined;
  const version = textOf(rows(all.os)[0]?.Version);
  const totalBytes = Number(rows(all.memory)[0]?.TotalPhysicalMemory);
  const machineId = textOf(all.machineId);
  const facts: CimFacts = {
    os: version === undefined ? {} : { version },
    cpu: cpuOf(rows(all.cpu), all.features),
    gpus: videoControllers(rows(all.gpus), rows(all.adapters)),
  };
  if (totalBytes > 0) facts.totalMiB = Math.floor(totalBytes / 2 ** 20);
  if (machineId !== undefined) facts.machineId = machineId;
  return facts;
}

function cpuOf(sockets: Row[], features: unknown): CpuFacts {
  const cpu: CpuFacts = {};
  const model = textOf(sockets[0]?.Name);
  const vendor = textOf(sockets[0]?.Manufacturer);
  const sum = (field: string) => sockets.reduce((total, row) => total + Number(row[field] ?? Number.NaN), 0);
  if (model !== undefined) cpu.model = model;
  if (vendor !== undefined) cpu.vendor = vendor;
  if (sum('NumberOfLogicalProcessors') > 0) cpu.logicalCount = sum('NumberOfLogicalProcessors');
  if (sum('NumberOfCores') > 0) cpu.physicalCount = sum('NumberOfCores');
  // A one-element array arrives as a bare number.
  const numbers = Array.isArray(features) ? features : features === undefined || features === null ? [] : [features];
  const isa = numbers.flatMap((feature) => processorFeatures[String(feature)] ?? []);
  if (isa.length > 0) cpu.isa = isa.sort();
  return cpu;
}

/** Real adapters only: remote-desktop and mirror drivers are listed too, but sit on no PCI bus. */
export function videoControllers(controllers: Row[], adapters: Row[] = []): FoundGpu[] {
  return controllers.flatMap((row): FoundGpu[] => {
    const device = textOf(row.PNPDeviceID) ?? '';
    const ids = /^PCI\\VEN_([0-9A-F]{4})&DEV_([0-9A-F]{4})/i.exec(device);
    if (!ids?.[1] || !ids[2]) return [];
    const [vendorId, deviceId] = [ids[1].toLowerCase(), ids[2].toLowerCase()];
    const gpu: FoundGpu = { vendor: pciVendor(vendorId), pciId: `${vendorId}:${deviceId}`, via: 'cim' };
    const model = textOf(row.Name);
    const driver = textOf(row.DriverVersion);
    const bytes = memoryBytes(row, adapters);
    if (model !== undefined) gpu.model = model;
    if (driver !== undefined) gpu.driver = driver;
    if (bytes !== undefined) gpu.memoryMiB = Math.floor(bytes / 2 ** 20);
    return [gpu];
  });
}

function memoryBytes(row: Row, adapters: Row[]): number | undefined {
  const device = String(row.PNPDeviceID).toLowerCase();
  const adapter = adapters.find((entry) => {
    const match = textOf(entry.MatchingDeviceId)?.toLowerCase();
    return match !== undefined && device.startsWith(match);
  });
  const exact = Number(adapter?.['HardwareInformation.qwMemorySize'] ?? Number.NaN);
  if (exact > 0) return exact;
  const reported = Number(row.AdapterRAM ?? Number.NaN);
  return reported > 0 && reported < 4_293_000_000 ? reported : undefined;
}

function rows(value: unknown): Row[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((entry): entry is Row => typeof entry === 'object' && entry !== null);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 200) : undefined;
}
