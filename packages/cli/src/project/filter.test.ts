import { expect, test } from 'vitest';
import { isMeant, unmatched } from './filter.ts';

test.each([
  ['src/a.test.ts', 'src', true],
  ['src/a.test.ts', 'src/', true],
  ['src/a.test.ts', './src/a.test.ts', true],
  ['src/a.test.ts', 'a.test', true],
  ['src/deep/a.test.ts', 'src/**/*.test.ts', true],
  ['src/a.test.ts', 'lib', false],
  ['src/a.test.ts', 'src/*.spec.ts', false],
])('%s by %s: %s', (target, filter, expected) => expect(isMeant(target, [filter])).toBe(expected));

test('no filter means everything', () => expect(isMeant('a', [])).toBe(true));
test('a filter that means nothing is found', () => expect(unmatched(['src/a.ts'], ['src', 'scr'])).toEqual(['scr']));
