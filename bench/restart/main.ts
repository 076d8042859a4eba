// How long a coordinator with 100,000 queued tasks is away: a real process, killed with SIGKILL, started again on the same
// state directory, serving when its health answers and the tasks are all there. Prints only; the bar is 5 s.
//   node bench/restart/main.ts [tasks] [bytes between snapshots]
// Three restarts after SIGKILL fold the journal; a last one, after a clean stop, starts from a snapshot of everything.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { specOf, suiteOf } from '../../packages/core/src/testing/specs.ts';
import { describeMachine, printMachine, writeResults } from '../machine.ts';
import { median } from '../statistics.ts';

const serve = fileURLToPath(new URL('../../packages/coordinator/src/testing/serve.ts', import.meta.url));
const perRequest = 5_000;

async function start(
  place: string,
  everyBytes: number,
): Promise<{ child: ChildProcess; url: string; servingMs: number }> {
  const startedMs = performance.now();
  const options = JSON.stringify({ snapshots: { everyBytes } });
  const child = spawn(process.execPath, [serve, place, options], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  return { child, url, servingMs: performance.now() - startedMs };
}

async function post(url: string, body: unknown): Promise<{ run: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as { run: string };
}

function submission(total: number): { run: unknown; chunks: { suite: number; target: string }[][] } {
  const run = specOf({ name: 'restart', project: 'bench', suites: [suiteOf({ batching: 'shared' })] });
  const tasks = Array.from({ length: total }, (_, index) => ({
    suite: 0,
    target: `packages/part-${index % 97}/src/feature-${index}.test.ts`,
  }));
  const chunks = Array.from({ length: Math.ceil(total / perRequest) }, (_, chunk) =>
    tasks.slice(chunk * perRequest, (chunk + 1) * perRequest),
  );
  return { run, chunks };
}

async function submit(url: string, total: number): Promise<void> {
  const { run, chunks } = submission(total);
  const accepted = await post(`${url}/api/v1/runs`, {
    idempotencyKey: 'bench-restart',
    run,
    tasks: chunks[0],
    sealed: chunks.length === 1,
  });
  for (let chunk = 1; chunk < chunks.length; chunk += 1) {
    await post(`${url}/api/v1/runs/${accepted.run}/tasks`, {
      chunk,
      tasks: chunks[chunk],
      sealed: chunk === chunks.length - 1,
    });
  }
}

async function queuedTasks(url: string): Promise<number> {
  const response = await fetch(`${url}/api/v1/health`);
  return ((await response.json()) as { queuedTasks: number }).queuedTasks;
}

function residentMiB(child: ChildProcess): string {
  try {
    const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? 'unknown' : (Number(kib) / 1024).toFixed(0);
  } catch {
    return 'unknown';
  }
}

function newestSnapshotMiB(place: string): string {
  const newest = readdirSync(join(place, 'snapshots')).sort().at(-1);
  return newest === undefined ? '0' : (statSync(join(place, 'snapshots', newest)).size / 2 ** 20).toFixed(1);
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

type Round = { seconds: number; cpuSeconds: number; residentMiB: string; load: number };

/** Starts it again and again, ended each time by `signal`; prints each round, and the median and worst of several. */
async function rounds(what: string, signal: 'SIGKILL' | 'SIGTERM', count = 5): Promise<Round[]> {
  const done: Round[] = [];
  for (let number = 1; number <= count; number += 1) {
    const again = await start(place, everyBytes);
    const queued = await queuedTasks(again.url);
    if (queued !== total) throw new Error(`${queued} tasks queued after the restart, ${total} before`);
    const round = {
      seconds: again.servingMs / 1_000,
      cpuSeconds: cpuSecondsOf(again.child),
      residentMiB: residentMiB(again.child),
      load: loadavg()[0] ?? 0,
    };
    done.push(round);
    console.log(
      `${what}, round ${number}: serving after ${round.seconds.toFixed(2)} s (processor time ${round.cpuSeconds.toFixed(2)} s, load ${round.load.toFixed(1)}), resident ${round.residentMiB} MiB, newest snapshot ${newestSnapshotMiB(place)} MiB`,
    );
    await end(again.child, signal);
  }
  const times = done.map(({ seconds }) => seconds);
  if (count > 1)
    console.log(`${what}: median ${median(times).toFixed(2)} s, worst ${Math.max(...times).toFixed(2)} s of ${count}`);
  return done;
}

/** All threads of it, since it began: user and system, in clock ticks of 1/100 s (proc(5)). */
function cpuSecondsOf(child: ChildProcess): number {
  try {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}

const machine = describeMachine();
printMachine(machine);
const total = Number(process.argv[2] ?? 100_000);
const everyBytes = Number(process.argv[3] ?? 48 * 1024 * 1024);
const place = mkdtempSync(join(tmpdir(), 'assay-bench-restart-'));
try {
  const first = await start(place, everyBytes);
  const emptyMiB = residentMiB(first.child);
  const startedMs = performance.now();
  await submit(first.url, total);
  console.log(
    `submitted ${total} tasks in ${((performance.now() - startedMs) / 1000).toFixed(2)} s, resident ${emptyMiB} MiB empty, ${residentMiB(first.child)} MiB now`,
  );
  await end(first.child, 'SIGKILL');
  const killed = await rounds('after SIGKILL', 'SIGKILL');
  await rounds('once more, to be stopped cleanly', 'SIGTERM', 1);
  const stopped = await rounds('after a clean stop', 'SIGTERM');
  const worst = Math.max(...[...killed, ...stopped].map(({ seconds }) => seconds));
  console.log(`worst of all ${worst.toFixed(2)} s, goal 5 s: ${worst <= 5 ? 'met' : 'MISSED'}`);
  writeResults('restart', { machine, tasks: total, killed, stopped });
} finally {
  rmSync(place, { recursive: true, force: true });
}
