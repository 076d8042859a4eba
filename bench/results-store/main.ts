// The results store against its bars: measurements taken in a second (bar 100,000), a million cases merged into one report (bar 60 s and
// 512 MiB resident), and a dashboard's questions over ten million cases (bar 300 ms at p95 on two cores).
//   node bench/results-store/main.ts [--measurements N] [--merge CASES] [--history CASES] [--rounds N]
// A part of size 0 is left out. The merge runs in a process of its own, whose resident memory it prints. The history is laid down by
// SQL, in runs of 10,000 cases over 200 revisions, and asked through the store as a coordinator asks it.
import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Case, RunId } from '@assay/protocol';
import { openDuckDbResultStore } from '../../packages/coordinator/src/adapters/results-duckdb/store.ts';
import type { ResultStore } from '../../packages/coordinator/src/ports/result-store.ts';
import { JournalStory } from '../../packages/coordinator/src/results/journal-story.ts';
import { describeMachine, printMachine } from '../machine.ts';

const { values } = parseArgs({
  options: {
    measurements: { type: 'string', default: '500000' },
    merge: { type: 'string', default: '1000000' },
    history: { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '20' },
    read: { type: 'string' },
  },
});
const perRun = 10_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

if (values.read === undefined) await measureAll();
else await mergeOne(values.read);

async function measureAll(): Promise<void> {
  printMachine(describeMachine());
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-results-'));
  try {
    const [measurements, merge, history] = [values.measurements, values.merge, values.history].map(Number);
    if (measurements) await takeMeasurements(join(folder, 'measurements.duckdb'), measurements);
    if (merge) await mergeCases(join(folder, 'merge.duckdb'), merge);
    if (history) await askHistory(join(folder, 'history.duckdb'), history, Number(values.rounds));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From journal entries to committed rows: twenty samples a case, as benchmarks with repetitions have them. */
async function takeMeasurements(path: string, wanted: number): Promise<void> {
  const store = await openDuckDbResultStore({ path });
  const story = new JournalStory();
  const perCase = 20;
  let done = 0;
  const cpu = process.cpuUsage();
  let spentMs = 0;
  for (let run = 0; done < wanted; run += 1) {
    const files = Array.from({ length: 10 }, (_, file) =>
      Array.from({ length: 50 }, (_unused, at) => caseOf(file * 50 + at, perCase)),
    );
    story.import(`i-${run}` as RunId, 'bench', files);
    const startMs = performance.now();
    await store.apply(story.entries.splice(0).map((entry) => ({ ...entry, seq: run + 1 })));
    spentMs += performance.now() - startMs;
    done += 500 * perCase;
  }
  const { user, system } = process.cpuUsage(cpu);
  await store.close();
  const rate = (done / spentMs) * 1_000;
  say(
    `measurements: ${done} in ${(spentMs / 1_000).toFixed(1)} s, ${rate.toFixed(0)} a second (bar 100000), ${((user + system) / done).toFixed(2)} us of CPU each`,
  );
}

function caseOf(at: number, samples: number): Case {
  const one: Case = { path: ['group', `case ${at}`], status: at % 97 === 0 ? 'failed' : 'passed', durationMs: at % 13 };
  if (samples === 0) return one;
  const measurements = Array.from({ length: samples }, (_, sample) => ({
    metric: 'time',
    unit: 'ms',
    value: 10 + ((at * 7 + sample * 3) % 11) / 10,
    direction: 'lower' as const,
  }));
  return { ...one, measurements };
}

async function mergeCases(path: string, wanted: number): Promise<void> {
  const store = await openDuckDbResultStore({ path });
  const story = new JournalStory();
  const files = Math.ceil(wanted / 500);
  // One run; in parts, since an entry of a million cases is never journalled as one.
  story.import('i-0' as RunId, 'bench', [[caseOf(0, 0)]]);
  await store.apply(story.entries.splice(0));
  await store.close();
  const instance = await DuckDBInstance.create(path, { threads: '1' });
  const connection = await instance.connect();
  await connection.run(
    `INSERT INTO cases SELECT 'i-0', (i // 500 + 1)::INTEGER, 1, (i % 500)::INTEGER, '["group","case ' || i || '"]',
       CASE WHEN i % 97 = 0 THEN 'failed' ELSE 'passed' END, i % 13, CASE WHEN i % 97 = 0 THEN 'expected 1, got 2' END, NULL, NULL, NULL
     FROM range($cases) r(i)`,
    { cases: files * 500 },
  );
  connection.closeSync();
  instance.closeSync();
  const child = spawnSync(process.execPath, [import.meta.filename, '--read', path], {
    encoding: 'utf8',
    timeout: 300_000,
  });
  say(
    child.status === 0 ? child.stdout.trim() : `merge: did not end (${child.status ?? child.signal}) ${child.stderr}`,
  );
}

/** Every case of the run as JSON lines, page by page, as `assay report --format jsonl` writes it. */
async function mergeOne(path: string): Promise<void> {
  const store = await openDuckDbResultStore({ path, memoryMiB: 128 });
  const startMs = performance.now();
  let count = 0;
  async function* lines(): AsyncGenerator<string> {
    for (let after: string | undefined; ;) {
      const page = await store.listCases({ run: 'i-0', limit: 1_000, ...(after === undefined ? {} : { after }) });
      for (const row of page.cases) {
        count += 1;
        yield `${JSON.stringify(row)}\n`;
      }
      if (page.next === null) return;
      after = page.next;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(`${path}.jsonl`));
  const seconds = (performance.now() - startMs) / 1_000;
  await store.close();
  const residentMiB = process.resourceUsage().maxRSS / 1_024;
  say(
    `merge: ${count} cases in ${seconds.toFixed(1)} s (bar 60), ${residentMiB.toFixed(0)} MiB resident at most (bar 512), ${(statSync(`${path}.jsonl`).size / 2 ** 20).toFixed(0)} MiB written`,
  );
}

async function askHistory(path: string, wanted: number, rounds: number): Promise<void> {
  await (await openDuckDbResultStore({ path })).close();
  const runs = Math.ceil(wanted / perRun);
  await layDown(path, runs);
  const store = await openDuckDbResultStore({ path, memoryMiB: 2_048, threads: 2 });
  say(`history: ${runs * perRun} cases in ${runs} runs, ${(statSync(path).size / 2 ** 20).toFixed(0)} MiB`);
  const middle = `r-${Math.floor(runs / 2)}`;
  const questions: Record<string, (store: ResultStore) => Promise<unknown>> = {
    'newest runs': (one) => one.listRuns({ limit: 50 }),
    'one run': (one) => one.readRun(middle),
    'its tasks': (one) => one.listTasks({ run: middle, limit: 100 }),
    'its failures': (one) => one.listCases({ run: middle, status: 'failed', limit: 100 }),
    'its cases': (one) => one.listCases({ run: middle, limit: 100 }),
    'failures by worker, 20 newest runs': (one) =>
      one.query({
        sql: "WITH n AS (SELECT run FROM runs ORDER BY seq DESC LIMIT 20) SELECT a.worker, count(*) FROM cases c JOIN n USING (run) JOIN attempts a USING (run, task_index, attempt) WHERE c.status = 'failed' GROUP BY ALL",
        rowsMax: 100,
      }),
    'flaky at one revision, all history': (one) =>
      one.query({
        sql: "SELECT t.target, c.path, count(*) FILTER (c.status = 'failed') AS bad FROM cases c JOIN tasks t USING (run, task_index) GROUP BY ALL HAVING bad > 0 AND bad < count(*) ORDER BY bad DESC LIMIT 20",
        rowsMax: 100,
      }),
    'pass rate a day, all history': (one) =>
      one.query({
        sql: 'SELECT submitted_at_ms // 86400000 AS day, sum(cases_passed), sum(cases_failed) FROM runs GROUP BY ALL ORDER BY day',
        rowsMax: 1_000,
      }),
  };
  for (const [name, ask] of Object.entries(questions)) {
    const tookMs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const startMs = performance.now();
      const failed = await ask(store).then(() => null, String);
      if (failed !== null) {
        say(`question: ${name}: ${failed}`);
        break;
      }
      tookMs.push(performance.now() - startMs);
    }
    tookMs.sort((a, b) => a - b);
    const at = (share: number): string =>
      (tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))] ?? NaN).toFixed(0);
    if (tookMs.length > 0) say(`question: ${name}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms (bar 300)`);
  }
  await store.close();
}

