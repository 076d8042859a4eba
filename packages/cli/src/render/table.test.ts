import { expect, test } from 'vitest';
import { cut, table } from './table.ts';

test('columns are as wide as their widest cell on a terminal: plain, painted and of wide characters', () => {
  expect(
    table(
      ['name', 'n'],
      [
        ['plain', '1'],
        ['\u001B[31mred\u001B[39m', '2'],
        ['\u6F22\u5B57', '3'],
      ],
      0,
    ),
  ).toBe('name   n\nplain  1\n\u001B[31mred\u001B[39m    2\n\u6F22\u5B57   3');
});

test.each([
  ['abcdef', 6, 'abcdef'],
  ['abcdef', 4, 'abc\u2026'],
  ['\u6F22\u5B57\u6F22', 4, '\u6F22\u2026'],
])('%s is cut to %i columns', (text, width, wanted) => {
  expect(cut(text, width)).toBe(wanted);
});
