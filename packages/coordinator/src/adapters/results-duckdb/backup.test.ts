// Backing up and putting back while batches are written.
import { mkdtemp, readdir, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { everything } from '../../ports/result-store.contract.ts';
import { fullStory } from '../../results/journal-story.ts';
import { createMemoryResultStore } from '../results-memory.ts';
import { openDuckDbResultStore } from './store.ts';

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-backup-'));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function said(upTo: number): Promise<unknown> {
  const store = createMemoryResultStore();
  await store.apply(fullStory().slice(0, upTo));
  return await everything(store);
}

test('a copy made between batches that are under way is one state, and is whole again after what came later', () =>
  withFolder(async (folder) => {
    const entries = fullStory();
    const path = join(folder, 'results.duckdb');
    const store = await openDuckDbResultStore({ path });
    const half = Math.floor(entries.length / 2);
    // Asked for while batches wait before and behind it, as from a coordinator at work.
    const first = store.apply(entries.slice(0, half));
    const copy = store.backup({ name: 'half' });
    const rest = store.apply(entries.slice(half));
    expect(await copy).toMatchObject({ name: 'half', appliedSeq: half });
    await Promise.all([first, rest]);
    expect(await everything(store)).toEqual(await said(entries.length));

    expect(await store.restore({ name: 'half', firstSeq: 1 })).toMatchObject({ appliedSeq: half });
    expect(await store.appliedSeq()).toBe(half);
    expect(await everything(store)).toEqual(await said(half));
    // A batch that was read before the copy was put back would leave a gap.
    await expect(store.apply(entries.slice(half + 2))).rejects.toMatchObject({ code: 'RESULTS_UNAVAILABLE' });
    expect(await store.appliedSeq()).toBe(half);
    await store.apply(entries.slice(half));
    expect(await everything(store)).toEqual(await said(entries.length));
    await store.close();
    expect((await readdir(folder)).toSorted()).toEqual(['backups', 'results.duckdb']);
  }));

test('what cannot be put back is refused by name and changes nothing', () =>
  withFolder(async (folder) => {
    const entries = fullStory();
    const store = await openDuckDbResultStore({ path: join(folder, 'results.duckdb') });
    await store.apply(entries.slice(0, 4));
    await store.backup({ name: 'old' });
    await store.apply(entries.slice(4));
    await expect(store.backup({ name: 'old' })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(store.restore({ name: 'none', firstSeq: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.restore({ name: 'old', firstSeq: 6 })).rejects.toMatchObject({ code: 'RESULTS_BACKUP_TOO_OLD' });
    await mkdir(join(folder, 'backups'), { recursive: true });
    await writeFile(join(folder, 'backups', 'junk.duckdb'), 'no database');
    await expect(store.restore({ name: 'junk', firstSeq: 1 })).rejects.toMatchObject({ code: 'RESULTS_UNAVAILABLE' });
    expect(await everything(store)).toEqual(await said(entries.length));
    await store.close();
  }));
