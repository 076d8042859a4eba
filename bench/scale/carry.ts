// What one coordinator carries: many worker sessions and a long run, through the real coordinator process (journal, results and
// snapshots on disk, every default) and real WebSockets. The workers are the agent's real connection machine, link and driver,
// thousands in one process, with an executor that does nothing (bench/dispatch/worker-process.ts). Submission is over HTTP in
// chunks, and all of it is one run.
//   turnaround   at a worker: from the report that its task is finished to the arrival of its next one
import { sharedNowMs } from '../peers/measure.ts';
import type { Shares } from '../dispatch/worker-process.ts';
import { startBenchCoordinator, startWorkers, submitTasks, type Workers } from '../dispatch/assay.ts';

export type CarryFigures = {
  workers: number;
  tasks: number;
  connectSeconds: number;
  seconds: number;
  tasksPerSecond: number;
  coordinatorCpuUs: number;
  residentMiB: number;
  residentMiBMax: number;
  turnaroundP50Ms: number;
  turnaroundP99Ms: number;
  /** How evenly workers were served: a wait of minutes is either a link that broke or work that others got. */
  shares: Shares;
};

/** Sessions a worker process: well below the 20,000 open files of one process. */
const perProcess = 2_500;
const lookEveryMs = 500;

export async function carry(workers: number, tasks: number): Promise<CarryFigures> {
  const coordinator = await startBenchCoordinator(['--max-old-space-size=8192']);
  const processes: Workers[] = [];
  try {
    const beganMs = sharedNowMs();
    for (let first = 0; first < workers; first += perProcess)
      processes.push(await startWorkers(coordinator, Math.min(perProcess, workers - first), 1, [], first));
    const connectSeconds = (sharedNowMs() - beganMs) / 1_000;
    console.log(`${workers} sessions over WebSockets in ${connectSeconds.toFixed(1)} s`);
    const before = await coordinator.usage();
    const startedMs = sharedNowMs();
    const run = await submitTasks(coordinator.client, tasks);
    const submittedSeconds = (sharedNowMs() - startedMs) / 1_000;
    console.log(`${tasks} tasks submitted in ${submittedSeconds.toFixed(1)} s`);
    let residentBytesMax = 0;
    for (;;) {
      const view = await coordinator.client.readRun(run);
      const { residentBytes } = await coordinator.usage();
      residentBytesMax = Math.max(residentBytesMax, residentBytes);
      if (view.state === 'settled') {
        if (view.verdict !== 'passed' || view.cases.passed !== tasks)
          throw new Error(`of ${tasks} tasks: ${JSON.stringify(view.tasks)}, cases ${JSON.stringify(view.cases)}`);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
    const seconds = (sharedNowMs() - startedMs) / 1_000;
    const after = await coordinator.usage();
    const turnarounds = await turnaroundsOf(processes);
    const figures: CarryFigures = {
      workers,
      tasks,
      connectSeconds,
      seconds,
      tasksPerSecond: tasks / seconds,
      coordinatorCpuUs: ((after.cpuMs - before.cpuMs) * 1_000) / tasks,
      residentMiB: after.residentBytes / 2 ** 20,
      residentMiBMax: residentBytesMax / 2 ** 20,
      ...turnarounds,
    };
    print(figures);
    return figures;
  } finally {
    for (const each of processes) await each.stop();
    await coordinator.stop();
  }
}

async function turnaroundsOf(
  processes: readonly Workers[],
): Promise<Pick<CarryFigures, 'turnaroundP50Ms' | 'turnaroundP99Ms' | 'shares'>> {
  let p50 = 0;
  let p99 = 0;
  let shares: Shares | null = null;
  for (const each of processes) {
    const told = each.next('usage');
    each.send({ kind: 'tellUsage' });
    const { turnaroundMs, shares: here } = await told;
    shares = shares === null ? here : sumOf(shares, here);
    // The processes have equal shares of the work: the middle one's middle, and the worst one's tail.
    p50 += turnaroundMs.p50 / processes.length;
    p99 = Math.max(p99, turnaroundMs.p99);
  }
  if (shares === null) throw new Error('no workers');
  return { turnaroundP50Ms: p50, turnaroundP99Ms: p99, shares };
}

function sumOf(a: Shares, b: Shares): Shares {
  return {
    brokenLinks: a.brokenLinks + b.brokenLinks,
    leastTasks: Math.min(a.leastTasks, b.leastTasks),
    mostTasks: Math.max(a.mostTasks, b.mostTasks),
    longestWait: a.longestWait.ms >= b.longestWait.ms ? a.longestWait : b.longestWait,
  };
}

function print(figures: CarryFigures): void {
  const { workers, tasks, seconds, tasksPerSecond, coordinatorCpuUs, residentMiB, residentMiBMax } = figures;
  console.log(
    `${tasks} tasks on ${workers} sessions in ${seconds.toFixed(1)} s: ${tasksPerSecond.toFixed(0)} tasks a second`,
  );
  console.log(`${coordinatorCpuUs.toFixed(1)} µs of the coordinator's processor time a task, all threads`);
  console.log(`resident ${residentMiB.toFixed(0)} MiB at the end, at most ${residentMiBMax.toFixed(0)} MiB`);
  console.log(
    `from a finished task to the next at its worker: p50 ${figures.turnaroundP50Ms.toFixed(1)} ms, p99 ${figures.turnaroundP99Ms.toFixed(1)} ms`,
  );
  const { brokenLinks, leastTasks, mostTasks, longestWait } = figures.shares;
  console.log(
    `tasks a worker: ${leastTasks} to ${mostTasks}; links that broke: ${brokenLinks}; longest wait ${(longestWait.ms / 1_000).toFixed(1)} s, ${longestWait.isLinkBroken ? 'with' : 'without'} a broken link meanwhile`,
  );
}
