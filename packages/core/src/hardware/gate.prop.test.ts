import { sensorNames } from '@assay/protocol';
import type { Reading } from '@assay/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterReading, flipsOf, gateRules, keyOf } from './gate.ts';

const reading: fc.Arbitrary<Reading> = fc.record({
  sensor: fc.constantFrom(...sensorNames),
  device: fc.constantFrom(null, 'gpu:0', 'gpu:1'),
  value: fc.double({ min: -10, max: 200, noNaN: true }),
});
const all = fc.uniqueArray(reading, { selector: ({ sensor, device }) => `${sensor} ${device}`, maxLength: 12 });

test('every rule leaves room between shutting and opening, on the right side', () => {
  for (const { shutsWhen, shutAt, openAt } of gateRules)
    expect(shutsWhen === 'above' ? openAt < shutAt : openAt > shutAt).toBe(true);
});

test('safety: between its two values a gate stays as it is, beyond them it is what they say', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...gateRules),
      fc.boolean(),
      fc.double({ min: -10, max: 200, noNaN: true }),
      (...drawn) => {
        const [rule, isShut, value] = drawn;
        const isBad = rule.shutsWhen === 'above' ? value >= rule.shutAt : value <= rule.shutAt;
        const isGood = rule.shutsWhen === 'above' ? value <= rule.openAt : value >= rule.openAt;
        expect(afterReading(rule, isShut, value)).toBe(isBad ? true : isGood ? false : isShut);
      },
    ),
  );
});

test('safety: the same readings again flip nothing, and what is not measured any more is open', () => {
  fc.assert(
    fc.property(fc.array(all, { maxLength: 6 }), (rounds) => {
      const shut = new Map<string, { gate: string; device: string | null }>();
      for (const readings of rounds) {
        for (const flip of flipsOf([...shut.values()], readings)) {
          expect(shut.has(keyOf(flip))).toBe(!flip.isShut);
          if (flip.isShut) shut.set(keyOf(flip), flip);
          else shut.delete(keyOf(flip));
        }
        expect(flipsOf([...shut.values()], readings)).toEqual([]);
      }
      for (const flip of flipsOf([...shut.values()], [])) shut.delete(keyOf(flip));
      expect(shut.size).toBe(0);
    }),
  );
});
