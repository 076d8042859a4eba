import { rmSync } from 'node:fs';
import { Profile, profileDigestText } from '@assay/protocol';
import { expect, test } from 'vitest';
import { fixtureText, machineAt, writeTree } from './fixture-tree.ts';
import { probeMachine, profileDigest, thisMachine } from './index.ts';
import type { ProbeContext } from './index.ts';

async function probeTree(text: string, overrides: Partial<ProbeContext>) {
  const root = writeTree(text);
  try {
    return await probeMachine(machineAt(root, overrides));
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('this machine: the profile passes its schema unchanged, and names nothing of the machine', async () => {
  const { profile, identity, digest } = await probeMachine();
  expect(Profile.parse(profile)).toEqual(profile);
  expect(profile.os).toMatchObject({
    family: process.platform === 'win32' ? 'windows' : process.platform,
    arch: process.arch,
  });
  expect(profile.runtimes.node?.version).toMatch(/^\d+\.\d+/);
  expect(digest).toMatch(/^[0-9a-f]{32}$/);
  const text = JSON.stringify(profile);
  for (const secret of [identity.machine, ...identity.gpus.flatMap((gpu) => [gpu.uuid, gpu.busAddress])]) {
    if (secret !== undefined) expect(text).not.toContain(secret);
  }
});

test('a machine with nothing readable has a valid profile in which nearly everything is unknown', async () => {
  const { profile } = await probeTree('Nothing.\n', {});
  expect(Profile.parse(profile)).toEqual(profile);
  expect(profile.cpu).toEqual({});
  expect(profile.memory).toEqual({});
  const fields = profile.unknown.map((entry) => entry.field);
  expect(fields).toEqual(
    expect.arrayContaining(['os.name', 'cpu', 'cpu.count', 'memory.totalMiB', 'cgroup', 'container']),
  );
  // No tool, no kernel list: there is no GPU, and that is known.
  expect(profile.gpus).toEqual([]);
});

test('a Mac: Apple silicon, Safari and Chrome by their bundles, and no stub of Java or Python is started', async () => {
  const { profile, identity } = await probeTree(fixtureText('darwin-apple-silicon.tree'), {
    platform: 'darwin',
    arch: 'arm64',
    kernel: '24.3.0',
    env: { PATH: '/usr/bin' },
  });
  expect(Profile.parse(profile)).toEqual(profile);
  expect(profile.unknown).toEqual([{ field: 'accelerators', reason: 'no probe for accelerators on darwin' }]);
  expect(profile.os).toEqual({ family: 'darwin', name: 'macos', version: '15.3.1', kernel: '24.3.0', arch: 'arm64' });
  expect(profile.cpu).toMatchObject({ vendor: 'Apple', model: 'Apple M2 Pro', count: 10, logicalCount: 10 });
  expect(profile.cpu.isa).toEqual(expect.arrayContaining(['neon', 'dotprod', 'bf16']));
  expect(profile.cpu.isa).not.toContain('sme');
  expect(profile.memory).toEqual({ totalMiB: 16_384, limitMiB: 16_384 });
  expect(profile.gpus).toEqual([
    {
      vendor: 'apple',
      model: 'Apple M2 Pro',
      computeUnits: 19,
      apis: { metal: { version: '3', major: 3 } },
      via: 'system_profiler',
    },
  ]);
  expect(profile.browsers.map((browser) => [browser.name, browser.version])).toEqual([
    ['chrome', '140.0.7339.80'],
    ['safari', '18.3'],
  ]);
  expect(Object.keys(profile.runtimes)).toEqual(['node']);
  expect(identity.machine).toMatch(/^[0-9a-f]{32}$/);
});

test('a Windows machine: one PowerShell answer for OS, CPU, memory and its GPU, with the registry size of its memory', async () => {
  const { profile } = await probeTree(fixtureText('windows-one-controller.tree'), {
    platform: 'win32',
    kernel: '10.0.26100',
    env: { PATH: '' },
  });
  expect(Profile.parse(profile)).toEqual(profile);
  expect(profile.os).toMatchObject({ family: 'windows', name: 'windows', version: '10.0.26100' });
  expect(profile.cpu).toMatchObject({
    vendor: 'AuthenticAMD',
    model: 'AMD Ryzen 9 7950X 16-Core Processor',
    count: 32,
    physicalCount: 16,
  });
  expect(profile.cpu.isa).toEqual(expect.arrayContaining(['avx2', 'avx512f']));
  expect(profile.memory).toEqual({ totalMiB: 65_224, limitMiB: 65_224 });
  expect(profile.gpus).toMatchObject([{ vendor: 'nvidia', pciId: '10de:2684', memoryMiB: 24_564, via: 'cim' }]);
});

test('a Windows machine whose PowerShell fails has unknown CPU, memory and GPUs, each with that reason', async () => {
  const { profile } = await probeTree('Broken.\n-- powershell --\n#!/bin/sh\necho denied >&2\nexit 1\n', {
    platform: 'win32',
    env: { PATH: '' },
  });
  expect(profile.gpus).toBeUndefined();
  for (const field of ['gpus', 'cpu', 'memory.totalMiB', 'os.version']) {
    expect(profile.unknown).toContainEqual({ field, reason: 'powershell exited 1: denied' });
  }
});

test('two equal machines have one digest, whatever they are called; another driver is another one', async () => {
  const text = `${fixtureText('nvidia-two-cards.tree')}-- etc/machine-id --\n`;
  const a = await probeTree(`${text}aaaa\n`, { hostname: 'a' });
  const b = await probeTree(`${text}bbbb\n`.replace('GPU-1111', 'GPU-2222').replaceAll('3B:00', '1B:00'), {
    hostname: 'b',
  });
  const c = await probeTree(`${text}aaaa\n`.replaceAll('570.86.15', '580.1.1'), { hostname: 'a' });
  expect(a.identity).not.toEqual(b.identity);
  expect(a.digest).toBe(b.digest);
  expect(c.digest).not.toBe(a.digest);
});

test('the wording of a reason is not part of the digest, but that a field is unknown is', () => {
  const base: Profile = {
    os: { family: 'linux', arch: 'x64' },
    cpu: {},
    memory: {},
    runtimes: {},
    runners: {},
    browsers: [],
    drivers: {},
    unknown: [{ field: 'gpus', reason: 'did not answer within 5000 ms' }],
  };
  const reworded = { ...base, unknown: [{ field: 'gpus', reason: 'did not answer within 9000 ms' }] };
  const known = { ...base, unknown: [] };
  expect(profileDigest(reworded)).toBe(profileDigest(base));
  expect(profileDigest(known)).not.toBe(profileDigest(base));
  expect(profileDigestText(base)).toContain('"unknown":["gpus"]');
});

test('a profile of a newer agent is read, and what is not known here is dropped', async () => {
  const { profile } = await probeMachine(thisMachine({ env: { PATH: '' } }));
  const newer = { ...profile, npus: [{ vendor: 'x' }], cpu: { ...profile.cpu, cacheKiB: 1 } };
  expect(Profile.parse(newer)).toEqual(profile);
});
