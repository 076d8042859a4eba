import { Profile } from '@assay/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { profileDigest } from './index.ts';

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const tool = fc.record({ version: word, major: fc.nat(1000), path: word });
const profiles: fc.Arbitrary<Profile> = fc.record({
  os: fc.record({ family: word, arch: word, name: word }),
  cpu: fc.record({ model: word, count: fc.integer({ min: 1, max: 64 }), isa: fc.uniqueArray(word) }),
  memory: fc.record({ totalMiB: fc.nat(100_000), limitMiB: fc.nat(100_000) }),
  gpus: fc.array(fc.record({ vendor: word, memoryMiB: fc.nat(100_000), via: word }), { maxLength: 4 }),
  runtimes: fc.dictionary(word, tool, { maxKeys: 5 }),
  runners: fc.dictionary(word, fc.record({ version: word, runtime: word }), { maxKeys: 3 }),
  browsers: fc.array(fc.record({ name: word, version: word }), { maxLength: 3 }),
  drivers: fc.dictionary(word, tool, { maxKeys: 3 }),
  unknown: fc.array(fc.record({ field: word, reason: word }), { maxLength: 3 }),
});

/** The same value with the keys of every object in reverse. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).toReversed();
  return Object.fromEntries(entries.map(([key, member]) => [key, reversed(member)]));
}

test('safety: the digest does not depend on the order of keys, nor on a trip over the wire', () => {
  fc.assert(
    fc.property(profiles, (profile) => {
      const digest = profileDigest(profile);
      expect(profileDigest(reversed(profile) as Profile)).toBe(digest);
      expect(profileDigest(Profile.parse(JSON.parse(JSON.stringify(profile))))).toBe(digest);
    }),
  );
});

test('safety: a machine with more memory, or one more GPU, is of another class', () => {
  fc.assert(
    fc.property(profiles, fc.integer({ min: 1, max: 1_000 }), (profile, more) => {
      const memory = { ...profile.memory, limitMiB: (profile.memory.limitMiB ?? 0) + more };
      const gpus = [...(profile.gpus ?? []), { vendor: 'nvidia', via: 'drm' }];
      expect(profileDigest({ ...profile, memory })).not.toBe(profileDigest(profile));
      expect(profileDigest({ ...profile, gpus })).not.toBe(profileDigest(profile));
    }),
  );
});
