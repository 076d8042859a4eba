// Similarity over drawn profiles: exactly 1 for equal ones, the same both ways, bounded, and strictly falling.
import type { Profile } from '@assay/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asJson, profileOf } from '../testing/lab.ts';
import { factsOf } from './facts.ts';
import { differencesOf, similarity } from './similarity.ts';

const version = fc
  .tuple(fc.nat(3), fc.nat(3), fc.nat(3))
  .map(([major, minor, patch]) => ({ version: `${major}.${minor}.${patch}`, major, minor }));
const isa = fc.uniqueArray(fc.constantFrom('avx', 'avx2', 'avx512f', 'sse3', 'neon', 'sve'));
const gpu = fc.record(
  {
    vendor: fc.constantFrom('nvidia', 'amd', 'intel'),
    via: fc.constantFrom('nvidia-smi', 'drm'),
    memoryMiB: fc.nat(200_000),
    model: fc.constantFrom('T4', 'H200', 'Arc'),
    driver: version.map((found) => found.version),
  },
  { requiredKeys: ['vendor', 'via'] },
);
const browser = fc
  .tuple(
    fc.record({ name: fc.constantFrom('chromium', 'firefox'), channel: fc.constantFrom('esr', 'headless-shell') }),
    version,
  )
  .map(([name, found]) => ({ ...name, ...found }));
const profile: fc.Arbitrary<Profile> = fc
  .record({
    os: fc.record({ family: fc.constantFrom('linux', 'darwin'), arch: fc.constantFrom('x64', 'arm64') }),
    cpu: fc.record({ count: fc.integer({ min: 1, max: 256 }), isa }),
    memory: fc.record({ totalMiB: fc.nat(1_000_000) }),
    gpus: fc.array(gpu, { maxLength: 3 }),
    runtimes: fc.dictionary(fc.constantFrom('node', 'java', 'python'), version),
    browsers: fc.array(browser, { maxLength: 3 }),
  })
  .map((change) => profileOf(change));
const declared = fc.dictionary(
  fc.constantFrom('lab', 'rack', 'fast'),
  fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
);
const facts = fc
  .tuple(fc.constantFrom('a', 'b'), profile, declared)
  .map(([pool, machine, labels]) => ({ pool, machine, labels }));
type Drawn = { pool: string; machine: Profile; labels: Record<string, string | number | boolean> };
const seen = ({ pool, machine, labels }: Drawn) => factsOf(pool, machine, labels);

test('safety: two equal workers, built apart and with their keys in another order, are exactly 1', () => {
  const reversed = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(reversed)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .toReversed()
              .map(([key, member]) => [key, reversed(member)]),
          )
        : value;
  fc.assert(
    fc.property(facts, (one) => {
      const other = reversed(asJson(one)) as Drawn;
      expect(similarity(seen(one), seen(other))).toBe(1);
      expect(differencesOf(seen(one), seen(other))).toEqual([]);
    }),
  );
});

test('safety: similarity is the same both ways, between 0 and 1, and 1 only where nothing differs', () => {
  fc.assert(
    fc.property(facts, facts, (one, other) => {
      const [a, b] = [seen(one), seen(other)];
      const value = similarity(a, b);
      expect(similarity(b, a)).toBe(value);
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
      expect(value === 1).toBe(differencesOf(a, b).length === 0);
    }),
    { numRuns: 500 },
  );
});

test('safety: each further attribute that differs makes it strictly smaller', () => {
  const changes: ((one: Profile, labels: Drawn['labels']) => void)[] = [
    (one) => void (one.os.kernel = 'another'),
    (one) => void (one.os.name = 'plan9'),
    (one) => void (one.cpu.count = (one.cpu.count ?? 1) + 1),
    (one) => void (one.cpu.model = 'another'),
    (one) => void (one.cpu.isa = [...(one.cpu.isa ?? []), 'amx_tile']),
    (one) => void (one.memory.totalMiB = (one.memory.totalMiB ?? 0) + 1),
    (one) => void (one.memory.limitMiB = 1),
    (one) => void one.gpus?.push({ vendor: 'apple', via: 'system_profiler' }),
    (one) => void one.browsers.push({ name: 'safari', version: '26.1' }),
    (one) => void (one.runtimes['go'] = { version: '1.26' }),
    (one) => void (one.drivers['chromedriver'] = { version: '156' }),
    (one) => void one.unknown.push({ field: 'gpus', reason: 'failed' }),
    (_one, labels) => void (labels['shelf'] = 3),
  ];
  const order = fc.shuffledSubarray(changes, { minLength: 2 });
  fc.assert(
    fc.property(facts, order, (one, steps) => {
      const from = seen(one);
      const moving = asJson(one);
      let last = 1;
      for (const step of steps) {
        step(moving.machine, moving.labels);
        const value = similarity(from, seen(asJson(moving)));
        expect(value).toBeLessThan(last);
        last = value;
      }
    }),
  );
});

test('a newer patch of a driver is nearer than another vendor, and a bigger memory of one card nearer than another card', () => {
  const card = { vendor: 'nvidia', model: 'T4', memoryMiB: 16_384, driver: '550.54.14', via: 'nvidia-smi' };
  const of = (change: Partial<typeof card>) => factsOf('p', profileOf({ gpus: [{ ...card, ...change }] }), {});
  const base = of({});
  const patch = similarity(base, of({ driver: '550.54.15' }));
  const major = similarity(base, of({ driver: '535.54.14' }));
  const vendor = similarity(base, of({ vendor: 'amd' }));
  expect(patch).toBeGreaterThan(major);
  expect(major).toBeGreaterThan(vendor);
  expect(similarity(base, of({ memoryMiB: 15_360 }))).toBeGreaterThan(similarity(base, of({ model: 'L4' })));
});
