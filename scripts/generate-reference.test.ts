import { expect, test } from 'vitest';
import { outdatedFiles } from './generate-reference.ts';

test('the reference says what the program does: node scripts/generate-reference.ts', async () => {
  expect(await outdatedFiles()).toEqual([]);
});
