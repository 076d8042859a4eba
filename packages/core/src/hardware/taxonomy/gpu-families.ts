// GPU architectures and the models of them that are met in servers and laboratories.
// Precisions are formats that the matrix or vector units compute; compute units are those of the whole product.
import type { FamilyEntry, ModelEntry } from './catalogue.ts';

const cudaGuide = 'NVIDIA CUDA C++ Programming Guide, compute capabilities; tensor core types of the PTX ISA';
const amdDocs = 'AMD ROCm documentation, accelerator and GPU hardware specifications';
const intelDocs = 'Intel graphics documentation; PCI ids of the Linux xe and i915 drivers';
const appleDocs = 'Apple, Metal feature set tables';

function nvidia(model: string, pattern: RegExp, computeUnits: number): ModelEntry {
  return {
    model,
    match: { model: pattern },
    attributes: { computeUnits },
    source: 'NVIDIA data sheets and architecture white papers: streaming multiprocessors',
  };
}

/** Families of NVIDIA, as GPU feature discovery names them by compute capability. */
const nvidiaFamilies: readonly FamilyEntry[] = [
  family('kepler', /^3\./, ['fp64', 'fp32']),
  family('maxwell', /^5\./, ['fp64', 'fp32']),
  family('pascal', /^6\.0$/, ['fp64', 'fp32', 'fp16'], [nvidia('p100', /P100/, 56)]),
  family('pascal', /^6\./, ['fp64', 'fp32', 'int8'], [nvidia('p4', /\bP4\b/, 20), nvidia('p40', /\bP40\b/, 30)]),
  family('volta', /^7\.[0-4]$/, ['fp64', 'fp32', 'fp16', 'int8'], [nvidia('v100', /V100/, 80)]),
  family('turing', /^7\.[5-9]$/, ['fp64', 'fp32', 'fp16', 'int8', 'int4'], [nvidia('t4', /\bT4\b/, 40)]),
  family(
    'ampere',
    /^8\.[0-8]$/,
    ['fp64', 'fp32', 'tf32', 'fp16', 'bf16', 'int8', 'int4'],
    [
      nvidia('a100', /A100/, 108),
      nvidia('a30', /\bA30\b/, 56),
      nvidia('a10', /\bA10\b/, 72),
      nvidia('a40', /\bA40\b/, 84),
      nvidia('rtx-3090', /RTX 3090$/, 82),
    ],
  ),
  family(
    'ada-lovelace',
    /^8\.9$/,
    ['fp64', 'fp32', 'tf32', 'fp16', 'bf16', 'fp8', 'int8', 'int4'],
    [
      nvidia('l4', /\bL4\b/, 58),
      nvidia('l40s', /\bL40S\b/, 142),
      nvidia('l40', /\bL40\b/, 142),
      nvidia('rtx-4090', /RTX 4090$/, 128),
    ],
  ),
  family(
    'hopper',
    /^9\./,
    ['fp64', 'fp32', 'tf32', 'fp16', 'bf16', 'fp8', 'int8'],
    [
      nvidia('h200', /\bH200\b/, 132),
      nvidia('h100-pcie', /H100 PCIe/, 114),
      nvidia('h100', /H100 80GB HBM3/, 132),
      nvidia('gh200', /GH200/, 132),
    ],
  ),
  family(
    'blackwell',
    /^1[02]\./,
    ['fp64', 'fp32', 'tf32', 'fp16', 'bf16', 'fp8', 'fp6', 'fp4', 'int8'],
    [nvidia('rtx-5090', /RTX 5090$/, 170)],
  ),
];

function family(
  name: string,
  computeCapability: RegExp,
  precisions: readonly string[],
  models: readonly ModelEntry[] = [],
): FamilyEntry {
  return {
    class: 'gpu',
    vendor: 'nvidia',
    family: name,
    match: { computeCapability },
    attributes: { precisions },
    source: cudaGuide,
    models,
  };
}

function amd(
  name: string,
  gfx: RegExp,
  precisions: readonly string[],
  models: readonly ModelEntry[] = [],
): FamilyEntry {
  return {
    class: 'gpu',
    vendor: 'amd',
    family: name,
    match: { computeCapability: gfx },
    attributes: { precisions },
    source: amdDocs,
    models,
  };
}

function instinct(model: string, pattern: RegExp, computeUnits: number): ModelEntry {
  return { model, match: { model: pattern }, attributes: { computeUnits }, source: `${amdDocs}: compute units` };
}

