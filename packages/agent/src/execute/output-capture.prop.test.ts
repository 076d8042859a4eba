import fc from 'fast-check';
import { test } from 'vitest';
import { OutputCapture } from './output-capture.ts';

test('safety: what is kept is the head and the tail of what was printed, and the marker counts the rest', () => {
  const chunk = fc.string({ maxLength: 40 }).map((text) => Buffer.from(text));
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 60 }), fc.integer({ min: 2, max: 300 }), (chunks, max) => {
      const capture = new OutputCapture(max);
      for (const bytes of chunks) capture.add(bytes);
      const whole = Buffer.concat(chunks);
      const content = capture.content();
      const leftOut = Math.max(0, whole.length - max);
      if (capture.totalBytes !== whole.length || capture.leftOutBytes !== leftOut) return false;
      if (leftOut === 0) return content.equals(whole);
      const head = Math.floor(max / 2);
      const marker = Buffer.from(`\n[assay: ${leftOut} bytes left out]\n`);
      return content.equals(
        Buffer.concat([whole.subarray(0, head), marker, whole.subarray(whole.length - (max - head))]),
      );
    }),
  );
});
