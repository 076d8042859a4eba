import { expect, test } from 'vitest';
import { profileOf } from '../testing/lab.ts';
import { classKeyOf, factsOf } from './facts.ts';
import { fit, parseRequirement } from './requirement.ts';

const profile = profileOf({
  cpu: { count: 4, quotaCores: 2.5, isa: ['avx', 'avx2'] },
  memory: { totalMiB: 4096 },
  gpus: [{ vendor: 'nvidia', memoryMiB: 8192, via: 'nvidia-smi' }],
  runtimes: { node: { version: '24.1.0', major: 24 } },
  browsers: [{ name: 'chromium', version: '156.0', major: 156 }],
});
/** Two GPUs, an AMD card without a memory that anyone measured, and a CPU. */
const rich = factsOf(
  'lab',
  profileOf({
    gpus: [
      { vendor: 'amd', via: 'drm' },
      { vendor: 'nvidia', model: 'T4', memoryMiB: 15_360, via: 'nvidia-smi', computeCapability: '7.5', clockMHz: 1590 },
      { vendor: 'nvidia', model: 'P4', memoryMiB: 7_611, via: 'nvidia-smi', computeCapability: '6.1' },
    ],
  }),
  {},
);
const facts = factsOf('lab', profile, { rack: 3, lab: 'north', isFast: true });

function reasonsOf(text: string, over = facts): readonly string[] {
  const parsed = parseRequirement(text);
  if (parsed.kind === 'refused') throw new Error(parsed.reason);
  const verdict = fit(parsed.requirement, over);
  return verdict.kind === 'fits' ? [] : verdict.reasons;
}

const fitting = [
  '',
  '   ',
  'cpu.count >= 4 && "avx2" in cpu.isa',
  'memory.totalMiB * 2 >= 8192',
  'memory.totalMiB / 1024 == 4',
  'cpu.quotaCores > 2',
  'cpu.quotaCores > 2.4',
  'size(gpus) > 0',
  'gpus.exists(g, g.vendor == "nvidia" && g.memoryMiB >= 8000)',
  'gpus.all(g, g.memoryMiB > 1)',
  '["avx", "avx2"].all(f, f in cpu.isa)',
  'declared.lab == "north" && declared.rack >= 3 && declared.isFast',
  'pool == "lab"',
  'runtimes.node.major >= 22',
  'runtimes["node"].version.startsWith("24.")',
  'browsers.exists(b, b.name == "chromium")',
  'has(runtimes.java) || has(runtimes.node)',
  'os.family in ["linux", "darwin"]',
  'runtimes.java.major > 8 || cpu.count > 1',
];
test.each(fitting)('this worker fits: %s', (text) => {
  expect(reasonsOf(text)).toEqual([]);
});

const richFitting = [
  'devices.exists(d, d.class == "gpu" && d.vendor == "nvidia" && d.memory >= GiB(8))',
  // The first device of the list lacks the attribute: that is no error while another one has it.
  'devices.exists(d, d.computeCapability == "7.5")',
  'devices.exists(d, d.memory == MiB(15360) && d.memory == GiB(15))',
  'devices.exists(d, d.memory != GiB(15))',
  'devices.exists(d, d.memory * 2 > GiB(29.5) && d.memory + GiB(1) <= TiB(1))',
  'devices.exists(d, d.clock >= MHz(1500) && d.clock < GHz(1.6))',
  'devices.exists(d, d.class == "cpu" && "avx2" in d.isaGroups)',
  'gpus.exists(g, g.memoryMiB >= GiB(8)) && gpus.exists(g, GiB(16) > g.memoryMiB)',
  'gpus.exists(g, g.memoryMiB == GiB(15)) && gpus.exists(g, GiB(15) == g.memoryMiB)',
  'memory.total == MiB(8192) && memory.total == memory.totalMiB',
  'devices.filter(d, d.class == "gpu").size() == 3',
  'enforced.pool == "lab"',
  'GiB(1) == MiB(1024) && GB(1) < GiB(1)',
];
test.each(richFitting)('with units and devices, this worker fits: %s', (text) => {
  expect(reasonsOf(text, rich)).toEqual([]);
});

const richMisfitting: [string, string][] = [
  [
    'devices.exists(d, d.class == "gpu" && d.vendor == "nvidia" && d.memory >= GiB(16))',
    'none of the 2 in devices with d.class == "gpu" && d.vendor == "nvidia" has d.memory >= GiB(16): there are GiB(15), MiB(7611)',
  ],
  [
    'devices.exists(d, d.class == "npu" && d.vendor == "intel")',
    'none of the 4 in devices has d.class == "npu": there are "cpu", "gpu"',
  ],
  ['memory.total >= GiB(16)', 'memory.total is GiB(8), needs >= GiB(16)'],
];
test.each(richMisfitting)('with units and devices, this worker does not fit %s', (text, reason) => {
  expect(reasonsOf(text, rich)).toEqual([reason]);
});

