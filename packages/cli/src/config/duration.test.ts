import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';

test.each([
  ['250ms', 250],
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1_500],
  ['1200', 1_200],
])('%s is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

test.each(['', 'soon', '5 minutes', '10x', '-3s', 's'])('"%s" is no duration', (text) =>
  expect(parseDuration(text)).toBeNull(),
);
