import { expect, test } from 'vitest';
import { Stock } from '../src/stock.ts';

test('what is reserved is not available, until the reservation expires', () => {
  const stock = new Stock();
  stock.receive('tea', 3);
  expect(stock.reserve('tea', 2, 0)).toBe(true);
  expect(stock.available('tea', 1_000)).toBe(1);
  expect(stock.reserve('tea', 2, 1_000)).toBe(false);
  expect(stock.available('tea', 61_000)).toBe(3);
});

test('an unknown article has none', () => expect(new Stock().available('nothing', 0)).toBe(0));
