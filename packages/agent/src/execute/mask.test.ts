import { expect, test } from 'vitest';
import { maskerOf } from './mask.ts';

test('every value is masked, the longest first, in its URL- and JSON-encoded forms too', () => {
  const { mask } = maskerOf(['abc', 'abcdef', 'a b"c']);
  expect(mask('abc abcdef a b"c')).toBe('*** *** ***');
  expect(mask('?q=a%20b%22c and {"x":"a b\\"c"}')).toBe('?q=*** and {"x":"***"}');
});

test('an empty value masks nothing, and characters of patterns are taken as they are', () => {
  expect(maskerOf(['']).mask('text')).toBe('text');
  expect(maskerOf(['a.*(b']).mask('a.*(b axx(b')).toBe('*** axx(b');
});

test('a secret that chunks cut in two is masked, and nothing else is lost or held for ever', () => {
  const text = 'start hunter2 middle hunt end hunter2hunter2 hun';
  for (let size = 1; size <= text.length; size += 1) {
    const stream = maskerOf(['hunter2']).stream();
    let out = '';
    for (let at = 0; at < text.length; at += size) out += stream(text.slice(at, at + size));
    out += stream('', true);
    expect(out).toBe('start *** middle hunt end ****** hun');
  }
});
