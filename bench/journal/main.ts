// How fast the journal takes entries: durable group commits through the thread, as the driver makes them. Prints only.
//   node bench/journal/main.ts [directory]
// Entries are those of one finished task (started, finished; about 1 KB of JSON), the commonest there are.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { SessionId, TaskId, WorkerId } from '@assay/protocol';
import {
  openSqliteJournal,
  type SqliteJournal,
} from '../../packages/coordinator/src/adapters/journal-sqlite/journal.ts';
import type { JournalEntry } from '../../packages/coordinator/src/ports/journal.ts';

const worker = 'w-benchbench' as WorkerId;
const session = 's-benchbench' as SessionId;
const counts = { passed: 1, failed: 0, skipped: 0, todo: 0 };

function entryOfOneTask(seq: number): JournalEntry {
  const about = { task: `r-benchbench.${seq}` as TaskId, attempt: 1 };
  const outcome = {
    verdict: 'passed',
    counts,
    casesReported: 1,
    startedAtMs: 1e12,
    endedAtMs: 1e12 + 5,
    costMs: 5,
  } as const;
  return {
    seq,
    atMs: Date.now(),
    input: {
      kind: 'workerReported',
      worker,
      session,
      reports: [
        { kind: 'started', seq: seq * 2, ...about, atMs: 1e12 },
        { kind: 'finished', seq: seq * 2 + 1, ...about, outcome },
      ],
    },
    events: [
      { kind: 'attemptStarted', ...about, worker, atMs: 1e12 },
      { kind: 'attemptSettled', ...about, worker, verdict: 'passed', counts, costMs: 5, next: { kind: 'settle' } },
      { kind: 'taskSettled', task: about.task, verdict: 'passed' },
      { kind: 'reportsAccepted', worker, session, seq: seq * 2 + 1 },
    ],
  };
}

/** Appends `total` entries in batches with two appends under way, as the driver does. */
async function measure(journal: SqliteJournal, total: number, perBatch: number): Promise<string> {
  const entries = Array.from({ length: total }, (_, index) => entryOfOneTask(journal.lastSeq() + 1 + index));
  const latencies: number[] = [];
  const lag = monitorEventLoopDelay({ resolution: 1 });
  lag.enable();
  const cpu = process.threadCpuUsage();
  const start = performance.now();
  await new Promise<void>((resolve, reject) => {
    let at = 0;
    let done = 0;
    const append = (): void => {
      if (at >= total) return;
      const batch = entries.slice(at, at + perBatch);
      at += batch.length;
      const sentAt = performance.now();
      journal.append(batch, (error) => {
        if (error !== null) return reject(error);
        latencies.push(performance.now() - sentAt);
        done += batch.length;
        if (done === total) resolve();
        else append();
      });
    };
    append();
    append();
  });
  const seconds = (performance.now() - start) / 1000;
  const used = process.threadCpuUsage(cpu);
  lag.disable();
  latencies.sort((a, b) => a - b);
  const p = (share: number): string => (latencies[Math.floor((latencies.length - 1) * share)] ?? 0).toFixed(2);
  return [
    `batch ${String(perBatch).padStart(4)}`,
    `${Math.round(total / seconds)} entries/s`,
    `durable p50 ${p(0.5)} ms, p99 ${p(0.99)} ms`,
    `loop's CPU ${((used.user + used.system) / total).toFixed(1)} us/entry`,
    `loop lag p99 ${(lag.percentile(99) / 1e6).toFixed(1)} ms`,
  ].join('  ');
}

const parent = process.argv[2] ?? tmpdir();
const place = mkdtempSync(join(parent, 'assay-bench-journal-'));
try {
  const journal = openSqliteJournal({ stateDirectory: place });
  await measure(journal, 5_000, 100);
  for (const [total, perBatch] of [
    [2_000, 1],
    [40_000, 20],
    [100_000, 100],
    [200_000, 500],
  ] as const) {
    console.log(await measure(journal, total, perBatch));
  }
  await journal.close();
} finally {
  rmSync(place, { recursive: true, force: true });
}
