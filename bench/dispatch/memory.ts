// What the coordinator's memory costs: for each queued task (no worker is there to take them), and for each idle worker.
// Resident memory of its process after a collection, less what it was before; the heap's part beside it.
import type { Workers } from './assay.ts';
import { startBenchCoordinator, startWorkers, submitTasks } from './assay.ts';

export type MemoryFigures = { count: number; residentKiB: number; heapKiB: number };

const settleMs = 3_000;
const collecting = ['--expose-gc'];

export async function measureQueuedTasks(tasks: number): Promise<MemoryFigures> {
  const coordinator = await startBenchCoordinator(collecting);
  try {
    // Code paths are loaded, and a first snapshot's thread has come and gone, before the base line.
    await submitTasks(coordinator.client, 10_000);
    await resultsCaughtUp(coordinator.client);
    const before = await coordinator.usage(true);
    await submitTasks(coordinator.client, tasks);
    await resultsCaughtUp(coordinator.client);
    return difference(before, await coordinator.usage(true), tasks);
  } finally {
    await coordinator.stop();
  }
}

export async function measureIdleWorkers(workers: number): Promise<MemoryFigures> {
  const coordinator = await startBenchCoordinator(collecting);
  const started: Workers[] = [];
  try {
    started.push(await startWorkers(coordinator, 10, 4));
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const before = await coordinator.usage(true);
    started.push(await startWorkers(coordinator, workers, 4, [], 10));
    // Some rounds of heartbeats.
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    return difference(before, await coordinator.usage(true), workers);
  } finally {
    for (const each of started) await each.stop();
    await coordinator.stop();
  }
}

type Usage = { residentBytes: number; heapBytes: number };

function difference(before: Usage, after: Usage, count: number): MemoryFigures {
  const each = (bytes: number): number => bytes / count / 1_024;
  return {
    count,
    residentKiB: each(after.residentBytes - before.residentBytes),
    heapKiB: each(after.heapBytes - before.heapBytes),
  };
}

async function resultsCaughtUp(client: {
  health(): Promise<{ journalSeq: number; resultsSeq: number }>;
}): Promise<void> {
  for (;;) {
    const { journalSeq, resultsSeq } = await client.health();
    if (resultsSeq >= journalSeq) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await new Promise((resolve) => setTimeout(resolve, settleMs));
}
