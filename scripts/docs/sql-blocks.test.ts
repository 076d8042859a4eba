// Every SQL block of the documents is asked of a results store, as `assay query` would ask it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDuckDbResultStore } from '../../packages/coordinator/src/adapters/results-duckdb/store.ts';
import type { ResultStore } from '../../packages/coordinator/src/ports/result-store.ts';
import { fullStory } from '../../packages/coordinator/src/results/journal-story.ts';
import { readPages } from './markdown.ts';

let folder: string;
let store: ResultStore;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-sql-'));
  store = await openDuckDbResultStore({ path: join(folder, 'results.duckdb') });
  await store.apply(fullStory());
});
afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const blocks = readPages().flatMap((page) => page.blocks.filter(({ language }) => language === 'sql'));

test('there are questions to ask', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(4);
});

test.each(blocks.map((block) => ({ at: `${block.page}:${block.line}`, sql: block.text })))(
  '$at is answered',
  async ({ sql }) => {
    const answer = await store.query({ sql, rowsMax: 100 });
    expect(answer.columns.length).toBeGreaterThan(1);
  },
);
