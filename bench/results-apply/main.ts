// How fast the results store takes in a journal: settled tasks a second, from parsed entries to committed rows, in a
// worker thread as in the coordinator, while the main thread asks it questions and measures how long they take.
//   node bench/results-apply/main.ts [tasks] [casesPerTask] [entriesPerBatch]
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { taskIdOf, type Report, type RunId, type WorkerId } from '@assay/protocol';
import type { Event } from '@assay/core';
import { openDuckDbResultStore } from '../../packages/coordinator/src/adapters/results-duckdb/store.ts';
import type { JournalEntry } from '../../packages/coordinator/src/ports/journal.ts';
import { JournalStory, passed } from '../../packages/coordinator/src/results/journal-story.ts';

type Settings = { path: string; tasks: number; casesPerTask: number; entriesPerBatch: number };

/** Tasks of one assignment, and of one frame of reports. */
const perFrame = 50;
const perSubmission = 5_000;

/** Entries as the coordinator journals them: submissions in thousands, assignments and frames of reports of fifty tasks. */
function* entriesOf(tasks: number, casesPerTask: number): Generator<JournalEntry> {
  const story = new JournalStory();
  const workers = ['w-1', 'w-2', 'w-3', 'w-4'] as WorkerId[];
  for (const worker of workers) story.join(worker, worker);
  let seq = 0;
  for (let first = 0; first < tasks; first += perSubmission) {
    const run = `r-${first}` as RunId;
    const count = Math.min(perSubmission, tasks - first);
    story.submit(
      run,
      Array.from({ length: count }, (_, index) => `packages/some/test/file-${index}.test.ts`),
    );
    for (let from = 0; from < count; from += perFrame) {
      const worker = workers[(from / perFrame) % workers.length]!;
      const indexes = Array.from({ length: Math.min(perFrame, count - from) }, (_, offset) => from + offset);
      story.assign(
        run,
        worker,
        indexes.map((index) => ({ index, attempt: 1 })),
      );
      const reports: Report[] = [];
      const events: Event[] = [];
      for (const index of indexes) seq = finish(taskIdOf(run, index), worker, casesPerTask, seq, reports, events);
      story.reported(worker, reports, events);
    }
    story.settleRun(run, 'passed');
    yield* story.entries.splice(0);
  }
}

function finish(
  task: ReturnType<typeof taskIdOf>,
  worker: WorkerId,
  cases: number,
  lastSeq: number,
  reports: Report[],
  events: Event[],
): number {
  const ref = { task, attempt: 1 };
  const list = Array.from({ length: cases }, (_, index) => passed(`does what it says, in case number ${index}`));
  const counts = { passed: cases, failed: 0, skipped: 0, todo: 0 };
  const atMs = 1_700_000_000_000 + lastSeq;
  reports.push({ kind: 'started', seq: lastSeq + 1, ...ref, atMs });
  reports.push({ kind: 'cases', seq: lastSeq + 2, ...ref, from: 0, cases: list });
  const outcome = {
    verdict: 'passed' as const,
    counts,
    casesReported: cases,
    startedAtMs: atMs,
    endedAtMs: atMs + 5,
    costMs: 5.5,
  };
  reports.push({ kind: 'finished', seq: lastSeq + 3, ...ref, outcome });
  events.push(
    { kind: 'attemptStarted', ...ref, worker, atMs },
    { kind: 'casesRecorded', ...ref, worker, reportSeq: lastSeq + 2, from: 0, count: cases, counts },
    { kind: 'attemptSettled', ...ref, worker, verdict: 'passed', counts, costMs: 5.5, next: { kind: 'settle' } },
    { kind: 'taskSettled', task, verdict: 'passed' },
  );
  return lastSeq + 3;
}

