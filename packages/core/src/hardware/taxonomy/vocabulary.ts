// Everything that a requirement expression may name, with its type: the devices of the taxonomy, the profile as it was measured,
// and the labels, which say themselves who vouches for them. What is not here is a mistake, and the static check says so.
import { deviceAttributes } from './attributes.ts';
import type { Shape } from './shape.ts';

/** Who vouches for a field: a probe that measured it, the operator who declared it, the server that enforces it. */
export type Vouched = 'measured' | 'declared' | 'enforced';
export type Root = { readonly shape: Shape; readonly meaning: string; readonly vouched: Vouched };

const text: Shape = { kind: 'text' };
const whole: Shape = { kind: 'int' };
const mebibytes: Shape = { kind: 'mebibytes' };
const words: Shape = { kind: 'list', of: text };
const record = (fields: Readonly<Record<string, Shape>>): Shape => ({ kind: 'record', fields });
const listOf = (fields: Readonly<Record<string, Shape>>): Shape => ({ kind: 'list', of: record(fields) });
const versioned = { version: text, major: whole, minor: whole };
const tool = record({ ...versioned, path: text });
const apis: Shape = { kind: 'map', of: record(versioned) };

/** One device `d`, as `devices.exists(d, ...)` and a claim's expression see it. */
export const deviceShape: Shape = record(
  Object.fromEntries(Object.entries(deviceAttributes).map(([name, { shape }]) => [name, shape])),
);

const gpu = {
  vendor: text,
  model: text,
  memoryMiB: mebibytes,
  driver: text,
  pciId: text,
  computeCapability: text,
  migProfile: text,
  computeUnits: whole,
  clockMHz: whole,
  firmware: text,
  apis,
  precisions: words,
  via: text,
};

const accelerator = {
  class: text,
  vendor: text,
  model: text,
  memoryMiB: mebibytes,
  computeUnits: whole,
  driver: text,
  driverVersion: text,
  firmware: text,
  pciId: text,
  pciRevision: text,
  usbId: text,
  compatible: text,
  apis,
  precisions: words,
  via: text,
};

const browser = {
  name: text,
  channel: text,
  ...versioned,
  path: text,
  webgpu: listOf({
    vendor: text,
    architecture: text,
    device: text,
    description: text,
    backend: text,
    isSoftware: { kind: 'bool' },
    features: words,
    limits: { kind: 'map', of: whole },
  }),
  webnn: listOf({ deviceType: text, operators: words, dataTypes: words }),
  wasm: record({ features: words }),
};

export const vocabulary = {
  devices: {
    shape: { kind: 'list', of: deviceShape },
    meaning: 'every device of the worker with its attributes',
    vouched: 'measured',
  },
  os: {
    shape: record({ family: text, name: text, version: text, kernel: text, arch: text }),
    meaning: 'the operating system',
    vouched: 'measured',
  },
  cpu: {
    shape: record({
      vendor: text,
      model: text,
      count: whole,
      quotaCores: { kind: 'number' },
      logicalCount: whole,
      physicalCount: whole,
      isa: words,
      isaGroups: words,
    }),
    meaning: 'the processors that the worker may use',
    vouched: 'measured',
  },
  memory: {
    shape: record({
      totalMiB: mebibytes,
      limitMiB: mebibytes,
      total: { kind: 'quantity', dimension: 'Memory' },
      limit: { kind: 'quantity', dimension: 'Memory' },
    }),
    meaning: 'memory of the machine, and what the worker may use of it',
    vouched: 'measured',
  },
  cgroup: {
    shape: record({ version: text, cpuQuotaCores: { kind: 'number' }, memoryLimitMiB: mebibytes }),
    meaning: 'limits that the system puts on the worker',
    vouched: 'measured',
  },
  container: {
    shape: record({ kind: text, evidence: words }),
    meaning: 'what contains the worker',
    vouched: 'measured',
  },
  gpus: { shape: listOf(gpu), meaning: 'graphics processors as probes found them', vouched: 'measured' },
  accelerators: {
    shape: listOf(accelerator),
    meaning: 'NPUs, TPUs, DSPs, FPGAs as probes found them',
    vouched: 'measured',
  },
  apis: { shape: apis, meaning: 'programming interfaces of the machine, by name', vouched: 'measured' },
  runtimes: { shape: { kind: 'map', of: tool }, meaning: 'language runtimes, by name', vouched: 'measured' },
  runners: {
    shape: { kind: 'map', of: record({ ...versioned, runtime: text, path: text }) },
    meaning: 'test runners of the machine itself, by name',
    vouched: 'measured',
  },
  browsers: { shape: listOf(browser), meaning: 'installed browsers', vouched: 'measured' },
  drivers: { shape: { kind: 'map', of: tool }, meaning: 'WebDriver servers, by name', vouched: 'measured' },
  unknown: {
    shape: listOf({ field: text, reason: text }),
    meaning: 'what could not be measured, and why',
    vouched: 'measured',
  },
  declared: {
    shape: { kind: 'map', of: { kind: 'any' } },
    meaning: "labels of the worker's operator",
    vouched: 'declared',
  },
  enforced: {
    shape: record({ pool: text, trust: text }),
    meaning: 'what the server itself decides of a worker: its pool, and the trust that its token gives',
    vouched: 'enforced',
  },
  pool: { shape: text, meaning: 'the same as `enforced.pool`', vouched: 'enforced' },
} as const satisfies Readonly<Record<string, Root>>;

export type RootName = keyof typeof vocabulary;
export const rootNames = Object.keys(vocabulary) as RootName[];
