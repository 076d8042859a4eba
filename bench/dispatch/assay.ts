// Assay's side of the dispatch benchmark: no-op tasks through the real coordinator process over HTTP and WebSocket.
//   throughput  from the first submission (in chunks, through the client) to the answer that says the run is settled
//   idle        one task at a time: from the call that submits it to the assignment in the worker's process
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@assay/client';
import type { RunSubmission, Task } from '@assay/protocol';
import { medianOf, type Measurement, sharedNowMs } from '../peers/measure.ts';
import { type Child, startChild } from './child.ts';
import type { CoordinatorMessage, CoordinatorOrder } from './coordinator-process.ts';
import type { WorkersMessage, WorkersOrder } from './worker-process.ts';

export type AssayMeasurement = Measurement & {
  /** CPU of the coordinator's process (all threads; the loop's alone) and of the workers' process, for each task, in µs. */
  coordinatorCpuUs: number;
  coordinatorLoopUs: number;
  workersCpuUs: number;
  /** After the last task was settled: until the results store had everything. */
  resultsLagMs: number;
};

export type Coordinator = {
  url: string;
  client: Client;
  secret: string;
  usage(collectGarbage?: boolean): Promise<Extract<CoordinatorMessage, { kind: 'usage' }>>;
  stop(): Promise<void>;
};
export type Workers = Child<WorkersMessage, WorkersOrder>;

const chunk = 5_000;
const idlePauseMs = 5;

export async function startBenchCoordinator(nodeOptions: readonly string[] = []): Promise<Coordinator> {
  const stateDir = mkdtempSync(join(tmpdir(), 'assay-dispatch-'));
  const secret = randomBytes(16).toString('hex');
  const child = startChild<CoordinatorMessage, CoordinatorOrder>(
    new URL('coordinator-process.ts', import.meta.url),
    [stateDir, secret],
    nodeOptions,
  );
  const stop = async (): Promise<void> => {
    await child.stop();
    rmSync(stateDir, { recursive: true, force: true });
  };
  try {
    const { url } = await child.next('ready');
    return {
      url,
      secret,
      client: createClient({ url, token: secret }),
      usage: (collectGarbage = false) => {
        const told = child.next('usage');
        child.send({ kind: 'tellUsage', collectGarbage });
        return told;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export async function startWorkers(
  { url, secret }: Coordinator,
  count: number,
  slots: number,
  nodeOptions: readonly string[] = [],
  firstNumber = 0,
): Promise<Workers> {
  const script = new URL('worker-process.ts', import.meta.url);
  const settings = [count, slots, firstNumber].map(String);
  const workers: Workers = startChild(script, [url, secret, ...settings], nodeOptions);
  try {
    await workers.next('connected');
    return workers;
  } catch (error) {
    await workers.stop();
    throw error;
  }
}

export type AssaySettings = {
  tasks: number;
  /** Done before anything is measured: a coordinator runs for weeks, and its code is compiled in its first seconds. */
  warmUpTasks: number;
  idleSamples: number;
  workers: number;
  slots: number;
  coordinatorOptions: readonly string[];
  workerOptions: readonly string[];
};

export async function measureAssay(settings: AssaySettings): Promise<AssayMeasurement> {
  const coordinator = await startBenchCoordinator(settings.coordinatorOptions);
  try {
    const workers = await startWorkers(coordinator, settings.workers, settings.slots, settings.workerOptions);
    try {
      if (settings.warmUpTasks > 0) await measureThroughput(coordinator, workers, settings.warmUpTasks);
      const throughput = await measureThroughput(coordinator, workers, settings.tasks);
      return { ...throughput, idleMs: await measureIdle(coordinator.client, workers, settings.idleSamples) };
    } finally {
      await workers.stop();
    }
  } finally {
    await coordinator.stop();
  }
}

async function measureThroughput(
  coordinator: Coordinator,
  workers: Workers,
  tasks: number,
): Promise<Omit<AssayMeasurement, 'idleMs'>> {
  const { client } = coordinator;
  const before = await usages(coordinator, workers);
  const startedAtMs = sharedNowMs();
  const run = await submitTasks(client, tasks);
  for (;;) {
    const view = await client.readRun(run);
    if (view.state === 'settled') {
      if (view.verdict !== 'passed' || view.cases.passed !== tasks)
        throw new Error(`of ${tasks} tasks: ${JSON.stringify(view.tasks)}, cases ${JSON.stringify(view.cases)}`);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const settledAtMs = sharedNowMs();
  const after = await usages(coordinator, workers);
  for (;;) {
    const { journalSeq, resultsSeq } = await client.health();
    if (resultsSeq >= journalSeq) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const perTaskUs = (ms: number): number => (ms * 1_000) / tasks;
  return {
    tasksPerSecond: (tasks * 1_000) / (settledAtMs - startedAtMs),
    coordinatorCpuUs: perTaskUs(after.coordinator.cpuMs - before.coordinator.cpuMs),
    coordinatorLoopUs: perTaskUs(after.coordinator.mainThreadCpuMs - before.coordinator.mainThreadCpuMs),
    workersCpuUs: perTaskUs(after.workersCpuMs - before.workersCpuMs),
    resultsLagMs: sharedNowMs() - settledAtMs,
  };
}

/** Submits no-op tasks in chunks and returns the run's id. */
export async function submitTasks(client: Client, tasks: number): Promise<string> {
  const first = Math.min(chunk, tasks);
  const accepted = await client.submitRun(submissionOf(tasksFrom(0, first), first === tasks));
  for (let at = first, number = 1; at < tasks; at += chunk, number += 1) {
    const length = Math.min(chunk, tasks - at);
    await client.addTasks(accepted.run, { chunk: number, tasks: tasksFrom(at, length), sealed: at + length >= tasks });
  }
  return accepted.run;
}

async function measureIdle(client: Client, workers: Workers, samples: number): Promise<number> {
  const idle: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const assigned = workers.next('assigned');
    const askedAtMs = sharedNowMs();
    await client.submitRun(submissionOf([{ suite: 0, target: 'idle' }], true));
    idle.push((await assigned).atMs - askedAtMs);
    await new Promise((resolve) => setTimeout(resolve, idlePauseMs));
  }
  return medianOf(idle);
}

async function usages(coordinator: Coordinator, workers: Workers) {
  const told = workers.next('usage');
  workers.send({ kind: 'tellUsage' });
  return { coordinator: await coordinator.usage(), workersCpuMs: (await told).cpuMs };
}

function tasksFrom(first: number, length: number): Task[] {
  return Array.from({ length }, (_, index) => ({ suite: 0, target: `t${first + index}` }));
}

export function submissionOf(tasks: Task[], sealed: boolean): RunSubmission {
  return {
    idempotencyKey: randomBytes(8).toString('hex'),
    run: {
      name: 'dispatch',
      project: 'bench',
      priority: 0,
      source: { kind: 'directory', path: '/nowhere' },
      suites: [
        {
          name: 'noop',
          runner: 'command',
          directory: '',
          arguments: ['true'],
          env: {},
          secrets: [],
          timeoutMs: 60_000,
          noOutputTimeoutMs: 0,
          requires: '',
          retries: 0,
          batching: 'shared',
        },
      ],
      failFast: false,
      unplaceable: 'wait',
    },
    tasks,
    sealed,
  };
}
