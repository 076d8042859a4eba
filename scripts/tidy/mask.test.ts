import { expect, test } from 'vitest';
import { maskSource } from './mask.ts';

const stories: readonly [name: string, source: string, masked: string][] = [
  ['a line comment', 'a; // enum X\nb', 'a;          \nb'],
  ['a block comment keeps its line breaks', 'a /* x\ny */ b', 'a     \n     b'],
  ['a string keeps its quotes', `f('a"b', "c\\"d")`, `f('   ', "    ")`],
  ['a regular expression with a quote and a slash in a class', `x = /['/]/g; y`, 'x = /    /g; y'],
  ['a division is not a regular expression', 'a / b / "c"', 'a / b / " "'],
  ['a template is blank, what it interpolates is not', 'a(`x ${b + `y${c}`} z`)', 'a(     b +     c      )'],
  ['braces inside an interpolation', '`${f({ a: 1 })} "`; b', '   f({ a: 1 })    ; b'],
];

test.each(stories)('%s is masked', (_name, source, masked) => {
  expect(maskSource(source)).toHaveLength(source.length);
  expect(maskSource(source)).toBe(masked);
});
