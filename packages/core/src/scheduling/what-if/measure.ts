// The numbers by which runs are compared, measured alike of what was recorded and of what was simulated.
// A wait is from a task's arrival to the start of its first attempt; utilisation is the share of the slot time that workers
// offered, while they were there and the run was on, in which attempts ran or runners started for them.
import type { Task } from '@assay/protocol';
import type { RecordedTask, RecordedWorker } from './simulate.ts';

export type Measures = {
  readonly workers: number;
  readonly makespanMs: number;
  readonly waitMedianMs: number;
  readonly waitP95Ms: number;
  readonly waitLongestMs: number;
  /** Share of all slot time that was spent on tasks. */
  readonly utilisation: number;
  readonly assignments: number;
};

export function measure(raw: {
  readonly workers: readonly RecordedWorker[];
  readonly makespanMs: number;
  readonly waits: readonly number[];
  readonly busyMs: number;
  readonly assignments: number;
}): Measures {
  const { workers, makespanMs, busyMs, assignments } = raw;
  const waits = raw.waits.toSorted((a, b) => a - b);
  let offeredMs = 0;
  for (const { slots, fromMs = 0, untilMs } of workers)
    offeredMs += slots * Math.max(0, Math.min(untilMs ?? makespanMs, makespanMs) - Math.max(0, fromMs));
  return {
    workers: workers.length,
    makespanMs,
    waitMedianMs: waits[Math.floor(waits.length / 2)] ?? 0,
    waitP95Ms: waits[Math.ceil(waits.length * 0.95) - 1] ?? 0,
    waitLongestMs: waits.at(-1) ?? 0,
    utilisation: offeredMs === 0 ? 0 : busyMs / offeredMs,
    assignments,
  };
}

export function taskOf({ suite, target, expectedMs, after }: RecordedTask): Task {
  return {
    suite,
    target,
    ...(expectedMs === undefined ? {} : { expectedMs }),
    ...(after === undefined || after.length === 0 ? {} : { after: [...after] }),
  };
}

/** Tasks that came together, in their order. Indexes of a record are those of the run, so they must have come in order. */
export function byArrival(tasks: readonly RecordedTask[]): { readonly atMs: number; readonly tasks: RecordedTask[] }[] {
  const arrivals: { atMs: number; tasks: RecordedTask[] }[] = [];
  for (const task of tasks) {
    const last = arrivals.at(-1);
    const atMs = Math.max(task.arrivedMs ?? 0, last?.atMs ?? 0);
    if (last === undefined || last.atMs < atMs) arrivals.push({ atMs, tasks: [task] });
    else last.tasks.push(task);
  }
  return arrivals;
}
