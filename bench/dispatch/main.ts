// How fast tasks are handed out and settled: no-op tasks through the real coordinator process with its durable commits, beside
// BullMQ on Redis and graphile-worker on PostgreSQL doing the same, interleaved on the same machine, medians.
//   node bench/dispatch/main.ts [--tasks N] [--runs N] [--slots N] [--no-peers] [--no-memory] [--profile DIR]
// What always holds: a peer that is missing is said, and then there is no ratio to it; nothing is printed that was not measured.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, printMachine, writeResults } from '../machine.ts';
import { installPeers, peerVersion } from '../peers/install.ts';
import { medianOf, type Measurement } from '../peers/measure.ts';
import { type Server, startPostgres, startRedis } from '../peers/servers.ts';
import { type AssayMeasurement, measureAssay } from './assay.ts';
import { measureIdleWorkers, measureQueuedTasks } from './memory.ts';

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '100000' },
    runs: { type: 'string', default: '5' },
    slots: { type: 'string', default: '16' },
    peers: { type: 'boolean', default: true },
    memory: { type: 'boolean', default: true },
    profile: { type: 'string' },
  },
  allowNegative: true,
});
const tasks = Number(values.tasks);
const runs = Number(values.runs);
const idleSamples = 200;
const warmUpTasks = 20_000;
/** So that a run of BullMQ takes seconds and not a minute; its rate does not fall with fewer. */
const bullmqTasksMax = 20_000;
const graphileTasksMax = 100_000;

type Measure = (url: string, tasks: number, idleSamples: number) => Promise<Measurement>;
type Peer = {
  name: string;
  about: string;
  runs: Measurement[];
  measure(): Promise<Measurement>;
  stop(): Promise<void>;
};

/** Starts what there is; those started so far are in `peers`, also when it fails. */
async function openPeers(scratch: string, peers: Peer[]): Promise<void> {
  const trouble = installPeers();
  if (trouble !== null) {
    console.log(`no peers, so no ratios: ${trouble}`);
    return;
  }
  // By name at run time: the type check must pass where the peers are not installed.
  const load = async (file: string): Promise<Record<string, Measure>> =>
    (await import(new URL(`../peers/${file}`, import.meta.url).href)) as Record<string, Measure>;
  const { measureBullmq } = await load('bullmq.ts');
  const { measureGraphile } = await load('graphile.ts');
  if (measureBullmq === undefined || measureGraphile === undefined) throw new Error('a peer has no measurement');
  const add = (name: string, server: Server | string, measure: Measure, tasksMax: number): void => {
    if (typeof server === 'string') return console.log(`${name} is missing, so there is no ratio to it: ${server}`);
    const count = Math.min(tasks, tasksMax);
    peers.push({
      name,
      about: `${name} ${peerVersion(name)} on ${server.about}, ${count} tasks a run`,
      runs: [],
      measure: () => measure(server.url, count, idleSamples),
      stop: () => server.stop(),
    });
  };
  add('bullmq', await startRedis(join(scratch, 'redis')), measureBullmq, bullmqTasksMax);
  add('graphile-worker', await startPostgres(join(scratch, 'postgres')), measureGraphile, graphileTasksMax);
}

function line(name: string, measured: readonly Measurement[]): string {
  const rates = measured.map((one) => one.tasksPerSecond);
  const idle = measured.map((one) => one.idleMs);
  return [
    `${name.padEnd(16)} ${Math.round(medianOf(rates)).toString().padStart(7)} tasks/s (${rates.map((one) => Math.round(one)).join(', ')})`,
    `idle p50 ${medianOf(idle).toFixed(2)} ms (${idle.map((one) => one.toFixed(2)).join(', ')})`,
  ].join('   ');
}

async function measureAll(peers: readonly Peer[]): Promise<AssayMeasurement[]> {
  const ours: AssayMeasurement[] = [];
  const profiling = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
  for (let run = 0; run < runs; run++) {
    ours.push(
      await measureAssay({
        tasks,
        warmUpTasks,
        idleSamples,
        workers: 4,
        slots: Number(values.slots),
        coordinatorOptions: profiling,
        workerOptions: profiling,
      }),
    );
    for (const peer of peers) peer.runs.push(await peer.measure());
  }
  return ours;
}

function printAll(ours: readonly AssayMeasurement[], peers: readonly Peer[]): void {
  console.log(
    `\nassay: ${tasks} tasks a run after ${warmUpTasks} to warm up; journal synchronised at each commit; results store on`,
  );
  for (const peer of peers) console.log(peer.about);
  console.log('');
  console.log(line('assay', ours));
  for (const peer of peers) console.log(line(peer.name, peer.runs));
  const rate = medianOf(ours.map((one) => one.tasksPerSecond));
  for (const peer of peers) {
    const ratio = rate / medianOf(peer.runs.map((one) => one.tasksPerSecond));
    console.log(`assay / ${peer.name}: ${ratio.toFixed(1)}`);
  }
  const of = (pick: (one: AssayMeasurement) => number): string => medianOf(ours.map(pick)).toFixed(1);
  console.log(
    `CPU a task: coordinator ${of((one) => one.coordinatorCpuUs)} us (its loop ${of((one) => one.coordinatorLoopUs)} us), the four workers ${of((one) => one.workersCpuUs)} us; results store complete ${of((one) => one.resultsLagMs)} ms after the last task`,
  );
}

const machine = describeMachine();
printMachine(machine);
const scratch = mkdtempSync(join(tmpdir(), 'assay-bench-peers-'));
// PostgreSQL runs as its own user, who must be able to go through it.
chmodSync(scratch, 0o755);
const peers: Peer[] = [];
try {
  if (values.peers) await openPeers(scratch, peers);
  const ours = await measureAll(peers);
  printAll(ours, peers);
  const memory = values.memory
    ? { queuedTasks: await measureQueuedTasks(200_000), idleWorkers: await measureIdleWorkers(2_000) }
    : null;
  if (memory !== null) {
    const { queuedTasks, idleWorkers } = memory;
    console.log(
      `memory: ${queuedTasks.residentKiB.toFixed(2)} KiB a queued task (heap ${queuedTasks.heapKiB.toFixed(2)}, of ${queuedTasks.count}; bar 1.5); ${idleWorkers.residentKiB.toFixed(1)} KiB an idle worker (heap ${idleWorkers.heapKiB.toFixed(1)}, of ${idleWorkers.count}; bar 64)`,
    );
  }
  writeResults('dispatch', {
    machine,
    tasks,
    runs,
    assay: ours,
    peers: peers.map(({ name, about, runs: figures }) => ({ name, about, runs: figures })),
    memory,
  });
} finally {
  for (const peer of peers) await peer.stop();
  rmSync(scratch, { recursive: true, force: true });
}
