import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isInLine } from './match.ts';

const piece = fc.string({ unit: fc.constantFrom('a', 'b', '.', '(', '\\'), maxLength: 5 });
const line = fc.string({ unit: fc.constantFrom('a', 'b', '.', '(', '\\'), maxLength: 30 });

/** The same by a regular expression, for short texts. */
function isFoundByExpression(pattern: string, text: string): boolean {
  const escaped = pattern.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(escaped.join('.*?'), 's').test(text);
}

test('safety: searching piece after piece finds exactly what the expression with * as .* finds', () => {
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), line, (pieces, text) => {
      const pattern = pieces.join('*');
      expect(isInLine(pattern, text)).toBe(isFoundByExpression(pattern, text));
    }),
    { numRuns: 2_000 },
  );
});
