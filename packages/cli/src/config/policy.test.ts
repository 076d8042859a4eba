import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPolicy } from './policy.ts';

async function reading(text: string): Promise<unknown> {
  const directory = await mkdtemp(join(tmpdir(), 'assay-policy-'));
  try {
    const path = join(directory, 'policy.json');
    await writeFile(path, text);
    return await readPolicy(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('what is left out has its default', async () => {
  expect(await reading('{"weights": {"nightly": 0.25}}')).toEqual({
    weights: { nightly: 0.25 },
    quotas: [],
    pools: {},
    keys: {},
  });
});

const wrong: [string, RegExp][] = [
  ['{', /cannot be read/],
  ['{"weights": {"ada": 0}}', /weights\.ada/],
  ['{"weights": {"ada": -1}}', /weights\.ada/],
  ['{"weight": {}}', /weight/],
  ['{"quotas": [{"pool": "*", "of": {"kind": "submitter"}, "slots": 0}]}', /quotas\.0\.slots/],
  ['{"quotas": [{"pool": "a b", "of": {"kind": "submitter"}, "slots": 1}]}', /quotas\.0\.pool/],
  ['{"keys": {"licence": 0}}', /keys\.licence/],
  ['{"pools": {"gpu": {}}}', /pools\.gpu\.reserved/],
];
test.each(wrong)('refused with the place that is wrong: %s', async (text, message) => {
  await expect(reading(text)).rejects.toThrow(message);
});

test('the policy that the documents show is one', async () => {
  const page = await readFile(new URL('../../../../docs/explain/admission.md', import.meta.url), 'utf8');
  const [, shown] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  expect(await reading(shown ?? '')).toMatchObject({ keys: { licence: 2 }, pools: { gpu: { reserved: true } } });
});
