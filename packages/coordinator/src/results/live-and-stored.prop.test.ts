// The live engine and the results stores say the same of the same run, for random lives of the engine: submissions,
// workers that come and go, reports true, repeated, late and false (see core/src/testing/chaos.ts).
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { viewRuns, viewTasks } from '@assay/core';
import type { RunId, RunView, TaskView } from '@assay/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { moveKinds, play, type Move } from '@assay/core/testing/chaos.ts';
import { Lab } from '@assay/core/testing/lab.ts';
import { openDuckDbResultStore } from '../adapters/results-duckdb/store.ts';
import { createMemoryResultStore } from '../adapters/results-memory.ts';
import type { JournalEntry } from '../ports/journal.ts';
import { everything } from '../ports/result-store.contract.ts';
import type { ResultStore } from '../ports/result-store.ts';

const move = fc.tuple(fc.nat(moveKinds - 1), fc.nat(30), fc.nat(30));

/** Runs are sealed; then each worker joins with what it holds and finishes one attempt, again and again. */
const peacefulEnd: readonly Move[] = [
  ...Array.from({ length: 30 }, (_, run): Move => [1, run, 4]),
  ...Array.from({ length: 60 }, (_, turn): Move[] => [
    [3, turn % 4, 3],
    [12, turn % 4, 4],
    [12, turn % 4, 11],
  ]).flat(),
];

/** What the engine last said of each run, also of those that have left it. */
type Live = Map<RunId, { run: RunView; tasks: TaskView[] }>;

function live(moves: readonly Move[]): { journal: JournalEntry[]; said: Live } {
  const lab = new Lab({ reconnectGraceMs: 200, recoveryGraceMs: 300, forgetWorkerAfterMs: 5_000 });
  const said: Live = new Map();
  lab.join('w0', { slots: 2 });
  // After the random life all workers come back and finish what they get, so that most runs settle.
  for (const one of [...moves, ...peacefulEnd]) {
    play(lab, one);
    for (const run of viewRuns(lab.engine.state))
      said.set(run.run, { run, tasks: viewTasks(lab.engine.state, run.run, -1, 1_000) });
  }
  return { journal: lab.journal, said };
}

/** Batches of these lengths, again and again. */
function* batchesOf(journal: readonly JournalEntry[], lengths: readonly number[]): Generator<JournalEntry[]> {
  for (let from = 0, turn = 0; from < journal.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    yield journal.slice(from, from + length);
    from += length;
  }
}

/**
 * Without what only one of the two knows: predictions of what never ran, when a task that is not queued was queued, the
 * names of workers that the engine has forgotten, and the cases so far of attempts under way.
 */
function comparable(task: TaskView): unknown {
  const { queuedAtMs: _queued, expectedMs: _expected, attempts, ...rest } = task;
  return {
    ...rest,
    attempts: attempts.map(({ counts, workerName: _name, ...attempt }) =>
      attempt.verdict ? { ...attempt, counts } : attempt,
    ),
  };
}

async function sameAsLive(store: ResultStore, said: Live): Promise<void> {
  for (const { run, tasks } of said.values()) {
    const stored = await store.readRun(run.run);
    // What no worker can do now depends on the workers of now: only the live engine knows.
    expect({ ...stored, unplaceable: [] }).toEqual({ ...run, unplaceable: [] });
    const list = await store.listTasks({ run: run.run, limit: 1_000 });
    expect(list.tasks.map(comparable)).toEqual(tasks.map(comparable));
    const { cases } = await store.listCases({ run: run.run, limit: 10_000 });
    const keys = cases.map((row) => `${row.task}#${row.attempt}.${row.ordinal}`);
    expect(new Set(keys).size).toBe(keys.length);
  }
}

test('safety: stored runs and tasks read as the live engine said them last, in whatever batches they came', async () => {
  let settled = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(move, { minLength: 5, maxLength: 80 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
      async (moves, lengths) => {
        const { journal, said } = live(moves);
        const store = createMemoryResultStore();
        for (const batch of batchesOf(journal, lengths)) await store.apply(batch);
        await sameAsLive(store, said);
        for (const { run } of said.values()) if (run.state === 'settled') settled += 1;
      },
    ),
    { numRuns: 150 },
  );
  // The property would hold of nothing if nothing ever settled.
  expect(settled).toBeGreaterThan(50);
}, 60_000);

test('safety: DuckDB, closed and opened between batches and given some of them twice, answers as memory does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(move, { minLength: 20, maxLength: 80 }),
      fc.array(fc.integer({ min: 3, max: 40 }), { minLength: 1, maxLength: 3 }),
      async (moves, lengths) => {
        const { journal, said } = live(moves);
        const folder = await mkdtemp(join(tmpdir(), 'assay-results-'));
        const path = join(folder, 'results.duckdb');
        try {
          let store = await openDuckDbResultStore({ path });
          let turn = 0;
          for (const batch of batchesOf(journal, lengths)) {
            await store.apply(batch);
            turn += 1;
            if (turn % 3 === 0) await store.apply(batch);
            if (turn % 4 !== 0) continue;
            await store.close();
            store = await openDuckDbResultStore({ path });
          }
          const memory = createMemoryResultStore();
          await memory.apply(journal);
          expect(await everything(store)).toEqual(await everything(memory));
          await sameAsLive(store, said);
          await store.close();
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      },
    ),
    // A failure is reported as it was drawn: to shrink it on real files would take minutes.
    { numRuns: 8, endOnFailure: true },
  );
}, 120_000);
