// Every code that the product can put into a failure or a refusal is in the catalogue, with what to do next.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCatalogue } from '@assay/protocol';
import { expect, test } from 'vitest';

const packages = join(import.meta.dirname, '../packages');
const folders = ['agent/src', 'core/src', 'coordinator/src', 'cli/src', 'client/src'];

function codesIn(folder: string): string[] {
  return readdirSync(join(packages, folder), { recursive: true })
    .map(String)
    .filter(
      (name) => name.endsWith('.ts') && !/\.(test|prop\.test|contract)\.ts$/.test(name) && !name.startsWith('testing'),
    )
    .flatMap((name) =>
      [
        ...readFileSync(join(packages, folder, name), 'utf8').matchAll(
          /(?:code: |AssayError\(\s*)'([A-Z][A-Z0-9_]{2,})'/g,
        ),
      ].map(([, code]) => code ?? ''),
    )
    .filter((code) => !/^E[A-Z]{3,}$/.test(code));
}

test('every named trouble is in the error catalogue', () => {
  const used = new Set(folders.flatMap(codesIn));
  expect(used.size).toBeGreaterThan(30);
  expect([...used].filter((code) => !(code in errorCatalogue))).toEqual([]);
});
