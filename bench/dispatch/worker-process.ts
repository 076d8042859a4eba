// Workers of the dispatch benchmark, all in one process: the agent's real connection machine, link and driver, a spool in memory,
// and an executor that does nothing but report `started` and `finished` of each task.
import { SessionDriver } from '../../packages/agent/src/session-driver.ts';
import { createSession } from '../../packages/agent/src/session/session.ts';
import { createMemorySpool } from '../../packages/agent/src/spool/memory-spool.ts';
import type { Assign, AttemptOutcome, Profile, WorkerId } from '@assay/protocol';
import type { ReportBody } from '../../packages/agent/src/spool/spool.ts';
import { productVersion } from '@assay/protocol';
import { sharedNowMs } from '../peers/measure.ts';
import { quantile } from '../statistics.ts';

export type WorkersMessage =
  | { kind: 'connected'; workers: number }
  | { kind: 'assigned'; atMs: number }
  | { kind: 'usage'; cpuMs: number; turnaroundMs: { p50: number; p99: number }; shares: Shares };
/** How evenly the workers of this process were served: links that broke, tasks of the least and the most used worker. */
export type Shares = { brokenLinks: number; leastTasks: number; mostTasks: number; longestWait: LongestWait };
/** The longest time from a finished task to the next, and whether that worker's link broke meanwhile. */
export type LongestWait = { ms: number; isLinkBroken: boolean };
export type WorkersOrder = { kind: 'tellUsage' };

const [url = '', token = '', count = '4', slots = '16', firstNumber = '0'] = process.argv.slice(2);
const tell = (message: WorkersMessage): void => void process.send?.(message);
let connected = 0;
let brokenLinks = 0;
const tasksOf = new Map<WorkerId, number>();
let longestWait: LongestWait = { ms: 0, isLinkBroken: false };
/** From a worker's last report to its next assignment: the latest of them. */
const turnaroundsMs: number[] = [];
const turnaroundsMax = 50_000;
let turnaroundAt = 0;

const profile: Profile = {
  os: { family: process.platform, arch: process.arch },
  cpu: {},
  memory: {},
  runtimes: {},
  runners: {},
  browsers: [],
  drivers: {},
  unknown: [],
};

for (let index = 0; index < Number(count); index++)
  startWorker(`w-bench${String(Number(firstNumber) + index).padStart(6, '0')}` as WorkerId);

function startWorker(worker: WorkerId): void {
  const spool = createMemorySpool();
  let endedAtMs: number | null = null;
  let isLinkBroken = false;
  const driver = new SessionDriver({
    state: createSession({
      offer: {
        agentVersion: productVersion,
        worker,
        incarnation: `i-${process.pid}`,
        name: worker,
        pool: 'default',
        slots: Number(slots),
        profile,
        profileDigest: 'bench',
        declared: {},
      },
      pending: [],
      nextSeq: 0,
      seed: 1,
    }),
    link: { url, token, ca: null },
    perform: (output) => {
      if (output.kind === 'deliverAssign') {
        tasksOf.set(worker, (tasksOf.get(worker) ?? 0) + output.assign.tasks.length);
        if (endedAtMs !== null) {
          const ms = performance.now() - endedAtMs;
          turnaroundsMs[turnaroundAt++ % turnaroundsMax] = ms;
          if (ms > longestWait.ms) longestWait = { ms, isLinkBroken };
        }
        isLinkBroken = false;
        execute(output.assign, report);
        endedAtMs = performance.now();
      }
      if (output.kind === 'dropSpool') spool.dropThrough(output.throughSeq);
      else if (output.kind === 'stop') throw new Error(`${worker}: ${output.reason} ${output.error?.message ?? ''}`);
    },
    connected: (isConnected) => {
      connected += isConnected ? 1 : -1;
      if (!isConnected) {
        brokenLinks += 1;
        isLinkBroken = true;
      }
      if (connected === Number(count)) tell({ kind: 'connected', workers: connected });
    },
  });
  const report = (body: ReportBody): void =>
    driver.input({ kind: 'reportAdded', report: spool.append(body), isReady: true });
  driver.input({ kind: 'started' });
}

/** The executor: each task is over as soon as it came. */
function execute(assign: Assign, report: (body: ReportBody) => void): void {
  const atMs = Math.round(sharedNowMs());
  if (assign.tasks[0]?.target === 'idle') tell({ kind: 'assigned', atMs: sharedNowMs() });
  const outcome: AttemptOutcome = {
    verdict: 'passed',
    counts: { passed: 1, failed: 0, skipped: 0, todo: 0 },
    casesReported: 0,
    startedAtMs: atMs,
    endedAtMs: atMs,
    costMs: 0,
  };
  for (const { task, attempt } of assign.tasks) {
    report({ kind: 'started', task, attempt, atMs });
    report({ kind: 'finished', task, attempt, outcome });
  }
}

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const turnaroundMs = { p50: quantile(turnaroundsMs, 0.5), p99: quantile(turnaroundsMs, 0.99) };
  const counts = [...tasksOf.values()];
  const leastTasks = counts.length < Number(count) ? 0 : Math.min(...counts);
  const shares = { brokenLinks, leastTasks, mostTasks: Math.max(0, ...counts), longestWait };
  tell({ kind: 'usage', cpuMs: (user + system) / 1_000, turnaroundMs, shares });
});
process.once('disconnect', () => process.exit(0));
