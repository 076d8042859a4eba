// What `assay what-if` plays again: a run as the coordinator's journal recorded it, with the workers as they were while it was
// on; or, where the journal does not have it (any more), its stored results on the workers that are connected now, and why.
import type { Client } from '@assay/client';
import { measureRun, type Measures, type Recorded } from '@assay/coordinator';
import type { RecordedAttempt, RunRecording, TaskView } from '@assay/protocol';

export type Record = {
  readonly recorded: Recorded;
  /** The run as it was; null where only results are left, which do not say who was there and idle. */
  readonly measured: Measures | null;
  readonly used:
    | { readonly kind: 'journal'; readonly first: number; readonly last: number }
    | { readonly kind: 'results'; readonly reason: string };
  /** Tasks that never ran: they are in no simulation. */
  readonly leftOut: number;
};

export async function readRecord(client: Client, run: string): Promise<Record> {
  // First, so that a run that does not exist is said to be that.
  const { project } = await client.readRun(run);
  const recording = await client.recordingOf(run);
  if (recording.kind === 'recorded') return ofJournal(recording);
  return ofResults(client, run, project, recording.reason);
}

const hasRun = ({ costMs }: RecordedAttempt): boolean => costMs !== undefined;

export function ofJournal(recording: Extract<RunRecording, { kind: 'recorded' }>): Record {
  const tasks: Recorded['tasks'][number][] = [];
  const newIndex = new Map<number, number>();
  const startups = new Map<string, { suite: number; worker: string; all: number[] }>();
  for (const [index, { suite, target, after, arrivedMs, attempts, expectedMs }] of recording.tasks.entries()) {
    const ran = attempts.filter(hasRun);
    for (const { worker, startupMs } of ran) {
      if (startupMs === undefined) continue;
      const key = `${suite} ${worker}`;
      const known = startups.get(key);
      if (known === undefined) startups.set(key, { suite, worker, all: [startupMs] });
      else known.all.push(startupMs);
    }
    const last = ran.at(-1);
    if (last?.costMs === undefined) continue;
    newIndex.set(index, tasks.length);
    const before = after?.map((one) => newIndex.get(one)).filter((one) => one !== undefined) ?? [];
    tasks.push({
      suite,
      target,
      arrivedMs,
      // What the coordinator expected when it placed it first; the submitter's own guess only where it never did.
      expectedMs: attempts[0]?.expectedMs ?? expectedMs ?? last.expectedMs,
      costMs: Math.max(1, Math.round(last.costMs)),
      repeatedMs: Math.round(ran.slice(0, -1).reduce((sum, { costMs = 0 }) => sum + costMs, 0)),
      worker: last.worker,
      ...(before.length === 0 ? {} : { after: before }),
    });
  }
  const measuredStarts = [...startups.values()].map(({ suite, worker, all }) => ({ suite, worker, ms: medianOf(all) }));
  const { project, pool, suites, workers, entries } = recording;
  return {
    recorded: {
      project,
      ...(pool === undefined ? {} : { pool }),
      suites,
      tasks,
      workers,
      startupMs: medianOf([...startups.values()].flatMap(({ all }) => all)),
      startups: measuredStarts,
    },
    measured: measuredOf(recording),
    used: { kind: 'journal', ...entries },
    leftOut: recording.tasks.length - tasks.length,
  };
}

/** The run as it was: by the coordinator's clock, attempts that were lost or stopped in their time. */
function measuredOf({ settledMs, tasks, workers }: Extract<RunRecording, { kind: 'recorded' }>): Measures {
  const waits: number[] = [];
  const assignments = new Set<string>();
  let busyMs = 0;
  for (const { arrivedMs, attempts } of tasks) {
    const starts = attempts.flatMap(({ startedMs }) => (startedMs === undefined ? [] : [startedMs]));
    if (starts.length > 0) waits.push(Math.min(...starts) - arrivedMs);
    for (const { worker, assignedMs, startedMs, endedMs, costMs, startupMs = 0 } of attempts) {
      assignments.add(`${worker} ${assignedMs}`);
      if (startedMs !== undefined) busyMs += (costMs ?? endedMs - startedMs) + startupMs;
    }
  }
  return measureRun({ workers, makespanMs: settledMs, waits, busyMs, assignments: assignments.size });
}

async function ofResults(client: Client, run: string, project: string, reason: string): Promise<Record> {
  const views: TaskView[] = [];
  for (let after: string | undefined; ;) {
    const page = await client.listTasks(run, { limit: 1_000, ...(after === undefined ? {} : { after }) });
    views.push(...page.tasks);
    if (page.next === null) break;
    after = page.next;
  }
  const workers = [];
  for (const { worker } of (await client.listWorkers()).workers) {
    const { name, pool, slots, profile, profileDigest, declared } = await client.readWorker(worker);
    if (profile !== undefined) workers.push({ worker, name, pool, slots, profile, profileDigest, declared });
  }
  const found = tasksOf(views);
  const leftOut = views.length - found.tasks.length;
  return { recorded: { project, workers, ...found }, measured: null, used: { kind: 'results', reason }, leftOut };
}

/** The attempt that decided each task, where it took any time; tasks that never ran are left out. */
function tasksOf(views: readonly TaskView[]): Pick<Recorded, 'suites' | 'tasks' | 'startupMs'> {
  const suites: { name: string; requires: string; batching: 'single' | 'shared' }[] = [];
  const tasks: Recorded['tasks'][number][] = [];
  const startups: number[] = [];
  for (const view of views) {
    const attempt = view.attempts.findLast(({ costMs, worker }) => costMs !== undefined && worker !== null);
    if (attempt?.costMs === undefined || attempt.worker === null) continue;
    let suite = suites.findIndex(({ name }) => name === view.suite);
    if (suite < 0) suite = suites.push({ name: view.suite, requires: view.requires, batching: 'single' }) - 1;
    if ((attempt.placement?.batch ?? 1) > 1) suites[suite]!.batching = 'shared';
    if (attempt.startupMs !== undefined) startups.push(attempt.startupMs);
    const { target, expectedMs } = view;
    const costMs = Math.max(1, Math.round(attempt.costMs));
    tasks.push({ suite, target, costMs, worker: attempt.worker, ...(expectedMs === undefined ? {} : { expectedMs }) });
  }
  return { suites, tasks, startupMs: medianOf(startups) };
}

function medianOf(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
}
