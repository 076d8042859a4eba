// The whole coordinator as a real process, killed and started again, with workers over real sockets.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { CaseList, Health, RunView, TaskList } from '@assay/protocol';
import type { CoordinatorOptions } from './main.ts';
import { someSpec } from './testing/rig.ts';
import { WireWorker } from './testing/wire-worker.ts';

const program = fileURLToPath(new URL('testing/serve.ts', import.meta.url));
const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function makePlace(): string {
  const place = mkdtempSync(join(tmpdir(), 'assay-coordinator-'));
  cleanups.push(() => rmSync(place, { recursive: true, force: true }));
  return place;
}

type Running = { child: ChildProcess; url: string; log: string[]; exit: Promise<unknown[]> };

async function start(place: string, options: Partial<CoordinatorOptions> = {}): Promise<Running> {
  const child = spawn(process.execPath, [program, place, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = once(child, 'exit');
  cleanups.push(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  const log: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => log.push(line));
  const first = await Promise.race([once(createInterface({ input: child.stdout! }), 'line'), exit.then(() => null)]);
  if (first === null) throw new Error(`the coordinator did not start:\n${log.join('\n')}`);
  return { child, url: (JSON.parse(first[0] as string) as { url: string }).url, log, exit };
}

async function kill(running: Running, signal: NodeJS.Signals): Promise<unknown[]> {
  running.child.kill(signal);
  return await running.exit;
}

async function get<Value>(url: string, path: string, schema: { parse(value: unknown): Value }): Promise<Value> {
  const response = await fetch(`${url}/api/v1${path}`);
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}`);
  return schema.parse(body);
}

async function submit(url: string, key: string, targets: number): Promise<string> {
  const tasks = Array.from({ length: targets }, (_, index) => ({ suite: 0, target: `test/${index}.test.ts` }));
  const response = await fetch(`${url}/api/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ idempotencyKey: key, run: someSpec, tasks, sealed: true }),
  });
  const body = (await response.json()) as { run: string };
  if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(body)}`);
  return body.run;
}

/** Asks until the answer is as wanted; fails with the last answer. */
async function until<Value>(
  ask: () => Promise<Value>,
  isWanted: (value: Value) => boolean,
  limitMs = 30_000,
): Promise<Value> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const value = await ask().catch((error: unknown) => error as Value);
    if (!(value instanceof Error) && isWanted(value)) return value;
    if (performance.now() > endMs)
      throw new Error(`waited ${limitMs} ms; last: ${value instanceof Error ? value.message : JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function work(url: string, worker: string, over: { slots?: number; taskMs?: number } = {}): WireWorker {
  const wire = new WireWorker({ url, worker, slots: 4, ...over });
  cleanups.push(() => wire.stop());
  return wire;
}

const settled = (run: RunView): boolean => run.state === 'settled';

async function allCases(url: string, run: string): Promise<CaseList['cases']> {
  const cases: CaseList['cases'] = [];
  let after = '';
  for (;;) {
    const page = await get(url, `/runs/${run}/cases?limit=500${after}`, CaseList);
    cases.push(...page.cases);
    if (page.next === null) return cases;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}

test('a run settles, its rows reach the results, it leaves the engine, and it is still there after a clean restart', async () => {
  const place = makePlace();
  const first = await start(place);
  work(first.url, 'w-1');
  work(first.url, 'w-2');
  const run = await submit(first.url, 'key-one-run', 300);
  await until(() => get(first.url, `/runs/${run}`, RunView), settled);
  await until(
    () => get(first.url, '/health', Health),
    (health) => health.resultsSeq === health.journalSeq,
  );
  const cases = await allCases(first.url, run);
  expect(new Set(cases.map((row) => row.task)).size).toBe(300);
  expect(cases).toHaveLength(300);
  expect(await kill(first, 'SIGTERM')).toEqual([0, null]);
  expect(readdirSync(join(place, 'journal')).every((name) => name.endsWith('.sqlite'))).toBe(true);
  const second = await start(place);
  expect(await get(second.url, `/runs/${run}`, RunView)).toMatchObject({
    state: 'settled',
    verdict: 'passed',
    tasks: { total: 300, settled: 300 },
  });
  expect((await get(second.url, `/runs/${run}/tasks?limit=500`, TaskList)).tasks).toHaveLength(300);
  // It came from the results: the engine had let it go before the stop.
  const [serving] = await until(
    async () => second.log.filter((line) => line.includes('"serving"')),
    (lines) => lines.length === 1,
  );
  expect(JSON.parse(serving!)).toMatchObject({ runs: 0 });
  // The same submission again is the same run, also now that it is history.
  expect(await submit(second.url, 'key-one-run', 300)).toBe(run);
});

test('a coordinator that is killed again and again in the middle of a run loses nothing and records every case once', async () => {
  const place = makePlace();
  let running = await start(place, { port: 0, snapshots: { everyBytes: 100_000 }, engine: { recoveryGraceMs: 5_000 } });
  const port = Number(new URL(running.url).port);
  const workers = ['w-1', 'w-2', 'w-3'].map((worker) => work(running.url, worker, { taskMs: 4 }));
  const run = await submit(running.url, 'key-killed', 2_000);
  for (const share of [0.1, 0.35, 0.6, 0.8]) {
    await until(
      () => get(running.url, `/runs/${run}`, RunView),
      (view) => view.tasks.settled >= 2_000 * share,
    );
    await kill(running, 'SIGKILL');
    running = await start(place, { port, snapshots: { everyBytes: 100_000 }, engine: { recoveryGraceMs: 5_000 } });
  }
  const view = await until(() => get(running.url, `/runs/${run}`, RunView), settled, 60_000);
  expect(view).toMatchObject({
    verdict: 'passed',
    tasks: { total: 2_000, settled: 2_000, verdicts: { passed: 2_000 } },
  });
  await until(
    () => get(running.url, '/health', Health),
    (health) => health.resultsSeq === health.journalSeq,
  );
  const final = (await allCases(running.url, run)).filter((row) => row.isFinal);
  expect(final).toHaveLength(2_000);
  expect(new Set(final.map((row) => row.task)).size).toBe(2_000);
  expect(workers.every((worker) => worker.refusal === null)).toBe(true);
  // Two are kept; a new one is named before the oldest is taken away, so that there are three for a moment. A kill may
  // have met every one but the last while it was written: then there is one.
  const names = await until(
    async () => readdirSync(join(place, 'snapshots')),
    (files) => files.length <= 2 && files.every((name) => name.endsWith('.json')),
  );
  expect(names.length).toBeGreaterThan(0);
});

test('a second coordinator on the same state directory is refused by name', async () => {
  const place = makePlace();
  await start(place);
  await expect(start(place)).rejects.toThrow(/STATE_IN_USE/);
});

test('results that cannot be written hold up nothing; they are said in health and written once they can be', async () => {
  const place = makePlace();
  const file = join(place, 'results.duckdb');
  const holder = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { DuckDBInstance } from '@duckdb/node-api'; const db = await DuckDBInstance.create(process.argv[1]); await (await db.connect()).run('CREATE TABLE migrations (version INTEGER, name VARCHAR)'); console.log('held'); setInterval(() => db, 1e6);`,
      file,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: fileURLToPath(new URL('.', import.meta.url)) },
  );
  cleanups.push(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  const running = await start(place);
  work(running.url, 'w-1');
  const run = await submit(running.url, 'key-no-results', 20);
  await until(() => get(running.url, `/runs/${run}`, RunView), settled);
  const health = await get(running.url, '/health', Health);
  expect(health).toMatchObject({ resultsSeq: 0, resultsError: expect.stringMatching(/RESULTS_UNAVAILABLE/) });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  rmSync(file, { force: true });
  rmSync(`${file}.wal`, { force: true });
  await until(
    () => get(running.url, '/health', Health),
    (now) => now.resultsError === null && now.resultsSeq === now.journalSeq,
  );
  expect(await allCases(running.url, run)).toHaveLength(20);
});

/** A small file system, or null where none may be mounted. */
function mountSmallDisk(mebibytes: number): string | null {
  const disk = join(makePlace(), 'disk');
  mkdirSync(disk);
  const isMounted =
    process.platform === 'linux' &&
    spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', disk]).status === 0;
  if (!isMounted) return null;
  cleanups.push(() => void spawnSync('umount', [disk]));
  return disk;
}

test('on a full disk the coordinator stops by name, and when there is room again every accepted run is there', async (context) => {
  const disk = mountSmallDisk(16);
  if (disk === null) {
    if (process.env['ASSAY_REQUIRE_ALL'] === '1')
      throw new Error('a tmpfs could not be mounted, and ASSAY_REQUIRE_ALL=1');
    return context.skip('SKIPPED: mounting a small disk needs root on Linux');
  }
  const first = await start(disk);
  const accepted: string[] = [];
  const failure = await (async (): Promise<unknown> => {
    for (let round = 0; round < 1_000; round += 1) {
      try {
        accepted.push(await submit(first.url, `key-full-${round}`, 1_000));
      } catch (error) {
        return error;
      }
    }
    return null;
  })();
  expect(failure).not.toBe(null);
  expect(await first.exit).toEqual([70, null]);
  expect(first.log.join('\n')).toMatch(/JOURNAL_WRITE_FAILED/);
  expect(accepted.length).toBeGreaterThan(20);
  expect(spawnSync('mount', ['-o', 'remount,size=200m', disk]).status).toBe(0);
  const second = await start(disk);
  for (const run of accepted)
    expect(await get(second.url, `/runs/${run}`, RunView)).toMatchObject({ tasks: { total: 1_000, queued: 1_000 } });
});

test('a results database of a newer version stops the start by name and is left as it was', async () => {
  const place = makePlace();
  await kill(await start(place), 'SIGTERM');
  const file = join(place, 'results.duckdb');
  const script = `import { DuckDBInstance } from '@duckdb/node-api'; const db = await DuckDBInstance.create(process.argv[1]); const c = await db.connect(); await c.run("INSERT INTO migrations VALUES (99, 'of the future')"); c.closeSync(); db.closeSync();`;
  expect(
    spawnSync(process.execPath, ['--input-type=module', '-e', script, file], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    }).status,
  ).toBe(0);
  const before = readFileSync(file);
  await expect(start(place)).rejects.toThrow(/RESULTS_NEWER/);
  expect(readFileSync(file).equals(before)).toBe(true);
});

test('a journal whose last page was torn by a crash costs no accepted run, says so by name, and a submission that is repeated is the run that it was', async () => {
  const place = makePlace();
  const first = await start(place);
  const run = await submit(first.url, 'key-torn-tail', 20);
  expect(await submit(first.url, 'key-torn-tail', 20)).toBe(run);
  await kill(first, 'SIGKILL');
  const folder = join(place, 'journal');
  const name = readdirSync(folder).find((file) => file.endsWith('-wal')) as string;
  const log = readFileSync(join(folder, name));
  // What was being written when the power went: a page that is there in part, behind what had been acknowledged.
  appendFileSync(join(folder, name), log.subarray(-4_120, -1_000));
  const second = await start(place);
  expect(await submit(second.url, 'key-torn-tail', 20)).toBe(run);
  work(second.url, 'w-1');
  await until(() => get(second.url, `/runs/${run}`, RunView), settled);
  expect(second.log.join('\n')).toMatch(/never acknowledged/);
  const cases = await until(
    () => allCases(second.url, run),
    (found) => found.length > 0,
  );
  expect(new Set(cases.map((one) => `${one.target} ${one.case.path.join()}`)).size).toBe(cases.length);
});
