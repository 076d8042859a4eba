// The attributes of a device, with type, unit, meaning and the name that Kubernetes has for it where it has one: Node Feature
// Discovery (NFD), NVIDIA GPU feature discovery (GFD), AMD's node labeller, or the attributes of DRA drivers. Requirement
// expressions see exactly these on a device `d`, and the static check knows no others.
import type { Shape } from './shape.ts';

export type AttributeEntry = {
  readonly shape: Shape;
  readonly meaning: string;
  /** The name elsewhere; absent where nobody has one. */
  readonly kubernetes?: string;
  /** What measures it, or that it comes from the catalogue of families and models. */
  readonly source: string;
};

const text: Shape = { kind: 'text' };
const words: Shape = { kind: 'list', of: text };
const whole: Shape = { kind: 'int' };
const version: Shape = { kind: 'record', fields: { version: text, major: whole, minor: whole } };

export const deviceAttributes = {
  class: {
    shape: text,
    meaning: 'cpu, gpu, npu, tpu, dsp, fpga, webgpu, webnn or wasm',
    kubernetes: 'NFD pci-<class>_<vendor>.present',
    source: 'probe',
  },
  family: {
    shape: text,
    meaning: 'architecture: hopper, cdna3, xdna2',
    kubernetes: 'GFD nvidia.com/gpu.family; AMD amd.com/gpu.family; NFD cpu-model.family',
    source: 'catalogue, by compute capability, GFX version or PCI id',
  },
  model: {
    shape: text,
    meaning: 'the name that the device gives itself, or its catalogue name',
    kubernetes: 'GFD nvidia.com/gpu.product; AMD amd.com/gpu.product-name; DRA productName',
    source: 'probe',
  },
  unit: { shape: whole, meaning: 'counts the devices of its class on this worker from 0', source: 'probe' },
  vendor: {
    shape: text,
    meaning: 'a lower-case word: nvidia, amd, intel, apple, google',
    kubernetes: 'NFD pci-<class>_<vendor>.present; NFD cpu-model.vendor_id',
    source: 'PCI or USB vendor id, or the vendor tool',
  },
  memory: {
    shape: { kind: 'quantity', dimension: 'Memory' },
    meaning: 'memory of its own; of a cpu, what this worker may use; absent where it is shared',
    kubernetes: 'GFD nvidia.com/gpu.memory (MiB); AMD amd.com/gpu.vram; DRA capacity memory',
    source: 'nvidia-smi, rocm-smi, amdgpu sysfs, cgroup limits',
  },
  computeUnits: {
    shape: whole,
    meaning: 'multiprocessors, compute units, Xe or GPU cores; of a cpu, processors that this worker may keep busy',
    kubernetes: 'GFD nvidia.com/gpu.multiprocessors (MIG); AMD amd.com/gpu.cu-count',
    source: 'KFD topology, system_profiler, affinity and quota; else the catalogue, for whole devices',
  },
  clock: {
    shape: { kind: 'quantity', dimension: 'Frequency' },
    meaning: 'highest clock of the compute units',
    source: 'nvidia-smi clocks.max.sm, KFD topology',
  },
  isa: {
    shape: words,
    meaning: 'instruction sets of a cpu, Linux flag names',
    kubernetes: 'NFD cpu-cpuid.<flag>, in capitals',
    source: '/proc/cpuinfo, sysctl, IsProcessorFeaturePresent',
  },
  isaGroups: {
    shape: words,
    meaning: 'groups of instruction sets that code is compiled for: avx2, avx512, amx, neon, sve',
    source: 'the group table, from isa',
  },
  apis: {
    shape: { kind: 'map', of: version },
    meaning: 'programming interfaces that reach this device, by name: cuda, rocm, vulkan, metal, openvino, oneapi',
    kubernetes: 'GFD nvidia.com/cuda.driver-version.full; DRA cudaDriverVersion',
    source: 'nvidia-smi, /opt/rocm/.info, vulkaninfo, OpenVINO and oneAPI files, system_profiler',
  },
  precisions: {
    shape: words,
    meaning: 'number formats that the hardware itself computes: fp64, fp32, tf32, fp16, bf16, fp8, int8, int4',
    source: 'catalogue by family; WebGPU features and WebNN data types where a page measured them',
  },
  computeCapability: {
    shape: text,
    meaning: 'NVIDIA "9.0", AMD "gfx942"',
    kubernetes: 'GFD nvidia.com/gpu.compute.major and .minor; DRA cudaComputeCapability',
    source: 'nvidia-smi, rocm-smi, KFD topology',
  },
  migProfile: {
    shape: text,
    meaning: 'the slice of an NVIDIA GPU that this is: "1g.18gb"',
    kubernetes: 'GFD nvidia.com/gpu.product suffix; DRA profile',
    source: 'nvidia-smi -L',
  },
  driver: {
    shape: text,
    meaning: "the driver's version, or its name where only the kernel was asked",
    kubernetes: 'GFD nvidia.com/cuda.driver-version.full; DRA driverVersion',
    source: 'nvidia-smi, rocm-smi, sysfs',
  },
  driverVersion: { shape: text, meaning: "the version of an accelerator's kernel module", source: '/sys/module' },
  firmware: { shape: text, meaning: "the firmware's version", source: 'nvidia-smi vbios_version, sysfs fw_version' },
  pciId: {
    shape: text,
    meaning: 'vendor:device, four hexadecimal digits each',
    kubernetes: 'NFD pci-<class>_<vendor>_<device>.present',
    source: 'sysfs, nvidia-smi',
  },
  usbId: {
    shape: text,
    meaning: 'vendor:product, four hexadecimal digits each',
    kubernetes: 'NFD usb-<class>_<vendor>_<device>.present',
    source: 'sysfs',
  },
  software: {
    shape: { kind: 'bool' },
    meaning: 'whether it is imitated by a CPU (SwiftShader, llvmpipe, WARP); absent where nobody can say',
    source: 'catalogue by vendor; of a WebGPU adapter, what the adapter says',
  },
  backend: { shape: text, meaning: 'what a WebGPU adapter draws through: vulkan, metal, d3d12', source: 'a page' },
  features: {
    shape: words,
    meaning: 'WebGPU features (shader-f16), WebNN operators (conv2d) or WebAssembly features (simd)',
    source: 'a page',
  },
  limits: {
    shape: { kind: 'map', of: whole },
    meaning: 'WebGPU limits by their names in the standard',
    source: 'a page',
  },
  browser: { shape: text, meaning: 'the browser that a webgpu, webnn or wasm device belongs to', source: 'probe' },
  browserVersion: { shape: version, meaning: 'the version of that browser', source: 'probe' },
} as const satisfies Readonly<Record<string, AttributeEntry>>;

export type AttributeName = keyof typeof deviceAttributes;
