// Profiles as probes make them, and the devices that follow. The profiles are hand-written; the last test measures this machine.
import { acceleratorsByPciId, acceleratorsByUsbId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { asJson, profileOf } from '../../testing/lab.ts';
import { Memory } from '../quantity.ts';
import { deviceAttributes } from './attributes.ts';
import { deviceClasses } from './classes.ts';
import { devicesOf } from './devices.ts';
import type { Device } from './devices.ts';
import { otherFamilies } from './other-families.ts';
import { isaGroupsOf } from './isa-groups.ts';

function valueOf(device: Device | undefined, name: keyof Device['attributes']): unknown {
  return device?.attributes[name]?.value;
}

const h200 = {
  vendor: 'nvidia',
  model: 'NVIDIA H200',
  memoryMiB: 143_771,
  computeCapability: '9.0',
  via: 'nvidia-smi',
};

test('a GPU inherits from class, family and model, and each attribute says from where', () => {
  const [, gpu] = devicesOf(profileOf({ gpus: [h200], apis: { cuda: { version: '12.8', major: 12, minor: 8 } } }));
  expect(gpu?.class).toBe('gpu');
  expect(gpu?.attributes.family).toMatchObject({ value: 'hopper', provenance: 'catalogue', level: 'family' });
  expect(gpu?.attributes.computeUnits).toMatchObject({ value: 132, provenance: 'catalogue', level: 'model' });
  expect(gpu?.attributes.precisions).toMatchObject({ level: 'family' });
  expect(gpu?.attributes.memory).toMatchObject({ provenance: 'measured', level: 'unit', source: 'nvidia-smi' });
  expect(valueOf(gpu, 'memory')).toEqual(new Memory(143_771 * 2 ** 20));
  expect(valueOf(gpu, 'model')).toBe('NVIDIA H200');
  expect(valueOf(gpu, 'apis')).toEqual({ cuda: { version: '12.8', major: 12, minor: 8 } });
});

test('what was measured wins over the catalogue', () => {
  const [, gpu] = devicesOf(profileOf({ gpus: [{ ...h200, computeUnits: 100, precisions: ['fp32'] }] }));
  expect(gpu?.attributes.computeUnits).toMatchObject({ value: 100, provenance: 'measured' });
  expect(valueOf(gpu, 'precisions')).toEqual(['fp32']);
});

test('a slice of a GPU does not get the compute units of the whole card', () => {
  const [, slice] = devicesOf(profileOf({ gpus: [{ ...h200, migProfile: '1g.18gb', memoryMiB: 16_384 }] }));
  expect(valueOf(slice, 'family')).toBe('hopper');
  expect(slice?.attributes.computeUnits).toBeUndefined();
});

const families: [string, Parameters<typeof profileOf>[0], string | undefined][] = [
  ['NVIDIA T4', { gpus: [{ vendor: 'nvidia', computeCapability: '7.5', via: 'nvidia-smi' }] }, 'turing'],
  ['NVIDIA V100', { gpus: [{ vendor: 'nvidia', computeCapability: '7.0', via: 'nvidia-smi' }] }, 'volta'],
  ['NVIDIA L4', { gpus: [{ vendor: 'nvidia', computeCapability: '8.9', via: 'nvidia-smi' }] }, 'ada-lovelace'],
  ['NVIDIA A10', { gpus: [{ vendor: 'nvidia', computeCapability: '8.6', via: 'nvidia-smi' }] }, 'ampere'],
  ['AMD MI300X', { gpus: [{ vendor: 'amd', computeCapability: 'gfx942', via: 'rocm-smi' }] }, 'cdna3'],
  ['Radeon 7900', { gpus: [{ vendor: 'amd', computeCapability: 'gfx1100', via: 'rocm-smi' }] }, 'rdna3'],
  ['Arc A770', { gpus: [{ vendor: 'intel', pciId: '8086:56a0', via: 'drm' }] }, 'xe-hpg'],
  ['Apple M3', { gpus: [{ vendor: 'apple', model: 'Apple M3 Pro', via: 'system_profiler' }] }, 'apple-m3'],
  ['a GPU of no known family', { gpus: [{ vendor: 'nvidia', via: 'drm' }] }, undefined],
  [
    'Intel NPU',
    { accelerators: [{ class: 'npu', vendor: 'intel', pciId: '8086:643e', via: 'sysfs-accel' }] },
    'npu-40xx',
  ],
  ['AMD XDNA', { accelerators: [{ class: 'npu', vendor: 'amd', pciId: '1022:17f0', via: 'sysfs-accel' }] }, 'xdna2'],
  [
    'Cloud TPU',
    { accelerators: [{ class: 'tpu', vendor: 'google', pciId: '1ae0:0063', via: 'sysfs-pci' }] },
    'cloud-tpu',
  ],
  [
    'Coral stick',
    { accelerators: [{ class: 'tpu', vendor: 'coral', usbId: '1a6e:089a', via: 'sysfs-usb' }] },
    'edge-tpu',
  ],
  [
    'Xilinx card',
    { accelerators: [{ class: 'fpga', vendor: 'xilinx', pciId: '10ee:5020', via: 'sysfs-pci' }] },
    'xilinx',
  ],
];
test.each(families)('the family of %s', (_name, change, family) => {
  expect(valueOf(devicesOf(profileOf(change))[1], 'family')).toBe(family);
});

test('the XDNA generation that only its PCI revision tells apart is a model', () => {
  const npu = (pciRevision: string) =>
    devicesOf(
      profileOf({
        accelerators: [{ class: 'npu', vendor: 'amd', pciId: '1022:17f0', pciRevision, via: 'sysfs-accel' }],
      }),
    )[1];
  expect(valueOf(npu('10'), 'model')).toBe('strix-npu');
  expect(valueOf(npu('11'), 'model')).toBe('strix-halo-npu');
  expect(valueOf(npu('ff'), 'model')).toBeUndefined();
});

test('units are counted in each class, and equal profiles built apart give equal devices', () => {
  const profile = profileOf({ gpus: [h200, h200], accelerators: [] });
  const devices = devicesOf(profile);
  expect(devices.map((device) => `${device.class}${device.unit}`)).toEqual(['cpu0', 'gpu0', 'gpu1']);
  expect(devicesOf(asJson(profile))).toEqual(devices);
});

test('a browser brings what a page measured, and nothing where nobody looked', () => {
  const adapter = { vendor: 'google', architecture: 'swiftshader', isSoftware: true, features: [], limits: {} };
  const measured = profileOf({
    browsers: [
      {
        name: 'chromium',
        version: '156.0',
        major: 156,
        webgpu: [adapter, { ...adapter, isSoftware: false, features: ['shader-f16'] }],
        webnn: [{ deviceType: 'cpu', operators: ['relu'], dataTypes: ['float32', 'uint8'] }],
        wasm: { features: ['simd'] },
      },
      { name: 'firefox', version: '153.0' },
    ],
  });
  const devices = devicesOf(measured);
  expect(devices.map((device) => device.class)).toEqual(['cpu', 'webgpu', 'webgpu', 'webnn', 'wasm']);
  expect(valueOf(devices[1], 'software')).toBe(true);
  expect(valueOf(devices[2], 'precisions')).toEqual(['fp32', 'fp16']);
  expect(valueOf(devices[3], 'precisions')).toEqual(['fp32']);
  expect(valueOf(devices[4], 'browser')).toBe('chromium');
});

test('every attribute of every device is in the attribute table, and every class in the class table', () => {
  const all = devicesOf(
    profileOf({ gpus: [h200], browsers: [{ name: 'x', version: '1', wasm: { features: [] } }] }),
  ).flatMap((device) => Object.keys(device.attributes));
  for (const name of all) expect(Object.keys(deviceAttributes)).toContain(name);
  expect(new Set(deviceClasses).size).toBe(deviceClasses.length);
});

const groups: [string[], string[]][] = [
  [['avx2'], ['avx2']],
  [['avx512f'], []],
  [['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'], ['avx512']],
  [
    ['amx_tile', 'amx_bf16'],
    ['amx', 'amx-bf16'],
  ],
  [
    ['asimd', 'neon', 'sve'],
    ['neon', 'sve'],
  ],
];
test.each(groups)('the groups of %j are %j', (isa, expected) => {
  expect(isaGroupsOf(isa)).toEqual(expected);
});

test('every id by which a probe finds an accelerator has a family of the same class here, and the other way round', () => {
  const ids = { ...acceleratorsByPciId, ...acceleratorsByUsbId };
  const known = otherFamilies.flatMap((family) =>
    (family.match.ids ?? []).map((id): [string, string] => [id, family.class]),
  );
  expect(Object.fromEntries(known)).toEqual(ids);
});
