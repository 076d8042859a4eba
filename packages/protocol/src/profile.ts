// What a machine offers, as it was measured: the vocabulary of requirement expressions (`cpu.count >= 4 && "avx2" in cpu.isa`).
//
// Why it is here: the agent measures it, the coordinator matches it, the dashboard shows it. What always holds:
//   - a field that could not be measured is absent, and `unknown` says why; nothing is guessed or defaulted;
//   - nothing in it names one machine (host name, serial, uuid, bus address, container id), so that two equal machines
//     have equal profiles and one capability class; identity travels apart from it (`MachineIdentity`);
//   - nothing in it moves by itself (free memory, load, free disk): a changed profile means a changed machine;
//   - every string and list is bounded. Fields of a newer agent are dropped, not refused, and open vocabularies
//     (`gpu.via`, `container.kind`, browser names) are bounded words rather than enums, for the same reason.
// Names follow Kubernetes Node Feature Discovery and NVIDIA GPU feature discovery where they have one, in camelCase.
import { z } from 'zod';

const word = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._+:-]*$/);
const text = z.string().min(1).max(200);
const path = z.string().min(1).max(1_000);
const count = z.number().int().min(1).max(65_536);
const mebibytes = z.number().int().min(0).max(1_000_000_000);
const part = z.number().int().min(0).max(1_000_000_000);

/** A version as its tool prints it, with its first numbers split off so that expressions can compare them. */
const versioned = { version: text, major: part.optional(), minor: part.optional() };

/** A measured thing with a place: `path` is where it was found. */
export const InstalledTool = z.object({ ...versioned, path: path.optional() });
export type InstalledTool = z.infer<typeof InstalledTool>;

/** A runner that the machine itself has (as opposed to one in a project's own dependencies), and the runtime that carries it. */
export const InstalledRunner = z.object({ ...versioned, runtime: word, path: path.optional() });
export type InstalledRunner = z.infer<typeof InstalledRunner>;

const byName = <Value extends z.ZodType>(value: Value) =>
  z.record(word, value).refine((entries) => Object.keys(entries).length <= 64, 'at most 64 entries');

/** An API that a device or machine offers, in the version that its own tool or file says. */
export const ApiVersion = z.object(versioned);
export type ApiVersion = z.infer<typeof ApiVersion>;

const words = z.array(word).max(512);

/** A WebGPU adapter as a page of this browser saw it (GPUAdapterInfo, limits and features of the WebGPU standard). */
export const WebGpuAdapter = z.object({
  vendor: text.optional(),
  architecture: text.optional(),
  device: text.optional(),
  description: text.optional(),
  /** What the browser draws through where it says so: `vulkan`, `metal`, `d3d12`. */
  backend: word.optional(),
  /** Rendered by the CPU (SwiftShader, llvmpipe, WARP), as the adapter itself says or as its name gives away. */
  isSoftware: z.boolean(),
  features: words,
  limits: z.record(word, z.number()).refine((entries) => Object.keys(entries).length <= 128, 'at most 128 limits'),
});
export type WebGpuAdapter = z.infer<typeof WebGpuAdapter>;

/** A WebNN context that a page could make. `deviceType` is what was asked for, which proves nothing about where it runs. */
export const WebNnContext = z.object({ deviceType: word, operators: words, dataTypes: words.optional() });
export type WebNnContext = z.infer<typeof WebNnContext>;

/** `name`: `chromium`, `chrome`, `firefox`, `edge`, `safari`, `webkit`. `channel` sets a build apart: `headless-shell`, `esr`, `beta`. */
export const InstalledBrowser = z.object({
  name: word,
  channel: word.optional(),
  ...versioned,
  path: path.optional(),
  /** Measured inside a page of this browser; absent where nobody has looked. No adapter, no context: an empty list. */
  webgpu: z.array(WebGpuAdapter).max(8).optional(),
  webnn: z.array(WebNnContext).max(8).optional(),
  wasm: z.object({ features: words }).optional(),
  webgl: z.object({ vendor: text, renderer: text, isSoftware: z.boolean() }).optional(),
  /** What it called itself there, and whether the page was cross-origin isolated. */
  page: z.object({ userAgent: z.string().max(500), isIsolated: z.boolean() }).optional(),
});
export type InstalledBrowser = z.infer<typeof InstalledBrowser>;

/** `vendor` is a lower-case word (`nvidia`, `amd`, `intel`, `apple`) or `pci-XXXX` for a vendor id that we have no word for. */
export const Gpu = z.object({
  vendor: word,
  model: text.optional(),
  /** Memory of its own, or of this slice where the GPU is cut in slices (MIG). Absent where memory is shared with the CPU. */
  memoryMiB: mebibytes.optional(),
  driver: text.optional(),
  /** `vendor:device` in hexadecimal, as lspci prints it. Not the bus address, which is identity. */
  pciId: z
    .string()
    .regex(/^[0-9a-f]{4}:[0-9a-f]{4}$/)
    .optional(),
  /** NVIDIA: "9.0". AMD: the GFX version, "gfx1100". */
  computeCapability: text.optional(),
  /** NVIDIA multi-instance GPU: the profile of this slice, "1g.18gb". */
  migProfile: text.optional(),
  /** Streaming multiprocessors, compute units, Xe cores or GPU cores, as the vendor counts them. */
  computeUnits: count.optional(),
  /** The highest clock that the vendor's tool names for the compute units. */
  clockMHz: z.number().int().min(1).max(1_000_000).optional(),
  firmware: text.optional(),
  /** `cuda`, `rocm`, `vulkan`, `metal`: only what a tool or file said of this very device. */
  apis: byName(ApiVersion).optional(),
  /** `fp64`, `fp32`, `tf32`, `fp16`, `bf16`, `fp8`, `int8`, `int4`: only where a probe measured them. */
  precisions: z.array(word).max(32).optional(),
  /** Who said so: `nvidia-smi`, `rocm-smi`, `drm`, `system_profiler`, `cim`. */
  via: word,
});
export type Gpu = z.infer<typeof Gpu>;

