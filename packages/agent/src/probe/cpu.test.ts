import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseCpuList, parseSysctl, probeCpu } from './cpu.ts';
import { fixtureText, machineAt, writeTree } from './fixture-tree.ts';

const none = { value: undefined, unknown: [] };

async function cpuOf(name: string) {
  const root = writeTree(fixtureText(name));
  try {
    return await probeCpu(machineAt(root), none, none);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('an x86 machine: model, counts, and only the instruction sets that every processor has', async () => {
  const { value, unknown } = await cpuOf('cpu-x86.tree');
  expect(unknown).toEqual([]);
  expect(value).toMatchObject({
    vendor: 'GenuineIntel',
    model: 'Intel(R) Xeon(R) Processor',
    count: 2,
    logicalCount: 2,
    physicalCount: 2,
  });
  for (const name of ['avx2', 'avx512bw', 'amx_tile', 'sse4_2', 'sse3', 'lzcnt']) expect(value?.isa).toContain(name);
  // The second processor of the fixture lacks it.
  expect(value?.isa).not.toContain('avx512f');
  // Kernel and microcode properties are no instruction sets.
  for (const name of ['constant_tsc', 'arch_capabilities', 'hypervisor', 'vme', 'smep']) {
    expect(value?.isa).not.toContain(name);
  }
  expect(value?.isa).toEqual([...(value?.isa ?? [])].sort());
});

test('an ARM server: the part is named, cores come from the topology, and affinity bounds the count', async () => {
  const { value, unknown } = await cpuOf('cpu-arm64-server.tree');
  expect(unknown).toEqual([]);
  expect(value).toMatchObject({ vendor: 'ARM', model: 'Neoverse-N1', count: 3, logicalCount: 4, physicalCount: 4 });
  expect(value?.isa).toEqual(expect.arrayContaining(['neon', 'asimd', 'aes', 'atomics']));
});

test('a machine with small and large cores names both, and a part without a name keeps its number', async () => {
  const { value } = await cpuOf('cpu-arm64-big-little.tree');
  expect(value?.model).toBe('Cortex-A53 + part 0x802');
  expect(value?.isa).toContain('neon');
  expect(value?.isa).not.toContain('crc32');
});

test('without /proc/cpuinfo everything it would say is unknown, once', async () => {
  const root = writeTree('Nothing.\n-- proc/self/status --\nCpus_allowed_list:\t0-2\n');
  try {
    expect(await probeCpu(machineAt(root), none, none)).toEqual({
      value: { count: 3 },
      unknown: [{ field: 'cpu', reason: '/proc/cpuinfo cannot be read' }],
    });
  } finally {
    rmSync(root, { recursive: true });
  }
});

test.each([
  ['0-3,8,10-11', [0, 1, 2, 3, 8, 10, 11]],
  ['5', [5]],
  ['', undefined],
  ['all', undefined],
  ['3-', undefined],
])('the processor list %j', (text, expected) => {
  expect(parseCpuList(text)).toEqual(expected);
});

test('an Intel Mac spells its features differently, and they are brought to the names of Linux', () => {
  const facts = parseSysctl(
    [
      'hw.logicalcpu: 12',
      'hw.physicalcpu: 6',
      'machdep.cpu.vendor: GenuineIntel',
      'machdep.cpu.brand_string: Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz',
      'machdep.cpu.features: FPU SSE4.1 SSE4.2 AVX1.0',
      'machdep.cpu.leaf7_features: BMI1 AVX2',
    ].join('\n'),
  );
  expect(facts).toMatchObject({ vendor: 'GenuineIntel', logicalCount: 12, physicalCount: 6 });
  expect(facts.isa).toEqual(['avx', 'avx2', 'bmi1', 'fpu', 'sse4_1', 'sse4_2']);
});
