import { describe, expect, test } from 'vitest';
import { add, money, percent, split } from '../src/money.ts';

describe('money', () => {
  test('adds amounts of one currency', () => expect(add(money(150), money(250))).toEqual(money(400)));
  test('refuses to mix currencies', () =>
    expect(() => add(money(1, 'EUR'), money(1, 'USD'))).toThrow(/cannot add USD to EUR/));
  test('refuses fractions of a cent', () => expect(() => money(0.5)).toThrow(RangeError));
  test.each([
    [1_000, 3],
    [1, 4],
    [99_999, 7],
  ])('splits %i cents into %i parts without losing one', (cents, parts) => {
    const shares = split(money(cents), parts);
    expect(shares.reduce((sum, share) => sum + share.cents, 0)).toBe(cents);
    expect(
      Math.max(...shares.map((share) => share.cents)) - Math.min(...shares.map((share) => share.cents)),
    ).toBeLessThanOrEqual(1);
  });
  test('takes a share', () => expect(percent(money(1_999), 19)).toEqual(money(380)));
});
