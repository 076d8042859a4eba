// The results file under a process that is killed while it writes, and under one that may not have it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { storyToKill } from './killed-story.ts';
import { everything } from '../../ports/result-store.contract.ts';
import { createMemoryResultStore } from '../results-memory.ts';
import { openDuckDbResultStore } from './store.ts';

const entriesPerBatch = 1_500;

const source = `
  const [path, story, store] = process.argv.slice(1);
  const { storyToKill } = await import(story);
  const { openDuckDbResultStore } = await import(store);
  const results = await openDuckDbResultStore({ path });
  const entries = storyToKill().slice(await results.appliedSeq());
  for (let from = 0; from < entries.length; from += ${entriesPerBatch}) {
    console.log('applying');
    await results.apply(entries.slice(from, from + ${entriesPerBatch}));
    console.log('applied');
  }
  await results.close();
`;

/** Applies the story in a process of its own, and kills it when it begins its `killAt`th batch. Returns how many it said it applied. */
async function applyUntilKilled(path: string, killAt: number): Promise<{ saidApplied: number; signal: string | null }> {
  const story = new URL('./killed-story.ts', import.meta.url).href;
  const store = new URL('./store.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', source, path, story, store], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let applying = 0;
  let saidApplied = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'applied') saidApplied += 1;
    else applying += 1;
    if (line === 'applying' && applying === killAt) child.kill('SIGKILL');
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { saidApplied, signal };
}

test('a process killed in the middle of a batch, again and again, leaves each case exactly once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-results-'));
  const path = join(folder, 'results.duckdb');
  const entries = storyToKill();
  try {
    let interrupted = 0;
    for (const killAt of [1, 2, 3, 2, 1]) {
      const { saidApplied, signal } = await applyUntilKilled(path, killAt);
      if (signal !== 'SIGKILL') continue;
      const store = await openDuckDbResultStore({ path });
      const seq = await store.appliedSeq();
      const before = createMemoryResultStore();
      await before.apply(entries.slice(0, seq));
      // All of a batch or none of it, and nothing of what was said to be applied is missing.
      expect(seq % entriesPerBatch === 0 || seq === entries.length).toBe(true);
      expect(seq).toBeGreaterThanOrEqual(saidApplied * entriesPerBatch);
      expect(await store.readRun('r-killed')).toEqual(await before.readRun('r-killed'));
      if (saidApplied === killAt - 1) interrupted += 1;
      await store.close();
    }
    expect(interrupted).toBeGreaterThan(0);
    const store = await openDuckDbResultStore({ path });
    await store.apply(entries);
    const whole = createMemoryResultStore();
    await whole.apply(entries);
    expect(await everything(store)).toEqual(await everything(whole));
    const seen = new Set<string>();
    let after: string | undefined;
    do {
      const page = await store.listCases({ run: 'r-killed', limit: 5_000, ...(after === undefined ? {} : { after }) });
      for (const row of page.cases) {
        const key = `${row.task}#${row.attempt}.${row.ordinal}`;
        expect(seen).not.toContain(key);
        seen.add(key);
      }
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(seen.size).toBe(6_000 * 2 + 600 * 2);
    await store.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a file that another process holds is RESULTS_UNAVAILABLE, and can be opened once it is let go', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-results-'));
  const path = join(folder, 'results.duckdb');
  const hold = `
    const { openDuckDbResultStore } = await import(process.argv[2]);
    const store = await openDuckDbResultStore({ path: process.argv[1] });
    console.log('held');
    process.stdin.on('data', () => void store.close().then(() => process.exit(0)));
  `;
  const args = ['--no-warnings', '--input-type=module', '-e', hold, path, new URL('./store.ts', import.meta.url).href];
  const holder = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await once(holder.stdout, 'data');
    await expect(openDuckDbResultStore({ path })).rejects.toMatchObject({ code: 'RESULTS_UNAVAILABLE' });
    holder.stdin.write('let go');
    await once(holder, 'close');
    const store = await openDuckDbResultStore({ path });
    expect(await store.appliedSeq()).toBe(0);
    await store.close();
  } finally {
    holder.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
});
