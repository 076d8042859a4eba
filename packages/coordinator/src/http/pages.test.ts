// Lists from two sources, live and stored: nothing twice, nothing left out, whatever the store has seen so far.
import type { RunId, RunList, RunView, TaskId, TaskView } from '@assay/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Coordinator } from '../ports/coordinator.ts';
import { listRuns } from './run-pages.ts';
import { listTasks } from './task-pages.ts';

type Sources = Pick<Coordinator, 'views' | 'results'>;

const runView = (index: number, submittedAtMs: number, name: string): RunView => ({
  run: `r-${String(index).padStart(3, '0')}` as RunId,
  name,
  project: 'p',
  submitter: 's',
  priority: 0,
  state: 'queued',
  isSealed: true,
  isCanceled: false,
  submittedAtMs,
  tasks: { total: 0, queued: 0, assigned: 0, running: 0, settled: 0, verdicts: {} },
  cases: { passed: 0, failed: 0, skipped: 0, todo: 0 },
  unplaceable: [],
  labels: {},
});

/** Runs submitted in order; the store has the first `stored`, the engine those in `live`. */
function sourcesOf(times: number[], stored: number, live: Set<number>): Sources {
  const view = (index: number) => runView(index, times[index] ?? 0, 'live');
  const kept = times.slice(0, stored).map((atMs, index) => runView(index, atMs, 'stored'));
  const results = {
    readRun: async (run: string) => kept.find((one) => one.run === run) ?? null,
    async listRuns({ limit, before }: { limit: number; before?: string }): Promise<RunList> {
      const until = before === undefined ? kept.length : Number(before);
      const from = Math.max(0, until - limit);
      return { runs: kept.slice(from, until).toReversed(), next: from > 0 ? String(from) : null };
    },
  };
  const views = {
    runs: () => [...live].toSorted((a, b) => a - b).map(view),
    run: (run: string) => (live.has(Number(run.slice(2))) ? view(Number(run.slice(2))) : null),
  };
  return { views, results } as unknown as Sources;
}

test('safety: the pages of runs hold every run once, newest first, live where it is live', async () => {
  const story = fc.record({
    gaps: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 25 }),
    stored: fc.nat(25),
    live: fc.array(fc.nat(24)),
    limit: fc.integer({ min: 1, max: 7 }),
  });
  await fc.assert(
    fc.asyncProperty(story, async ({ gaps, stored, live, limit }) => {
      let atMs = 1_000;
      const times = gaps.map((gap) => (atMs += gap));
      const storedRuns = Math.min(stored, times.length);
      // What the store has not seen is live, always; of the rest any part may be.
      const isLive = new Set([
        ...live.filter((index) => index < times.length),
        ...times.map((_, index) => index).filter((index) => index >= storedRuns),
      ]);
      const sources = sourcesOf(times, storedRuns, isLive);
      const runs: RunView[] = [];
      for (let before: string | undefined; ;) {
        const page = await listRuns(sources, { limit, before });
        expect(page.runs.length).toBeLessThanOrEqual(limit);
        runs.push(...page.runs);
        if (page.next === null) break;
        before = page.next;
      }
      expect(runs.map(({ run }) => run).toSorted()).toEqual(times.map((_, index) => runView(index, 0, '').run));
      expect(runs.map(({ submittedAtMs }) => submittedAtMs)).toEqual(times.toReversed());
      for (const run of runs) expect(run.name).toBe(isLive.has(Number(run.run.slice(2))) ? 'live' : 'stored');
    }),
  );
});

const taskView = (index: number): TaskView => ({
  task: `r-1.${index}` as TaskId,
  run: 'r-1' as RunId,
  suite: 's',
  target: 't',
  requires: '',
  state: index % 1_000 === 999 ? 'running' : 'queued',
  attempts: [],
});

test('a filter that matches few of many tasks is answered in bounded steps, and finds them all', async () => {
  const total = 50_000;
  let examined = 0;
  const views = {
    run: () => runView(1, 1, 'live'),
    tasks(_run: string, afterIndex: number, max: number) {
      const count = Math.max(0, Math.min(max, total - afterIndex - 1));
      examined += count;
      return Array.from({ length: count }, (_, index) => taskView(afterIndex + 1 + index));
    },
  };
  const found: string[] = [];
  let steps = 0;
  for (let after: string | undefined; ;) {
    examined = 0;
    const page = await listTasks({ views } as unknown as Sources, { run: 'r-1', state: 'running', limit: 30, after });
    expect(examined).toBeLessThanOrEqual(31_000);
    found.push(...page.tasks.map(({ task }) => task));
    steps += 1;
    if (page.next === null) break;
    after = page.next;
  }
  expect(found).toEqual(Array.from({ length: 50 }, (_, index) => `r-1.${index * 1_000 + 999}`));
  expect(steps).toBeLessThan(6);
});
