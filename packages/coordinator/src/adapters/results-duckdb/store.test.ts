import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { everything, resultStoreContract } from '../../ports/result-store.contract.ts';
import { fullStory } from '../../results/journal-story.ts';
import { createMemoryResultStore } from '../results-memory.ts';
import { openDuckDbResultStore } from './store.ts';

async function withFolder<Result>(body: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-results-'));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

resultStoreContract('DuckDB', (body) =>
  withFolder(async (folder) => {
    const store = await openDuckDbResultStore({ path: join(folder, 'results.duckdb') });
    try {
      await body(store);
    } finally {
      await store.close();
    }
  }),
);

test('a store that is closed and opened between any two entries says what one says that was never closed', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'results.duckdb');
    const entries = fullStory();
    for (const entry of entries) {
      const store = await openDuckDbResultStore({ path });
      await store.apply([entry]);
      await store.close();
    }
    const whole = createMemoryResultStore();
    await whole.apply(entries);
    const store = await openDuckDbResultStore({ path });
    expect(await everything(store)).toEqual(await everything(whole));
    await store.close();
  }));

test('a file that a newer version wrote is refused and left byte for byte', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'results.duckdb');
    const store = await openDuckDbResultStore({ path });
    await store.close();
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    await connection.run("INSERT INTO migrations VALUES (999, '0999-from-the-future.sql')");
    connection.closeSync();
    instance.closeSync();
    const before = await readFile(path);
    await expect(openDuckDbResultStore({ path })).rejects.toMatchObject({ code: 'RESULTS_NEWER' });
    expect(before.equals(await readFile(path))).toBe(true);
  }));

test('a batch that cannot be projected leaves nothing behind, and the right one can follow', () =>
  withFolder(async (folder) => {
    const store = await openDuckDbResultStore({ path: join(folder, 'results.duckdb') });
    const entries = fullStory();
    const bad = structuredClone(entries);
    for (const { input } of bad) if (input.kind === 'workerReported') input.reports = [];
    await expect(store.apply(bad)).rejects.toMatchObject({ code: 'RESULTS_UNAVAILABLE' });
    expect(await store.appliedSeq()).toBe(0);
    expect(await store.listRuns({ limit: 10 })).toEqual({ runs: [], next: null });
    await store.apply(entries);
    const whole = createMemoryResultStore();
    await whole.apply(entries);
    expect(await everything(store)).toEqual(await everything(whole));
    await store.close();
    await expect(store.readRun('r-first')).rejects.toMatchObject({ code: 'RESULTS_UNAVAILABLE' });
  }));
