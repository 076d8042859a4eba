// /proc/cpuinfo, read: x86 writes one `flags` line a processor, ARM one `Features` line and numbers for implementer and part.
//
// Pure. Of x86's flags only instruction sets are kept: `constant_tsc` or `arch_capabilities` say something about the
// kernel and its microcode, and would give two equal machines two capability classes.

export type CpuFacts = {
  vendor?: string;
  model?: string;
  logicalCount?: number;
  physicalCount?: number;
  isa?: string[];
};

const x86InstructionSets =
  /^(mmx|mmxext|3dnow(ext)?|f?xsr|fxsr|sse\d?(_\d|a)?|ssse3|pni|sse4_[12]|sse4a|avx\w*|amx_\w+|aes|vaes|sha\w*|sm[34]|fma4?|f16c|bmi[12]|abm|lzcnt|popcnt|v?pclmulqdq|gfni|movbe|movdir\w+|adx|tbm|xop|rdrand|rdseed|rtm|cmov|cx8|cx16|lm|cldemote|clflushopt|clwb|serialize|waitpkg|enqcmd|kl|uintr|apx\w*)$/;

/** ARM's implementer codes (MIDR_EL1, Arm Architecture Reference Manual). */
const armImplementers: Record<string, string> = {
  '0x41': 'ARM',
  '0x42': 'Broadcom',
  '0x43': 'Cavium',
  '0x46': 'Fujitsu',
  '0x48': 'HiSilicon',
  '0x4e': 'NVIDIA',
  '0x50': 'APM',
  '0x51': 'Qualcomm',
  '0x53': 'Samsung',
  '0x61': 'Apple',
  '0x6d': 'Microsoft',
  '0xc0': 'Ampere',
};

/** Parts of ARM's own, the ones met in servers and single-board computers; any other keeps its number. */
const armParts: Record<string, string> = {
  '0xd03': 'Cortex-A53',
  '0xd04': 'Cortex-A35',
  '0xd05': 'Cortex-A55',
  '0xd07': 'Cortex-A57',
  '0xd08': 'Cortex-A72',
  '0xd09': 'Cortex-A73',
  '0xd0a': 'Cortex-A75',
  '0xd0b': 'Cortex-A76',
  '0xd0c': 'Neoverse-N1',
  '0xd40': 'Neoverse-V1',
  '0xd41': 'Cortex-A78',
  '0xd42': 'Cortex-A78AE',
  '0xd49': 'Neoverse-N2',
  '0xd4f': 'Neoverse-V2',
};

/** What a cpuinfo text says; what it does not say is absent. */
export function partialCpu(text: string): CpuFacts {
  const processors = text
    .split(/\n\s*\n/)
    .map(fieldsOf)
    .filter((fields) => fields.has('processor'));
  const facts: CpuFacts = {};
  const first = processors[0];
  if (!first) return facts;
  facts.logicalCount = processors.length;
  const vendor = first.get('vendor_id') ?? armVendor(first);
  if (vendor) facts.vendor = vendor.slice(0, 200);
  const models = new Set(
    processors.map((fields) => fields.get('model name') ?? armModel(fields)).filter((name) => name !== undefined),
  );
  // A big.LITTLE machine has several: both are named, in a stable order.
  if (models.size > 0) facts.model = [...models].sort().join(' + ').slice(0, 200);
  const cores = new Set(processors.map((fields) => coreOf(fields)));
  if (!cores.has(undefined)) facts.physicalCount = cores.size;
  const sets = processors.map((fields) => instructionSets(fields)).filter((set) => set !== undefined);
  const shared = sets[0];
  if (shared) facts.isa = [...shared].filter((flag) => sets.every((set) => set.has(flag))).sort();
  return facts;
}

function fieldsOf(block: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    const value = line.slice(colon + 1).trim();
    if (colon > 0 && value !== '') fields.set(line.slice(0, colon).trim(), value);
  }
  return fields;
}

function coreOf(fields: Map<string, string>): string | undefined {
  const core = fields.get('core id');
  return core === undefined ? undefined : `${fields.get('physical id') ?? '0'}:${core}`;
}

function armVendor(fields: Map<string, string>): string | undefined {
  const code = fields.get('CPU implementer');
  return code === undefined ? undefined : (armImplementers[code] ?? `implementer ${code}`);
}

function armModel(fields: Map<string, string>): string | undefined {
  const code = fields.get('CPU part');
  if (code === undefined) return undefined;
  return (fields.get('CPU implementer') === '0x41' ? armParts[code] : undefined) ?? `part ${code}`;
}

function instructionSets(fields: Map<string, string>): Set<string> | undefined {
  const flags = fields.get('flags');
  if (flags !== undefined) {
    const names = flags
      .toLowerCase()
      .split(/\s+/)
      .filter((flag) => x86InstructionSets.test(flag));
    // The kernel's names for SSE3 and LZCNT are those of AMD's and Prescott's manuals; people write these.
    return new Set(
      names.flatMap((name) => (name === 'pni' ? ['pni', 'sse3'] : name === 'abm' ? ['abm', 'lzcnt'] : [name])),
    );
  }
  const features = fields.get('Features');
  if (features === undefined) return undefined;
  const names = features
    .toLowerCase()
    .split(/\s+/)
    .filter((flag) => /^[a-z0-9][\w.]*$/.test(flag));
  return new Set(names.flatMap((name) => (name === 'asimd' ? ['asimd', 'neon'] : [name])));
}