/** A hundred files of a hundred cases a run; one case in 97 failed, others in turn. */
async function layDown(path: string, runs: number): Promise<void> {
  const instance = await DuckDBInstance.create(path, { threads: '2', memory_limit: '2GiB' });
  const connection = await instance.connect();
  const bound = { runs };
  await connection.run(
    `INSERT INTO runs SELECT 'r-' || i, i, 'bench', 'nightly', 'bench', 0, '{"revision":"' || (i % 200) || '"}', 'settled', 'failed', true, false,
       1.7e12 + i * 3.6e6, 1.7e12 + i * 3.6e6, 1.7e12 + i * 3.6e6 + 6e4, 100, 0, 0, 0, 100, '{"failed":100}', 9897, 103, 0, 0, '[]' FROM range($runs) r(i)`,
    bound,
  );
  await connection.run(
    "INSERT INTO suites SELECT 'r-' || i, 0, 'unit', 'vitest', '', '' FROM range($runs) r(i)",
    bound,
  );
  await connection.run(
    "INSERT INTO tasks SELECT 'r-' || i, t, 0, 'test/file-' || t || '.test.ts', NULL, 1.7e12 + i * 3.6e6 FROM range($runs) r(i), range(100) s(t) ORDER BY i, t",
    bound,
  );
  await connection.run(
    `INSERT INTO attempts BY NAME SELECT 'r-' || i AS run, t::INTEGER AS task_index, 1 AS attempt, 'w-' || (t % 8) AS worker, 1.7e12 + i * 3.6e6 + 5e4 AS settled_at_ms,
       'failed' AS verdict, 99 AS cases_passed, 1 AS cases_failed, 0 AS cases_skipped, 0 AS cases_todo, i AS seq FROM range($runs) r(i), range(100) s(t) ORDER BY i, t`,
    bound,
  );
  await connection.run(
    `INSERT INTO cases SELECT 'r-' || i, t, 1, o, '["group","case ' || o || '"]', CASE WHEN (i + t * 100 + o) % 97 = 0 THEN 'failed' ELSE 'passed' END,
       (t * o) % 13, CASE WHEN (i + t * 100 + o) % 97 = 0 THEN 'expected 1, got 2' END, NULL, NULL, NULL
     FROM range($runs) r(i), range(100) s(t), range(100) q(o) ORDER BY i, t, o`,
    bound,
  );
  connection.closeSync();
  instance.closeSync();
}
