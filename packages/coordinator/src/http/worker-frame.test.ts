import { expect, test } from 'vitest';
import { readFrame, readSummedFrame, sumOf } from './worker-frame.ts';

const text = '[{"kind":"output","task":"r-1.0","attempt":1,"stream":"stdout","text":"caf\u00e9: 3 passed"}]';

test('a bit turned inside a text is another truth without a sum, and a bad frame with one', () => {
  const turned = text.replace('3 passed', '7 passed');
  expect(readFrame(Buffer.from(turned)).kind).toBe('messages');
  const good = Buffer.from(sumOf(text) + text);
  expect(readSummedFrame(good)).toMatchObject({ kind: 'messages', messages: [{ text: 'caf\u00e9: 3 passed' }] });
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bad = Buffer.from(good);
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(readSummedFrame(bad)).toEqual({ kind: 'bad', reason: 'the frame changed on its way: its sum is another' });
  }
});

test('a frame that is shorter than its sum is a bad one', () => {
  for (const bytes of ['', '1', '0000000']) expect(readSummedFrame(Buffer.from(bytes)).kind).toBe('bad');
});