const misfitting: [string, string[]][] = [
  ['memory.totalMiB >= 8192', ['memory.totalMiB is 4096, needs >= 8192']],
  ['8192 <= memory.totalMiB', ['memory.totalMiB is 4096, needs >= 8192']],
  [
    'cpu.count >= 8 && memory.totalMiB >= 8192 && pool == "lab"',
    ['cpu.count is 4, needs >= 8', 'memory.totalMiB is 4096, needs >= 8192'],
  ],
  ['"avx512f" in cpu.isa', ['cpu.isa lacks "avx512f"']],
  ['os.family in ["darwin"]', ['os.family is "linux", needs to be in ["darwin"]']],
  ['os.family == "darwin"', ['os.family is "linux", needs == "darwin"']],
  ['gpus.exists(g, g.vendor == "amd")', ['none of the 1 in gpus has g.vendor == "amd": there is "nvidia"']],
  ['declared.floor == 2', ['declared.floor is not declared']],
  ['runtimes.java.major >= 17', ['runtimes.java: none']],
  ['cpu.count', ['cpu.count is 4, needs to be true or false']],
  ['!declared.isFast', ['!declared.isFast is false']],
  ['has(runtimes.java)', ['has(runtimes.java) is false']],
  ['pool == "gpu"', ['pool is "lab", needs == "gpu"']],
  ['os.family >= 3', ['os.family >= 3: no such overload: dyn<string> >= int']],
];
test.each(misfitting)('this worker does not fit %s, and the reasons say what it has', (text, reasons) => {
  expect(reasonsOf(text)).toEqual(reasons);
});

test('a field that could not be measured is a misfit with the reason of its probe', () => {
  const { gpus: _gpus, ...rest } = profile;
  const blind = factsOf(
    'lab',
    {
      ...rest,
      unknown: [
        { field: 'gpus', reason: 'nvidia-smi failed' },
        { field: 'runtimes.java', reason: 'timed out' },
      ],
    },
    {},
  );
  expect(reasonsOf('size(gpus) > 0', blind)).toEqual(['gpus is unknown: nvidia-smi failed']);
  expect(reasonsOf('gpus.exists(g, g.vendor == "amd")', blind)).toEqual(['gpus is unknown: nvidia-smi failed']);
  expect(reasonsOf('runtimes.java.major > 8', blind)).toEqual(['runtimes.java is unknown: timed out']);
});

test('a worker without a GPU is said to have none', () => {
  const plain = factsOf('lab', profileOf({ gpus: [] }), {});
  expect(reasonsOf('size(gpus) > 0', plain)).toEqual(['gpus: none']);
  expect(reasonsOf('gpus.size() >= 1', plain)).toEqual(['gpus: none']);
  expect(reasonsOf('gpus.exists(g, g.vendor == "amd")', plain)).toEqual(['gpus: none']);
});

const refusals: [string, RegExp][] = [
  ['cpu.count >=', /Unexpected token: EOF \(at character \d+\)/],
  ['"open', /Unterminated string/],
  ['gpu.count > 0', /^gpu is not a field; did you mean gpus\?/],
  ['gpus.exists(g, g.x > y)', /^y is not a field/],
  ['1 + 1', /must be true or false, but is int/],
  ['os.name.matches("(a+)+$")', /matches\(\) is not available/],
  ['cpu.quotaCores > 0.00000000001', /more than nine decimals/],
  ['cpu.count > 3u', /unsigned numbers and bytes are not available/],
  ["b'a' == b'a'", /unsigned numbers and bytes are not available/],
  ['cpu.isa.map(x, x) == []', /map\(\) is not available/],
  ['cpu.isa.exists(a, cpu.isa.exists(b, a == b))', /a loop .* inside another/],
  [`${'('.repeat(60)}true${')'.repeat(60)}`, /depth|nest|limit/i],
  [`cpu.count > 0${' && cpu.count > 0'.repeat(300)}`, /limit|nodes|maximum/i],
];
test.each(refusals)('refused before anything changes: %s', (text, reason) => {
  const parsed = parseRequirement(text);
  expect(parsed.kind === 'refused' ? parsed.reason : 'taken').toMatch(reason);
});

test('workers share a class exactly where pool, profile and labels are equal, in whatever order the labels come', () => {
  expect(classKeyOf('p', 'd', { a: 1, b: 2 })).toBe(classKeyOf('p', 'd', { b: 2, a: 1 }));
  const keys = [
    classKeyOf('p', 'd', {}),
    classKeyOf('q', 'd', {}),
    classKeyOf('p', 'e', {}),
    classKeyOf('p', 'd', { a: 1 }),
    classKeyOf('p', 'd', { a: '1' }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test('trust is what the server enforces: a class of its own, and no label of that name stands for it', () => {
  expect(classKeyOf('p', 'd', {}, 'gold')).not.toBe(classKeyOf('p', 'd', {}));
  const trusted = factsOf('lab', profile, {}, 'gold');
  expect(reasonsOf('enforced.trust == "gold"', trusted)).toEqual([]);
  const boasting = factsOf('lab', profile, { trust: 'gold', 'enforced.trust': 'gold' });
  expect(reasonsOf('enforced.trust == "gold"', boasting)).toEqual(['enforced.trust: its token gives no trust']);
});

test('labels with names that mean something to JavaScript harm no other label', () => {
  const odd = factsOf('lab', profile, JSON.parse('{"__proto__": "x", "constructor": "y", "lab": "north"}'));
  expect(reasonsOf('declared.lab == "north"', odd)).toEqual([]);
  expect(reasonsOf('declared.constructor == "y"', odd)).toEqual(['declared.constructor is not declared']);
  expect(reasonsOf('declared.toString == "y"', odd)).toEqual(['declared.toString is not declared']);
});
