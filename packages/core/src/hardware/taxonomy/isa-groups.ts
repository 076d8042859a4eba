// Groups of instruction sets, derived from the flags that every processor of a worker has. A group holds where all its `needs` are there:
// "has AVX-512" as compilers mean it, rather than one flag of many.
// x86-64-v1..v4 are the levels of the x86-64 psABI; the flags are Linux's names (arch/x86/include/asm/cpufeatures.h and
// arch/arm64/include/uapi/asm/hwcap.h).

export type IsaGroup = {
  readonly group: string;
  readonly needs: readonly string[];
  readonly meaning: string;
  readonly nfd?: string;
};

const v1 = ['cmov', 'cx8', 'fxsr', 'mmx', 'sse', 'sse2'];
const v2 = [...v1, 'cx16', 'popcnt', 'sse3', 'sse4_1', 'sse4_2', 'ssse3'];
const v3 = [...v2, 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'lzcnt', 'movbe'];
const v4 = [...v3, 'avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'];

export const isaGroups: readonly IsaGroup[] = [
  { group: 'avx2', needs: ['avx2'], meaning: '256-bit integer vectors', nfd: 'cpu-cpuid.AVX2' },
  {
    group: 'avx512',
    needs: ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'],
    meaning: '512-bit vectors as x86-64-v4 has them',
    nfd: 'cpu-cpuid.AVX512F and others',
  },
  {
    group: 'avx512vnni',
    needs: ['avx512f', 'avx512_vnni'],
    meaning: '8-bit dot products',
    nfd: 'cpu-cpuid.AVX512VNNI',
  },
  { group: 'avx512bf16', needs: ['avx512f', 'avx512_bf16'], meaning: 'bfloat16 vectors', nfd: 'cpu-cpuid.AVX512BF16' },
  { group: 'avx512fp16', needs: ['avx512f', 'avx512_fp16'], meaning: 'half vectors', nfd: 'cpu-cpuid.AVX512FP16' },
  { group: 'amx', needs: ['amx_tile'], meaning: 'matrix tiles', nfd: 'cpu-cpuid.AMXTILE' },
  { group: 'amx-int8', needs: ['amx_tile', 'amx_int8'], meaning: 'matrix tiles of int8', nfd: 'cpu-cpuid.AMXINT8' },
  { group: 'amx-bf16', needs: ['amx_tile', 'amx_bf16'], meaning: 'matrix tiles of bfloat16', nfd: 'cpu-cpuid.AMXBF16' },
  { group: 'neon', needs: ['neon'], meaning: '128-bit vectors of ARM', nfd: 'cpu-cpuid.ASIMD' },
  { group: 'neon-dotprod', needs: ['neon', 'asimddp'], meaning: '8-bit dot products of ARM', nfd: 'cpu-cpuid.ASIMDDP' },
  { group: 'sve', needs: ['sve'], meaning: 'scalable vectors of ARM', nfd: 'cpu-cpuid.SVE' },
  { group: 'sve2', needs: ['sve', 'sve2'], meaning: 'scalable vectors, second version' },
  { group: 'sme', needs: ['sme'], meaning: 'matrix extension of ARM' },
  { group: 'x86-64-v1', needs: v1, meaning: 'level of the x86-64 psABI' },
  { group: 'x86-64-v2', needs: v2, meaning: 'level of the x86-64 psABI' },
  { group: 'x86-64-v3', needs: v3, meaning: 'level of the x86-64 psABI' },
  { group: 'x86-64-v4', needs: v4, meaning: 'level of the x86-64 psABI' },
];

/** The groups that these flags make up, in the table's order. */
export function isaGroupsOf(isa: readonly string[]): string[] {
  const flags = new Set(isa);
  return isaGroups.filter(({ needs }) => needs.every((flag) => flags.has(flag))).map(({ group }) => group);
}
