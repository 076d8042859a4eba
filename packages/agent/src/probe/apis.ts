// Versions of the programming interfaces that this machine has for its devices, where a tool or a file says them: CUDA by the driver
// (nvidia-smi's header), ROCm and OpenVINO and oneAPI and QNN by the files that their installers leave, Vulkan by vulkaninfo.
//
// What is not installed is absent and no failure; a tool that fails leaves its name in `unknown`. Core ML and DirectML have no
// version of their own: they are the operating system's, which the profile has.
import type { ApiVersion, Profile } from '@assay/protocol';
import { failureReason, findOnPath, listFolder, parseVersion, readText } from './context.ts';
import type { ProbeContext, Probed } from './context.ts';
import { findNvidiaTool } from './nvidia.ts';

export type ApiProbe = {
  apis: Record<string, ApiVersion>;
  /** By PCI id, `vendor:device`. */
  vulkan: Map<string, ApiVersion>;
  unknown: Profile['unknown'];
};

export async function probeApis(ctx: ProbeContext): Promise<ApiProbe> {
  const [cuda, vulkan, ...files] = await Promise.all([
    probeCuda(ctx),
    probeVulkan(ctx),
    versionIn(ctx, 'rocm', ['/opt/rocm/.info/version']),
    openVino(ctx),
    oneApi(ctx),
    qnn(ctx),
  ]);
  const apis: Record<string, ApiVersion> = {};
  if (cuda.value !== undefined) apis['cuda'] = cuda.value;
  if (vulkan.value?.instance !== undefined) apis['vulkan'] = vulkan.value.instance;
  for (const found of files) if (found !== undefined) apis[found.name] = found.version;
  return {
    apis: Object.fromEntries(Object.entries(apis).sort(([a], [b]) => (a < b ? -1 : 1))),
    vulkan: vulkan.value?.devices ?? new Map(),
    unknown: [...cuda.unknown, ...vulkan.unknown],
  };
}

/** The highest CUDA that the driver runs, as its header says; whether a toolkit is installed is another matter. */
async function probeCuda(ctx: ProbeContext): Promise<Probed<ApiVersion>> {
  const tool = await findNvidiaTool(ctx);
  if (tool === undefined) return { value: undefined, unknown: [] };
  const outcome = await ctx.run(tool, [], ctx.commandTimeoutMs);
  if (outcome.kind === 'missing') return { value: undefined, unknown: [] };
  const text = outcome.kind === 'ok' ? outcome.stdout : '';
  const found = /CUDA Version\s*:\s*(\d[\d.]*)/.exec(text)?.[1];
  if (found !== undefined) return { value: asVersion(found), unknown: [] };
  // The driver works and has no card: there is nothing to run CUDA on.
  if (/No devices were found/.test(outcome.kind === 'failed' ? outcome.stdout + outcome.stderr : text))
    return { value: undefined, unknown: [] };
  const reason = failureReason('nvidia-smi', outcome, ctx.commandTimeoutMs);
  return { value: undefined, unknown: [{ field: 'apis.cuda', reason }] };
}

type Vulkan = { instance: ApiVersion | undefined; devices: Map<string, ApiVersion> };

async function probeVulkan(ctx: ProbeContext): Promise<Probed<Vulkan>> {
  const tool = await findOnPath(ctx, 'vulkaninfo');
  if (tool === undefined) return { value: undefined, unknown: [] };
  const outcome = await ctx.run(tool, ['--summary'], ctx.commandTimeoutMs);
  const value = outcome.kind === 'ok' ? parseVulkan(outcome.stdout) : undefined;
  if (value !== undefined) return { value, unknown: [] };
  const reason = failureReason('vulkaninfo', outcome, ctx.commandTimeoutMs);
  return { value: undefined, unknown: [{ field: 'apis.vulkan', reason }] };
}

/** `vulkaninfo --summary`; devices of type CPU (lavapipe, SwiftShader) are software and on no bus. */
export function parseVulkan(text: string): Vulkan | undefined {
  const instance = /^Vulkan Instance Version:\s*(\S+)/m.exec(text)?.[1];
  if (instance === undefined) return undefined;
  const devices = new Map<string, ApiVersion>();
  for (const block of text.split(/^GPU\d+:/m).slice(1)) {
    const field = (name: string): string | undefined => new RegExp(`^\\s*${name}\\s*=\\s*(\\S+)`, 'm').exec(block)?.[1];
    const [version, vendor, device] = [field('apiVersion'), field('vendorID'), field('deviceID')];
    if (version === undefined || vendor === undefined || device === undefined) continue;
    if (field('deviceType') === 'PHYSICAL_DEVICE_TYPE_CPU') continue;
    const id = [vendor, device].map((part) => Number(part).toString(16).padStart(4, '0')).join(':');
    devices.set(id, asVersion(version));
  }
  return { instance: asVersion(instance), devices };
}

type Named = { name: string; version: ApiVersion } | undefined;

async function versionIn(ctx: ProbeContext, name: string, files: readonly string[]): Promise<Named> {
  for (const file of files) {
    const parsed = parseVersion((await readText(ctx, file)) ?? '');
    if (parsed !== undefined) return { name, version: parsed };
  }
  return undefined;
}

async function openVino(ctx: ProbeContext): Promise<Named> {
  const folders = (await listFolder(ctx, '/opt/intel'))?.filter((name) => name.startsWith('openvino')) ?? [];
  // The newest last by name: openvino_2024.6.0 after openvino_2023.3.0.
  const files = folders.toReversed().map((folder) => `/opt/intel/${folder}/runtime/version.txt`);
  return versionIn(ctx, 'openvino', files);
}

async function oneApi(ctx: ProbeContext): Promise<Named> {
  const versions = (await listFolder(ctx, '/opt/intel/oneapi/compiler'))?.filter((name) => /^\d/.test(name)) ?? [];
  const newest = versions.map((name) => asVersion(name)).sort((a, b) => byNumber(b, a))[0];
  return newest === undefined ? undefined : { name: 'oneapi', version: newest };
}

function byNumber(a: ApiVersion, b: ApiVersion): number {
  return (a.major ?? 0) - (b.major ?? 0) || (a.minor ?? 0) - (b.minor ?? 0);
}

async function qnn(ctx: ProbeContext): Promise<Named> {
  const root = ctx.env['QNN_SDK_ROOT'] ?? ctx.env['QAIRT_SDK_ROOT'];
  if (root === undefined || !root.startsWith('/')) return undefined;
  const text = (await readText(ctx, `${root}/sdk.yaml`)) ?? '';
  const found = /^version:\s*"?(\d[\w.]*)/m.exec(text)?.[1];
  return found === undefined ? undefined : { name: 'qnn', version: asVersion(found) };
}

export function asVersion(text: string): ApiVersion {
  return parseVersion(text) ?? { version: text.slice(0, 200) };
}