async function applyAll({ path, tasks, casesPerTask, entriesPerBatch }: Settings): Promise<void> {
  // Built and numbered first, so that only the store is measured. The journal's own reading is bench/dispatch's.
  let seq = 0;
  const entries = [...entriesOf(tasks, casesPerTask)].map((entry) => ({ ...entry, seq: (seq += 1) }));
  const store = await openDuckDbResultStore({ path });
  parentPort?.on('message', (id: number) => {
    void store.listRuns({ limit: 50 }).then(
      () => parentPort?.postMessage({ kind: 'answer', id }),
      () => undefined, // Asked when the store was closing.
    );
  });
  parentPort?.postMessage({ kind: 'begin' });
  const begin = performance.now();
  const cpu = process.cpuUsage();
  let slowestBatchMs = 0;
  for (let from = 0; from < entries.length; from += entriesPerBatch) {
    const batchBegin = performance.now();
    await store.apply(entries.slice(from, from + entriesPerBatch));
    slowestBatchMs = Math.max(slowestBatchMs, performance.now() - batchBegin);
  }
  const seconds = (performance.now() - begin) / 1_000;
  const used = process.cpuUsage(cpu);
  const { runs } = await store.listRuns({ limit: 1_000 });
  const settled = runs.reduce((sum, run) => sum + run.tasks.settled, 0);
  await store.close();
  if (settled !== tasks) throw new Error(`${settled} tasks are settled in the store, ${tasks} were sent`);
  const cpuSeconds = (used.user + used.system) / 1e6;
  parentPort?.postMessage({ kind: 'end', entries: entries.length, seconds, cpuSeconds, slowestBatchMs });
  parentPort?.close();
}

async function main(): Promise<void> {
  const [tasks = 200_000, casesPerTask = 2, entriesPerBatch = 100] = process.argv.slice(2).map(Number);
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-results-'));
  const path = join(folder, 'results.duckdb');
  try {
    const thread = new Worker(new URL(import.meta.url), {
      workerData: { path, tasks, casesPerTask, entriesPerBatch } satisfies Settings,
    });
    const asked = new Map<number, number>();
    const waitedMs: number[] = [];
    let asking: NodeJS.Timeout | null = null;
    type FromThread =
      | { kind: 'begin' }
      | { kind: 'answer'; id: number }
      | { kind: 'end'; entries: number; seconds: number; cpuSeconds: number; slowestBatchMs: number };
    thread.on('message', (message: FromThread) => {
      if (message.kind === 'begin') {
        asking = setInterval(() => {
          asked.set(asked.size, performance.now());
          thread.postMessage(asked.size - 1);
        }, 50);
      } else if (message.kind === 'answer') {
        waitedMs.push(performance.now() - asked.get(message.id)!);
      } else {
        const rows = tasks * (3 + casesPerTask);
        console.log(
          `${tasks} tasks with ${casesPerTask} cases, ${message.entries} entries in batches of ${entriesPerBatch}: ${message.seconds.toFixed(2)} s`,
        );
        console.log(
          `  ${Math.round(tasks / message.seconds)} settled tasks/s, about ${Math.round(rows / message.seconds)} rows/s`,
        );
        console.log(
          `  ${((message.cpuSeconds / tasks) * 1e6).toFixed(1)} us of CPU a task (whole process), slowest batch ${message.slowestBatchMs.toFixed(0)} ms`,
        );
      }
    });
    await new Promise<void>((resolve, reject) => {
      thread.on('error', reject);
      thread.on('exit', () => resolve());
    });
    if (asking) clearInterval(asking);
    waitedMs.sort((a, b) => a - b);
    const at = (share: number): string => (waitedMs[Math.floor(share * (waitedMs.length - 1))] ?? NaN).toFixed(1);
    console.log(
      `  list of 50 runs asked every 50 ms meanwhile: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${waitedMs.length} answers)`,
    );
    console.log(
      `  file ${(statSync(path).size / 1_048_576).toFixed(1)} MiB: ${Math.round(statSync(path).size / tasks)} bytes a task`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (isMainThread) await main();
else await applyAll(workerData as Settings);