const amdFamilies: readonly FamilyEntry[] = [
  amd('vega', /^gfx90[0-7]$/, ['fp64', 'fp32', 'fp16', 'int8']),
  amd('cdna', /^gfx908$/, ['fp64', 'fp32', 'fp16', 'bf16', 'int8'], [instinct('mi100', /MI100/, 120)]),
  amd('cdna2', /^gfx90a$/, ['fp64', 'fp32', 'fp16', 'bf16', 'int8'], [instinct('mi210', /MI210/, 104)]),
  amd(
    'cdna3',
    /^gfx94\w$/,
    ['fp64', 'fp32', 'tf32', 'fp16', 'bf16', 'fp8', 'int8'],
    [instinct('mi325x', /MI325X/, 304), instinct('mi300x', /MI300X/, 304), instinct('mi300a', /MI300A/, 228)],
  ),
  amd(
    'cdna4',
    /^gfx950$/,
    ['fp64', 'fp32', 'fp16', 'bf16', 'fp8', 'fp6', 'fp4', 'int8'],
    [instinct('mi355x', /MI355X/, 256), instinct('mi350x', /MI350X/, 256)],
  ),
  amd('rdna', /^gfx101\w$/, ['fp64', 'fp32', 'fp16']),
  amd('rdna2', /^gfx103\w$/, ['fp64', 'fp32', 'fp16', 'int8', 'int4']),
  amd('rdna3', /^gfx11\w\w$/, ['fp64', 'fp32', 'fp16', 'bf16', 'int8', 'int4']),
  amd('rdna4', /^gfx12\w\w$/, ['fp64', 'fp32', 'fp16', 'bf16', 'fp8', 'int8', 'int4']),
];

/** Alchemist, Battlemage and Ponte Vecchio cards, by device id. */
const intelFamilies: readonly FamilyEntry[] = [
  {
    class: 'gpu',
    vendor: 'intel',
    family: 'xe-hpg',
    match: {
      ids: ['5690', '5691', '5692', '5693', '5694', '56a0', '56a1', '56a5', '56a6', '56c0', '56c1'].map(intelId),
    },
    attributes: { precisions: ['fp32', 'fp16', 'bf16', 'int8', 'int4'] },
    source: intelDocs,
    models: [
      {
        model: 'arc-a770',
        match: { ids: ['8086:56a0'] },
        attributes: { computeUnits: 32 },
        source: 'Intel ARK: Xe cores',
      },
      {
        model: 'arc-a750',
        match: { ids: ['8086:56a1'] },
        attributes: { computeUnits: 28 },
        source: 'Intel ARK: Xe cores',
      },
      {
        model: 'flex-170',
        match: { ids: ['8086:56c0'] },
        attributes: { computeUnits: 32 },
        source: 'Intel ARK: Xe cores',
      },
    ],
  },
  {
    class: 'gpu',
    vendor: 'intel',
    family: 'xe2-hpg',
    match: { ids: ['e202', 'e20b', 'e20c', 'e20d', 'e210', 'e212'].map(intelId) },
    attributes: { precisions: ['fp32', 'fp16', 'bf16', 'int8', 'int4'] },
    source: intelDocs,
    models: [
      {
        model: 'arc-b580',
        match: { ids: ['8086:e20b'] },
        attributes: { computeUnits: 20 },
        source: 'Intel ARK: Xe cores',
      },
    ],
  },
  {
    class: 'gpu',
    vendor: 'intel',
    family: 'xe-hpc',
    match: { ids: ['0bd5', '0bd6', '0bd9', '0bda', '0bdb', '0be5'].map(intelId) },
    attributes: { precisions: ['fp64', 'fp32', 'tf32', 'fp16', 'bf16', 'int8'] },
    source: intelDocs,
  },
];

function intelId(device: string): string {
  return `8086:${device}`;
}

const appleFamilies: readonly FamilyEntry[] = ['m1', 'm2', 'm3', 'm4', 'm5'].map((chip) => ({
  class: 'gpu',
  vendor: 'apple',
  family: `apple-${chip}`,
  match: { model: new RegExp(`^Apple ${chip}\\b`, 'i') },
  attributes: { precisions: ['fp32', 'fp16', ...(chip === 'm1' ? [] : ['bf16'])] },
  source: appleDocs,
}));

/** Display adapters that machines imitate for their guests: what draws behind them cannot be told from here. */
const imitated: readonly FamilyEntry[] = ['qemu', 'redhat', 'vmware', 'virtualbox', 'aspeed', 'matrox'].map(
  (vendor) => ({
    class: 'gpu',
    vendor,
    family: 'display-adapter',
    match: {},
    attributes: {},
    source: 'PCI vendor of an imitated or management display adapter',
  }),
);

/** Vendors of which a card that a probe found is a card. */
export const hardwareGpuVendors: ReadonlySet<string> = new Set([
  'nvidia',
  'amd',
  'intel',
  'apple',
  'qualcomm',
  'arm',
  'imagination',
  'moore-threads',
]);

export const gpuFamilies: readonly FamilyEntry[] = [
  ...nvidiaFamilies,
  ...amdFamilies,
  ...intelFamilies,
  ...appleFamilies,
  ...imitated,
];
