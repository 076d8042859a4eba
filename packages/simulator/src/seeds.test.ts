import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createEngine, emptyState } from '@assay/core';
import type { JournalEntry } from '@assay/coordinator/simulation';
import { drawPlan } from './plan.ts';
import { compareReplay } from './replay.ts';
import { runSeedTwice } from './run-seed.ts';
import { exportSeed, simulateSeed } from './simulate.ts';

const kept = JSON.parse(readFileSync(new URL('kept-seeds.json', import.meta.url), 'utf8')) as {
  seed: number;
  story: string;
}[];

test.each(kept)('seed $seed, which once failed, passes: $story', { timeout: 60_000 }, async ({ seed }) => {
  expect((await runSeedTwice(seed)).violation).toBeNull();
});

test(
  'a seed always draws the same plan and leaves the same trace, another seed another one',
  { timeout: 60_000 },
  async () => {
    expect(drawPlan(7)).toEqual(drawPlan(7));
    const [first, again, other] = [await simulateSeed(7), await simulateSeed(7), await simulateSeed(8)];
    expect(again.digest).toBe(first.digest);
    expect(other.digest).not.toBe(first.digest);
  },
);

test(
  'together the first seeds meet every kind of fault, crashes in the middle of commits, and refused reports',
  { timeout: 120_000 },
  async () => {
    const seeds = Array.from({ length: 30 }, (_, index) => index + 1);
    const kinds = new Set(seeds.flatMap((seed) => drawPlan(seed).faults.map(({ fault }) => fault.kind)));
    expect([...kinds].sort()).toEqual([
      'coordinator clock jump',
      'coordinator crash',
      'coordinator restart',
      'coordinator stopped',
      'disk full',
      'link cut',
      'partition',
      'results broken',
      'snapshot',
      'weather',
      'worker changed',
      'worker clock jump',
      'worker crash',
      'worker drained',
      'worker stopped',
      'worker unsound',
    ]);
    const lines: string[] = [];
    let refused = 0;
    for (const seed of seeds.slice(0, 20))
      refused += (await simulateSeed(seed, { onTrace: (line) => lines.push(line) })).refusedReports;
    expect(refused).toBeGreaterThan(0);
    for (const wanted of [
      /[1-9] unacknowledged batches are on the disk/,
      /[1-9] are torn off/,
      /from snapshot [1-9]/,
      /the disk is full/,
      /takeBackRequested/,
      /doubles a frame/,
      /a frame was lost/,
      /had not written reports/,
    ]) {
      expect([wanted, lines.some((line) => wanted.test(line))]).toEqual([wanted, true]);
    }
  },
);

test(
  'the inputs of a journal make its decisions again, and a changed event shows as the first difference',
  { timeout: 60_000 },
  async () => {
    const [config, ...rows] = (await exportSeed(3)).map((line) => JSON.parse(line) as unknown);
    const entries = rows as JournalEntry[];
    const { config: settings } = config as { config: ReturnType<typeof drawPlan>['config'] };
    expect(compareReplay(createEngine(settings, emptyState()), entries)).toBeNull();
    const at = entries.findIndex(({ events }) => events.some(({ kind }) => kind === 'tasksAssigned'));
    const changed = structuredClone(entries);
    changed[at]!.events = changed[at]!.events.filter(({ kind }) => kind !== 'tasksAssigned');
    expect(compareReplay(createEngine(settings, emptyState()), changed)).toMatch(new RegExp(`^entry ${at + 1} `));
  },
);
