import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseCim } from './cim.ts';
import { parseDisplays } from './displays.ts';
import { fixtureText, machineAt, writeTree } from './fixture-tree.ts';
import { mergeGpus, probeGpus } from './gpus.ts';
import { parseNvidiaCsv } from './nvidia.ts';
import { parseRocm } from './rocm.ts';

const noCim = Promise.resolve({ value: undefined, unknown: [] });

async function gpusOf(text: string) {
  const root = writeTree(text);
  try {
    return await probeGpus(machineAt(root), noCim);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('NVIDIA: two cards; what the driver does not have is absent; uuid and bus address are identity', async () => {
  const probe = await gpusOf(fixtureText('nvidia-two-cards.tree'));
  expect(probe.unknown).toEqual([]);
  expect(probe.gpus).toEqual([
    {
      vendor: 'nvidia',
      model: 'NVIDIA H200',
      memoryMiB: 143_771,
      driver: '570.86.15',
      pciId: '10de:2335',
      computeCapability: '9.0',
      clockMHz: 1980,
      firmware: '96.00.BC.00.01',
      via: 'nvidia-smi',
    },
    {
      vendor: 'nvidia',
      model: 'Quadro K620',
      driver: '570.86.15',
      pciId: '10de:13bb',
      firmware: '82.07.7a.00.01',
      via: 'nvidia-smi',
    },
  ]);
  expect(probe.identity).toEqual([
    { uuid: 'GPU-11111111-2222-3333-4444-555555555555', busAddress: '0000:3b:00.0' },
    { uuid: 'GPU-66666666-2222-3333-4444-555555555555', busAddress: '0000:af:00.0' },
  ]);
});

test('NVIDIA: an old driver that refuses a field is asked again without it', async () => {
  const { gpus, unknown } = await gpusOf(fixtureText('nvidia-old-driver.tree'));
  expect(unknown).toEqual([]);
  expect(gpus).toMatchObject([{ model: 'Tesla K80', memoryMiB: 11_441, pciId: '10de:102d' }]);
  expect(gpus?.[0]).not.toHaveProperty('computeCapability');
});

test('NVIDIA: a lost driver makes the GPUs unknown, with its own words, and not none', async () => {
  const { gpus, unknown } = await gpusOf(fixtureText('nvidia-driver-lost.tree'));
  expect(gpus).toBeUndefined();
  expect(unknown).toEqual([
    {
      field: 'gpus',
      reason: expect.stringContaining("exited 9: NVIDIA-SMI has failed because it couldn't communicate"),
    },
  ]);
});

test('NVIDIA: a working driver without a card is no GPU, and nothing is unknown', async () => {
  expect(await gpusOf(fixtureText('nvidia-no-devices.tree'))).toEqual({ gpus: [], identity: [], unknown: [] });
});

test('NVIDIA: the slices of a cut card are offered in its place, each with its own memory', async () => {
  const { gpus, identity, unknown } = await gpusOf(fixtureText('nvidia-mig.tree'));
  expect(gpus?.map((gpu) => [gpu.migProfile, gpu.memoryMiB])).toEqual(
    [
      ['1g.5gb', 4864],
      ['3g.20gb', 19_968],
      [undefined, 40_960],
    ].sort(
      (a, b) => gpus!.findIndex((gpu) => gpu.migProfile === a[0]) - gpus!.findIndex((gpu) => gpu.migProfile === b[0]),
    ),
  );
  const slice = gpus!.findIndex((gpu) => gpu.migProfile === '1g.5gb');
  expect(identity[slice]).toEqual({ uuid: 'MIG-bbbbbbbb-0000-0000-0000-000000000002', busAddress: '0000:07:00.0' });
  expect(unknown).toEqual([{ field: 'gpus', reason: expect.stringContaining('has no slices') }]);
});

test('NVIDIA: a line that is no row makes the whole answer unreadable', () => {
  expect(parseNvidiaCsv('Unable to determine the device handle for GPU\n')).toBeUndefined();
  expect(parseNvidiaCsv('')).toBeUndefined();
});

test('AMD: warnings and either spelling of the keys are read, and the kernel adds what rocm-smi does not know', async () => {
  const { gpus, identity, unknown } = await gpusOf(fixtureText('rocm-two-cards.tree'));
  expect(unknown).toEqual([]);
  expect(gpus).toHaveLength(3);
  expect(gpus).toEqual(
    expect.arrayContaining([
      {
        vendor: 'amd',
        model: 'Radeon RX 7900 XT',
        memoryMiB: 20_464,
        driver: '6.8.5',
        pciId: '1002:744c',
        computeCapability: 'gfx1100',
        via: 'rocm-smi',
      },
      { vendor: 'amd', model: 'Phoenix3', driver: '6.8.5', pciId: '1002:1900', via: 'rocm-smi' },
      { vendor: 'aspeed', driver: 'ast', pciId: '1a03:2000', via: 'drm' },
    ]),
  );
  expect(identity).toContainEqual({ uuid: '0x9246000000000001', busAddress: '0000:03:00.0' });
});

test('AMD: an answer that is no JSON is no answer', () => {
  expect(parseRocm('ERROR: no permission')).toBeUndefined();
  expect(parseRocm('{"card0": ')).toBeUndefined();
});

test('Linux without a vendor tool: PCI ids and what the driver tells; a card that is not passed in is not offered', async () => {
  const { gpus, unknown } = await gpusOf(fixtureText('drm-only.tree'));
  expect(gpus).toEqual([{ vendor: 'amd', pciId: '1002:73bf', driver: 'amdgpu', memoryMiB: 16_368, via: 'drm' }]);
  expect(unknown).toEqual([
    { field: 'gpus', reason: 'card1 (10de:2330) is in this machine, but has no node in /dev/dri here' },
  ]);
});

test('a failed vendor tool beside a card that the kernel lists: the card is offered, the failure is told', async () => {
  const { gpus, unknown } = await gpusOf(
    fixtureText('nvidia-driver-lost.tree') + fixtureText('drm-only.tree').replace(/^[^-]*/, ''),
  );
  expect(gpus).toMatchObject([{ vendor: 'amd' }]);
  expect(unknown).toHaveLength(2);
});

test('macOS: memory of its own where it has some, none where it is shared', () => {
  expect(parseDisplays(fixtureText('darwin-intel-gpus.json'))).toEqual([
    { vendor: 'intel', model: 'Intel UHD Graphics 630', via: 'system_profiler' },
    { vendor: 'amd', model: 'AMD Radeon Pro 5500M', memoryMiB: 8192, via: 'system_profiler' },
    { vendor: 'nvidia', model: 'NVIDIA GeForce GT 650M', memoryMiB: 512, via: 'system_profiler' },
  ]);
  expect(parseDisplays('{}')).toBeUndefined();
  expect(parseDisplays('')).toBeUndefined();
});

test('Windows: several controllers; a saturated AdapterRAM is not a measurement; a remote display is no GPU', () => {
  const facts = parseCim(fixtureText('windows-several-controllers.json'));
  expect(facts?.gpus).toEqual([
    {
      vendor: 'intel',
      model: 'Intel(R) UHD Graphics 770',
      memoryMiB: 2047,
      driver: '31.0.101.4502',
      pciId: '8086:4680',
      via: 'cim',
    },
    { vendor: 'amd', model: 'AMD Radeon RX 7900 XTX', driver: '31.0.21029', pciId: '1002:744c', via: 'cim' },
  ]);
  expect(facts?.cpu).toMatchObject({ logicalCount: 128, physicalCount: 64, isa: ['avx2'] });
  expect(parseCim('Get-CimInstance : Access denied')).toBeUndefined();
});

test('on Windows a card that nvidia-smi knows is not listed a second time', () => {
  const byTool = {
    vendor: 'nvidia',
    pciId: '10de:2684',
    busAddress: '0000:01:00.0',
    memoryMiB: 24_564,
    via: 'nvidia-smi',
  };
  const byCim = { vendor: 'nvidia', pciId: '10de:2684', via: 'cim' };
  const merged = mergeGpus([{ value: [byTool], unknown: [] }], [{ value: [byCim], unknown: [] }]);
  expect(merged.gpus).toEqual([{ vendor: 'nvidia', pciId: '10de:2684', memoryMiB: 24_564, via: 'nvidia-smi' }]);
});

test('equal cards in another order give equal lists', () => {
  const a = { vendor: 'nvidia', model: 'A', memoryMiB: 1, via: 'nvidia-smi', busAddress: '0000:01:00.0' };
  const b = { vendor: 'nvidia', model: 'B', memoryMiB: 2, via: 'nvidia-smi', busAddress: '0000:02:00.0' };
  const swapped = [
    { ...b, busAddress: '0000:01:00.0' },
    { ...a, busAddress: '0000:02:00.0' },
  ];
  const lists = [[a, b], swapped].map((value) => mergeGpus([{ value, unknown: [] }], []).gpus);
  expect(lists[0]).toEqual(lists[1]);
});
