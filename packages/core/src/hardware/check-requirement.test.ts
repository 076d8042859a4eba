// Expressions against the taxonomy: what is taken, and what is refused with the words that help.
import { expect, test } from 'vitest';
import { checkClaim, checkRequirement } from './check-requirement.ts';

const taken = [
  '',
  'devices.exists(d, d.class == "gpu" && d.vendor == "nvidia" && d.memory >= GiB(8))',
  'devices.exists(d, d.class == "webgpu" && !d.software && "shader-f16" in d.features)',
  'devices.exists(d, "fp16" in d.precisions && d.apis["cuda"].major >= 12)',
  'devices.exists(d, has(d.memory) && d.memory * 2 >= GiB(1) + MiB(1))',
  'devices.filter(d, d.class == "gpu").size() >= 2',
  'devices[0].class == "cpu"',
  'memory.totalMiB >= 8192 && memory.totalMiB >= GiB(8) && GiB(8) <= memory.limitMiB',
  'memory.total > memory.totalMiB',
  'memory.totalMiB / 2 > 4000',
  'gpus.exists(g, g.memoryMiB >= GiB(8))',
  'cpu.count >= 4 && cpu.quotaCores > 1.5 && cpu.quotaCores > 2',
  '"avx512" in cpu.isaGroups && ["avx", "avx2"].all(f, f in cpu.isa)',
  'declared.lab == "north" && declared.rack >= 3 && declared.isFast',
  'enforced.pool == "lab" || pool in ["a", "b"]',
  'runtimes.node.major >= 22 && "java" in runtimes',
  'os.version.startsWith("12") ? cpu.count > 1 : true',
  'browsers.exists(b, b.name == "chromium" && size(b.webgpu) > 0)',
  'size(unknown) == 0',
];
test.each(taken)('is taken: %s', (text) => {
  expect(checkRequirement(text)).toMatchObject({ kind: 'ok' });
});

const refused: [string, string][] = [
  ['devices.exists(d, d.memry >= GiB(8))', 'd has no field memry; did you mean memory?'],
  ['devices.exists(d, d.Vendor == "amd")', 'd has no field Vendor; did you mean vendor?'],
  ['cpu.cuont >= 4', 'cpu has no field cuont; did you mean count?'],
  ['devices.exists(d, d.compute == 4)', 'd has no field compute; did you mean computeUnits?'],
  ['os.flavour == "x"', 'os has no field flavour; there are family, name, version, kernel, arch'],
  ['gpu.count > 0', 'gpu is not a field; did you mean gpus?'],
  [
    'devices.exists(d, d.memory >= 8)',
    'd.memory >= 8: d.memory is a quantity of memory: give the number a unit, as in GiB(8)',
  ],
  ['8 <= memory.total', '8 <= memory.total: memory.total is a quantity of memory: give the number a unit'],
  ['cpu.count >= GiB(8)', 'cpu.count >= GiB(8): cpu.count is a whole number and has no unit'],
  ['memory.totalMiB / 1024 >= GiB(8)', 'memory.totalMiB / 1024 is a whole number and has no unit'],
  ['devices.exists(d, d.clock >= GiB(1))', 'd.clock is a quantity of frequency, and GiB(1) is a quantity of memory'],
  ['cpu.count >= "4"', 'cpu.count >= "4": cpu.count is a whole number, and "4" is a text'],
  ['os.family == 3', 'os.family == 3: os.family is a text, and 3 is a whole number'],
  ['devices.exists(d, d.unit == "0")', 'd.unit is a whole number, and "0" is a text'],
  ['3 in cpu.isa', 'cpu.isa is a list of text, and 3 is a whole number'],
  ['GiB(1) in [GiB(1)]', 'compare GiB(1) with == or >='],
  ['devices.vendor == "amd"', 'devices is a list of records: ask one of them, as in devices.exists(x, x.vendor ...)'],
  ['GiB("8") > GiB(1)', "found no matching overload for 'GiB(string)'"],
  ['cpu.count', 'cpu.count is a whole number, needs to be true or false'],
  ['cpu.count && true', 'cpu.count is a whole number, needs to be true or false'],
  ['devices.exists(d, d.memory)', 'd.memory is a quantity of memory, needs to be true or false'],
  ['cpu.count.startsWith("4")', 'cpu.count is a whole number, and startsWith() needs a text'],
  ['GiB(1) * GiB(1) > GiB(1)', 'no such overload: Memory * Memory'],
  ['cpu.count >=', 'Unexpected token: EOF'],
  ['devices.exists(d, d.isa.exists(f, f == "avx"))', 'a loop (all, exists, exists_one, filter) inside another'],
  ['hardware == "fast"', 'hardware is not a field; there are devices, os, '],
  [
    'devices.exists(d, d.memory + 1 > GiB(1))',
    'quantities add up with their like, and are multiplied by a whole number',
  ],
  ['true && gpus.exists(g, g.memory >= GiB(8))', 'g has no field memory; did you mean memoryMiB?'],
];
test.each(refused)('is refused: %s', (text, reason) => {
  const checked = checkRequirement(text);
  expect(checked.kind === 'refused' ? checked.reason : 'taken').toContain(reason);
});

test('a claim is an expression over one device, and is checked in the same way', () => {
  expect(checkClaim('d.class == "gpu" && d.memory >= GiB(8)').kind).toBe('ok');
  expect(checkClaim('d.class == "gpu" || d.class == "npu"').kind).toBe('ok');
  const bad = ['d.memory >= 8', 'd.clas == "gpu"', 'true)) || ((true', '', 'd.class', 'gpus.exists(g, true)'];
  expect(bad.map((text) => checkClaim(text).kind)).toEqual(bad.map(() => 'refused'));
});
