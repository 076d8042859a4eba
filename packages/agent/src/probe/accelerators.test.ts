// Accelerators and API versions on trees that are hand-written (each says so), and on this machine.
import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Profile } from '@assay/protocol';
import { probeAccelerators } from './accelerators.ts';
import { probeApis } from './apis.ts';
import { thisMachine } from './context.ts';
import type { ProbeContext } from './context.ts';
import { fixtureText, machineAt, writeTree } from './fixture-tree.ts';
import { probeGpus } from './gpus.ts';
import { probeMachine } from './index.ts';
import { parseKfd } from './kfd.ts';

async function at<Value>(
  tree: string,
  probe: (ctx: ProbeContext) => Promise<Value>,
  overrides: Partial<ProbeContext> = {},
): Promise<Value> {
  const root = writeTree(tree);
  try {
    return await probe(machineAt(root, overrides));
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('PCI and USB: NPUs, a TPU, an FPGA and what nobody knows; each with its driver where one is bound', async () => {
  const { value, unknown } = await at(fixtureText('accelerators.tree'), probeAccelerators);
  expect(value).toEqual([
    { class: 'fpga', driver: 'xclmgmt', pciId: '10ee:5020', vendor: 'xilinx', via: 'sysfs-pci' },
    {
      class: 'npu',
      driver: 'amdxdna',
      firmware: '1.0.0.166',
      model: 'NPU Strix',
      pciId: '1022:17f0',
      pciRevision: '10',
      vendor: 'amd',
      via: 'sysfs-accel',
    },
    {
      class: 'npu',
      driver: 'intel_vpu',
      driverVersion: '1.0.0',
      pciId: '8086:643e',
      pciRevision: '04',
      vendor: 'intel',
      via: 'sysfs-accel',
    },
    { class: 'tpu', pciId: '1ae0:0063', vendor: 'google', via: 'sysfs-pci' },
    { class: 'tpu', usbId: '1a6e:089a', vendor: 'coral', via: 'sysfs-usb' },
    { class: 'unknown', pciId: '1e52:401e', vendor: 'pci-1e52', via: 'sysfs-pci' },
  ]);
  expect(unknown).toEqual([
    {
      field: 'accelerators',
      reason: 'accel2 (8086:7d1d) is in this machine, but has no node in /dev/accel here',
    },
  ]);
});

test('parts on the chip itself: an NPU, an FPGA, and DSPs that tasks can reach', async () => {
  const { value, unknown } = await at(fixtureText('accelerators-on-chip.tree'), probeAccelerators);
  expect(value).toEqual([
    { class: 'dsp', compatible: 'qcom,sm8550-cdsp-pas', vendor: 'qualcomm', via: 'remoteproc' },
    { class: 'dsp', compatible: 'ti,j721e-c71-dsp', vendor: 'ti', via: 'remoteproc' },
    { class: 'fpga', model: 'Xilinx ZynqMP FPGA Manager', vendor: 'xilinx', via: 'fpga-manager' },
    {
      class: 'npu',
      compatible: 'rockchip,rk3588-rknn-core',
      driver: 'rocket',
      vendor: 'rockchip',
      via: 'sysfs-accel',
    },
  ]);
  expect(unknown).toEqual([
    { field: 'accelerators', reason: 'qcom,sm8550-adsp-pas is in this machine, but has no fastrpc node here' },
  ]);
});

test('a system without such a probe leaves accelerators unknown, with the reason', async () => {
  const { value, unknown } = await at('Empty.\n', probeAccelerators, { platform: 'win32' });
  expect(value).toBeUndefined();
  expect(unknown).toEqual([{ field: 'accelerators', reason: 'no probe for accelerators on win32' }]);
});

test('API versions by the files that installers leave; the newest of several; software Vulkan is no device', async () => {
  const probed = await at(fixtureText('apis.tree'), probeApis, {
    env: { PATH: '/bin', QNN_SDK_ROOT: '/opt/qairt' },
  });
  expect(probed.unknown).toEqual([]);
  expect(Object.entries(probed.apis).map(([name, { major, minor }]) => [name, major, minor])).toEqual([
    ['oneapi', 2025, 0],
    ['openvino', 2024, 6],
    ['qnn', 2, 26],
    ['rocm', 6, 2],
    ['vulkan', 1, 3],
  ]);
  expect([...probed.vulkan]).toEqual([['1002:73bf', { version: '1.3.289', major: 1, minor: 3 }]]);
});

test('CUDA is what the driver says it runs; a driver that answers nothing leaves it unknown', async () => {
  const two = await at(fixtureText('nvidia-two-cards.tree'), probeApis);
  expect(two.apis['cuda']).toEqual({ version: '12.8', major: 12, minor: 8 });
  const lost = await at(fixtureText('nvidia-driver-lost.tree'), probeApis);
  expect(lost.apis['cuda']).toBeUndefined();
  expect(lost.unknown).toMatchObject([{ field: 'apis.cuda', reason: expect.stringContaining('exited 9') }]);
  const none = await at(fixtureText('nvidia-no-devices.tree'), probeApis);
  expect(none).toMatchObject({ apis: {}, unknown: [] });
});

test("AMD's topology adds compute units, GFX version and clock to the card that drm lists", async () => {
  const noCim = Promise.resolve({ value: undefined, unknown: [] });
  const { gpus } = await at(fixtureText('kfd.tree'), (ctx) => probeGpus(ctx, noCim));
  expect(gpus).toEqual([
    {
      vendor: 'amd',
      pciId: '1002:74a1',
      driver: 'amdgpu',
      memoryMiB: 196_592,
      computeUnits: 304,
      computeCapability: 'gfx942',
      clockMHz: 2100,
      via: 'drm',
    },
  ]);
});

test.each([
  [110_000, 'gfx1100'],
  [90_010, 'gfx90a'],
  [100_300, 'gfx1030'],
])('the GFX version %i is %s', (gfx, expected) => {
  const text = `simd_count 4\nsimd_per_cu 2\nlocation_id 256\ngfx_target_version ${gfx}\n`;
  expect(parseKfd(text)?.node.computeCapability).toBe(expected);
});

test('this machine: the profile passes its schema, and accelerators are looked for where the kernel can list them', async () => {
  const { profile } = await probeMachine(thisMachine());
  expect(Profile.parse(profile)).toEqual(profile);
  const isUnknown = profile.unknown.some(({ field }) => field === 'accelerators');
  if (process.platform === 'linux') expect(profile.accelerators).toBeDefined();
  else expect(isUnknown).toBe(true);
});
