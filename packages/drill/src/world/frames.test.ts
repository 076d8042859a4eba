import { expect, test } from 'vitest';
import { acknowledgedIn, damaged, FrameSplitter, isDataFrame } from './frames.ts';

/** A text frame as a server sends it: not masked. */
function frame(text: string): Buffer {
  const body = Buffer.from(text);
  const head = body.length < 126 ? [0x81, body.length] : [0x81, 126, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
}

test('frames come out whole, however the bytes were cut', () => {
  const frames = [frame('a'), frame('b'.repeat(300)), frame(''), frame('c'.repeat(126))];
  const bytes = Buffer.concat(frames);
  for (const size of [1, 2, 7, 100, bytes.length]) {
    const splitter = new FrameSplitter();
    const found: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) found.push(...splitter.push(bytes.subarray(at, at + size)));
    expect(found).toEqual(frames);
  }
});

test('acknowledgements are read from a frame, the highest where it has several', () => {
  expect(acknowledgedIn(frame('[{"kind":"ack","seq":7}]'))).toBe(7);
  const long = `[{"kind":"ack","seq":3},{"kind":"ack","seq":12},{"kind":"drain","reason":"${'x'.repeat(200)}"}]`;
  expect(acknowledgedIn(frame(long))).toBe(12);
  expect(acknowledgedIn(frame('0badf00d[{"kind":"ack","seq":9}]'))).toBe(9);
  expect(acknowledgedIn(frame('[{"kind":"heartbeat","atMs":1}]'))).toBeNull();
  expect(acknowledgedIn(frame('"ack"'))).toBeNull();
});

test('damage turns one bit of the content and leaves the head alone; control frames are no data', () => {
  const good = frame('[{"kind":"heartbeat"}]');
  for (const place of [0, 0.3, 0.5, 0.999, 1]) {
    const bad = damaged(good, place) ?? good;
    const differing = [...good].flatMap((byte, at) => (byte === bad[at] ? [] : [at]));
    expect(differing).toHaveLength(1);
    expect(differing[0]).toBeGreaterThanOrEqual(2);
    expect([1, 2, 4, 8, 16, 32, 64, 128]).toContain((good[differing[0] ?? 0] ?? 0) ^ (bad[differing[0] ?? 0] ?? 0));
  }
  expect(damaged(frame(''), 0.5)).toBeNull();
  expect([isDataFrame(good), isDataFrame(Buffer.from([0x89, 0])), isDataFrame(Buffer.from([0x88, 0]))]).toEqual([
    true,
    false,
    false,
  ]);
});