/** A processor for one kind of work that is no GPU. */
export const Accelerator = z.object({
  /** `npu`, `tpu`, `dsp`, `fpga`, or `unknown` for a processing accelerator that our tables do not know. */
  class: word,
  vendor: word,
  model: text.optional(),
  memoryMiB: mebibytes.optional(),
  computeUnits: count.optional(),
  /** The kernel driver that is bound to it; absent where none is, and then nothing can run on it. */
  driver: word.optional(),
  driverVersion: text.optional(),
  firmware: text.optional(),
  pciId: z
    .string()
    .regex(/^[0-9a-f]{4}:[0-9a-f]{4}$/)
    .optional(),
  /** The PCI revision, two hexadecimal digits: some makers tell generations apart by it alone. */
  pciRevision: z
    .string()
    .regex(/^[0-9a-f]{2}$/)
    .optional(),
  usbId: z
    .string()
    .regex(/^[0-9a-f]{4}:[0-9a-f]{4}$/)
    .optional(),
  /** The device tree's name of a part on the chip itself, such as `rockchip,rk3588-rknn-core`. */
  compatible: text.optional(),
  apis: byName(ApiVersion).optional(),
  precisions: z.array(word).max(32).optional(),
  /** Who said so: `sysfs-pci`, `sysfs-accel`, `sysfs-usb`, `remoteproc`, `fpga-manager`. */
  via: word,
});
export type Accelerator = z.infer<typeof Accelerator>;

const Cpu = z.object({
  vendor: text.optional(),
  model: text.optional(),
  /** Whole processors that this process may keep busy: affinity and cgroup quota, rounded down, at least 1. */
  count: count.optional(),
  /** The cgroup quota, in processors with a fraction. Absent where there is none. */
  quotaCores: z.number().min(0.001).max(65_536).optional(),
  /** Online logical processors of the machine or VM, whatever this process may use of them. */
  logicalCount: count.optional(),
  physicalCount: count.optional(),
  /** Lower case, sorted; only what every processor has. x86: Linux flag names plus `sse3`; ARM: hwcaps plus `neon`. */
  isa: z.array(word).max(512).optional(),
});

/** A field that could not be measured. `field` is a path into the profile, such as `gpus` or `runtimes.java`. */
export const UnknownField = z.object({
  field: z.string().min(1).max(100),
  reason: z.string().min(1).max(500),
});
export type UnknownField = z.infer<typeof UnknownField>;

export const Profile = z.object({
  os: z.object({
    /** `linux`, `darwin`, `windows`, `freebsd`, ... */
    family: word,
    /** The distribution's id (`debian`, `ubuntu`), `macos` or `windows`. */
    name: text.optional(),
    version: text.optional(),
    kernel: text.optional(),
    /** As Node names it: `x64`, `arm64`. */
    arch: word,
  }),
  cpu: Cpu,
  memory: z.object({
    totalMiB: mebibytes.optional(),
    /** What this process may use: the tightest cgroup limit, or the total. */
    limitMiB: mebibytes.optional(),
  }),
  cgroup: z
    .object({
      version: z.enum(['1', '2', 'hybrid']),
      cpuQuotaCores: z.number().min(0.001).max(65_536).optional(),
      memoryLimitMiB: mebibytes.optional(),
    })
    .optional(),
  /** `kind`: `none`, `docker`, `podman`, `lxc`, `kubernetes`, `systemd-nspawn`, `unknown`. `evidence` says what was seen. */
  container: z.object({ kind: word, evidence: z.array(z.string().min(1).max(300)).max(16) }).optional(),
  /** In a stable order. Absent when a GPU tool failed and nothing else could see one. */
  gpus: z.array(Gpu).max(256).optional(),
  /** NPUs, TPUs, DSPs and FPGAs in a stable order. Absent where they could not be looked for. */
  accelerators: z.array(Accelerator).max(256).optional(),
  /** APIs of the machine as a whole: `cuda`, `rocm`, `vulkan`, `openvino`, `oneapi`, `metal`, `qnn`. */
  apis: byName(ApiVersion).optional(),
  runtimes: byName(InstalledTool),
  runners: byName(InstalledRunner),
  browsers: z.array(InstalledBrowser).max(64),
  /** `chromedriver`, `geckodriver`, `msedgedriver`, `safaridriver`, `WebKitWebDriver`. */
  drivers: byName(InstalledTool),
  unknown: z.array(UnknownField).max(128),
});
export type Profile = z.infer<typeof Profile>;

/** Which machine it is: for people and for joining records, never for matching. */
export const MachineIdentity = z.object({
  hostname: z.string().max(255).optional(),
  /** A digest of the system's machine id, never the id itself (systemd's machine-id(5) asks for that). */
  machine: z.string().max(64).optional(),
  cgroupPath: z.string().max(4_096).optional(),
  /** In the order of `profile.gpus`. */
  gpus: z.array(z.object({ uuid: z.string().max(100).optional(), busAddress: z.string().max(40).optional() })).max(256),
});
export type MachineIdentity = z.infer<typeof MachineIdentity>;

/**
 * The text whose digest names a capability class: keys sorted at every depth, so that equal profiles give equal text.
 * The wording of `unknown` reasons is left out (it carries time-outs and messages); that a field is unknown is kept.
 */
export function profileDigestText(profile: Profile): string {
  const unknown = [...new Set(profile.unknown.map((entry) => entry.field))].sort();
  return JSON.stringify(sorted({ ...profile, unknown }));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
}
