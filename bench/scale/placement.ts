// What one placement costs in the engine, and how that grows: an idle fleet is filled, then kept full while tasks finish. CPU time
// of the one thread, so that a busy machine changes it little; the percentiles are wall time of single steps.
//
// The clock is that of the work: a worker reports when what it was given has taken as long as it says. An earlier version let a
// millisecond pass with each report, however many workers there were: of 10,000 each task then overran twentyfold, and all of it
// was looked at again and again. That is kept as a case of its own (`isLate`).
import { createEngine, engineDefaults, type Event, type Input } from '../../packages/core/src/index.ts';
import type { Task } from '../../packages/protocol/src/index.ts';
import { quantile } from '../statistics.ts';
import { finishAll, hello, profiles, submission, suiteAt } from './fleet.ts';

export type PlacementCase = {
  readonly workers: number;
  readonly tasks: number;
  readonly requirements: number;
  readonly batching: 'single' | 'shared';
  /**
   * Everything that placement looks at: alternatives, claims, concurrency keys, dependencies, four submitters with weights,
   * durations learned for each class, and some workers whose circuits open because everything fails there.
   */
  readonly isFull: boolean;
  /** Whether all of it is over twenty times as late as it then says: nothing ends when it is expected to. */
  readonly isLate?: boolean;
};

export type PlacementFigures = PlacementCase & {
  /** A task queued, and the first of them placed on the idle fleet. */
  readonly fillUs: number;
  readonly steadyUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly worstMs: number;
  readonly placements: number;
};

const settledMax = 50_000;
const submitters = 4;
const lateness = 20;

export function measurePlacement(of: PlacementCase): PlacementFigures {
  const engine = createEngine(engineDefaults);
  let nowMs = 1_000;
  if (of.isFull)
    engine.step(
      { kind: 'setPolicy', policy: { weights: { 'team 0': 2 }, quotas: [], pools: {}, keys: {} }, actor: 'bench' },
      nowMs,
    );
  for (let number = 0; number < of.workers; number += 1) engine.step(hello(number), nowMs);
  const seqs = new Map<string, number>();
  if (of.isFull) learnClasses(of, (input) => engine.step(input, (nowMs += 1)).events, seqs);
  const begunMs = cpuMs();
  const pending = new Due();
  let filled = 0;
  for (const input of submissionsOf(of)) {
    const { events } = engine.step(input, nowMs);
    filled += placementsIn(events);
    for (const one of ended(of, events, seqs)) pending.add(nowMs + tookMs(of, one), one);
  }
  // Most of it is queueing, which is a cost of each task.
  const fillUs = ((cpuMs() - begunMs) * 1_000) / of.tasks;
  if (filled === 0) throw new Error(`nothing was placed: ${JSON.stringify(of)}`);
  const steps: number[] = [];
  let placements = 0;
  let settled = 0;
  const steadyFromMs = cpuMs();
  for (let due = pending.take(); due !== null && settled < settledMax; due = pending.take()) {
    nowMs = due.atMs;
    const before = performance.now();
    const { events } = engine.step(due.input, nowMs);
    const wallMs = performance.now() - before;
    const placed = placementsIn(events);
    if (placed > 0) steps.push(wallMs / placed);
    placements += placed;
    for (const { kind } of events) if (kind === 'taskSettled') settled += 1;
    for (const one of ended(of, events, seqs)) pending.add(nowMs + tookMs(of, one), one);
  }
  const steadyUs = ((cpuMs() - steadyFromMs) * 1_000) / Math.max(1, placements);
  return {
    ...of,
    fillUs,
    steadyUs,
    p50Us: quantile(steps, 0.5) * 1_000,
    p99Us: quantile(steps, 0.99) * 1_000,
    worstMs: Math.max(0, ...steps),
    placements,
  };
}

/** One run of some tests on every class, so that each class has a speed and tests have times on it. */
function learnClasses(of: PlacementCase, step: (input: Input) => Event[], seqs: Map<string, number>): void {
  const suites = Array.from({ length: of.requirements }, (_, number) => suiteAt(number, of.batching, false));
  const tasks = tasksOf(Math.min(20_000, of.tasks), of.requirements, 0);
  let pending = ended({ ...of, isFull: false }, step(submission('r-0', suites, tasks)), seqs);
  while (pending.length > 0) pending = pending.flatMap((input) => ended({ ...of, isFull: false }, step(input), seqs));
}

function submissionsOf({ tasks, requirements, batching, isFull }: PlacementCase): Input[] {
  const suites = Array.from({ length: requirements }, (_, number) => suiteAt(number, batching, isFull));
  const runs = isFull ? submitters : 1;
  return Array.from({ length: runs }, (_, number) =>
    submission(`r-${number + 1}`, suites, tasksOf(Math.floor(tasks / runs), requirements, number), {
      submitter: `team ${number}`,
    }),
  );
}

function tasksOf(count: number, requirements: number, salt: number): Task[] {
  return Array.from({ length: count }, (_, index) => ({
    suite: index % requirements,
    target: `test/unit/some-folder/file-${index}.test.ts`,
    expectedMs: 100 + (((index + salt) * 7919) % 5_000),
  }));
}

/** Each class takes its own time; where everything is on, every five-hundredth worker fails all that it gets. */
function ended({ isFull }: PlacementCase, events: readonly Event[], seqs: Map<string, number>): Input[] {
  const numberOf = (worker: string): number => Number(worker.slice(2));
  return finishAll(
    events,
    seqs,
    (worker) => 100 + 10 * (numberOf(worker) % profiles),
    (worker) => isFull && numberOf(worker) % 500 === 7,
  );
}

function placementsIn(events: readonly Event[]): number {
  return events.reduce((sum, { kind }) => (kind === 'tasksAssigned' ? sum + 1 : sum), 0);
}

/** CPU time of this thread, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Until a frame of reports comes: its tasks one after another. */
function tookMs({ isLate = false }: PlacementCase, input: Input): number {
  if (input.kind !== 'workerReported') return 0;
  let sumMs = 0;
  for (const report of input.reports) if (report.kind === 'finished') sumMs += report.outcome.costMs;
  return isLate ? sumMs * lateness : sumMs;
}

/** What is due, by whole milliseconds; of one millisecond in the order in which it came. */
class Due {
  readonly #byMs = new Map<number, Input[]>();
  #atMs = 0;
  #left = 0;

  /** Never for a time before what was taken last. */
  add(atMs: number, input: Input): void {
    const due = this.#byMs.get(atMs);
    if (due === undefined) this.#byMs.set(atMs, [input]);
    else due.push(input);
    this.#left += 1;
  }

  take(): { atMs: number; input: Input } | null {
    while (this.#left > 0) {
      const input = this.#byMs.get(this.#atMs)?.shift();
      if (input !== undefined) {
        this.#left -= 1;
        return { atMs: this.#atMs, input };
      }
      this.#byMs.delete(this.#atMs);
      this.#atMs += 1;
    }
    return null;
  }
}
