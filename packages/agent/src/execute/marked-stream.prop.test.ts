import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MarkedStream } from './marked-stream.ts';

const nonce = '0123456789abcdef0123456789abcdef';

function split(bytes: Buffer, sizes: readonly number[]): { byOwner: Map<number | null, string>; ended: number[] } {
  const byOwner = new Map<number | null, string>();
  const ended: number[] = [];
  const stream = new MarkedStream(nonce, {
    output: (item, chunk) => byOwner.set(item, (byOwner.get(item) ?? '') + chunk.toString('latin1')),
    ended: (item) => ended.push(item),
  });
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    stream.add(bytes.subarray(at, at + size));
    at += size;
  }
  stream.end();
  return { byOwner, ended };
}

test('safety: however the bytes are cut, each file gets exactly what lies between its markers', () => {
  // Text with the separator in it and things that look like markers, but without the nonce.
  const said = fc.oneof(
    fc.string(),
    fc.constantFrom('\u001e', `\u001e${nonce.slice(0, 20)}`, '\u001eother 3 start\n', '\n'),
  );
  const sizes = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(said, { minLength: 1, maxLength: 6 }), said, sizes, (files, own, cuts) => {
      const latin = (text: string): string => Buffer.from(text).toString('latin1');
      const bytes = Buffer.from(
        own + files.map((text, id) => `\u001e${nonce} ${id} start\n${text}\u001e${nonce} ${id} end\n`).join(''),
      );
      const { byOwner, ended } = split(bytes, cuts);
      expect(ended).toEqual(files.map((_, id) => id));
      for (const [id, text] of files.entries()) expect(byOwner.get(id) ?? '').toBe(latin(text));
      expect(byOwner.get(null) ?? '').toBe(latin(own));
    }),
  );
});
