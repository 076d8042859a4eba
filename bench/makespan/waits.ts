// Whether anyone waits longer than is promised: streams of runs with priorities through the real engine in virtual time, more
// of them than the fleet can do for a while. The promise (core/scheduling/order.ts): no run is overtaken by one of its own
// submitter's that was submitted more than (difference of priorities x ageingPerPriorityMs) later.
// An overtaking is a placement of the later run's task while a task of the earlier one, with the same requirement, waits.
import { engineDefaults } from '../../packages/core/src/index.ts';
import { Fleet } from '../../packages/core/src/testing/fleet.ts';
import { suiteOf, tasksOf, type JournalEntry } from '../../packages/core/src/testing/lab.ts';
import { randomOf } from '../../packages/simulator/src/sim/random.ts';
import { logNormal } from '../draw.ts';

export type Waits = {
  readonly placements: number;
  /** Placements past a waiting run of the same submitter that the promise allows, by the priorities. */
  readonly allowed: number;
  /** And those that it does not. */
  readonly beyond: number;
  readonly longestWaitMs: number;
  /** How much later than the overtaken one the latest overtaking run was submitted, over what was allowed: at most 1. */
  readonly nearest: number;
};

/** A point of priority is worth less than by default, so that ageing shows within a short stream. */
const ageingPerPriorityMs = 10_000;
const streamMs = 600_000;

export function measureWaits(seed: number): Waits {
  const random = randomOf(seed, 'waits');
  const workers = random.int(2, 12);
  const fleet = new Fleet({
    workers,
    slots: 1,
    startupMs: 0,
    realMs: (target) => durationOf(seed, target),
    config: { ...engineDefaults, ageingPerPriorityMs },
  });
  const submitters = random.int(1, 3);
  const runs = random.int(20, 60);
  const submissions = Array.from({ length: runs }, (_, number) => {
    const priority = random.pick([-5, 0, 0, 5, 10]);
    const submitter = `team ${random.int(1, submitters)}`;
    const count = random.int(5, Math.max(6, (workers * 40) / submitters));
    const targets = Array.from({ length: count }, (_task, at) => `run ${number} task ${at}`);
    const suites = [suiteOf({ batching: 'single' })];
    return {
      atMs: random.int(0, streamMs),
      submission: [tasksOf(targets), { priority, suites }, { submitter }] as Parameters<Fleet['run']>,
    };
  });
  fleet.runAll(submissions.toSorted((a, b) => a.atMs - b.atMs));
  return overtakingsIn(fleet.lab.journal);
}

function durationOf(seed: number, target: string): number {
  return Math.max(1, Math.round(logNormal(randomOf(seed, target), 1_500, 1)));
}

type Run = { submitter: string; priority: number; atMs: number; waiting: number };

/** Read from the journal alone: what was submitted and queued, and what was placed. */
export function overtakingsIn(journal: readonly JournalEntry[], ageingMs = ageingPerPriorityMs): Waits {
  const runs = new Map<string, Run>();
  const found = { placements: 0, allowed: 0, beyond: 0, longestWaitMs: 0, nearest: 0 };
  for (const { atMs, events } of journal) {
    for (const event of events) {
      if (event.kind === 'runSubmitted')
        runs.set(event.run, { submitter: event.submitter, priority: event.spec.priority, atMs, waiting: 0 });
      if (event.kind === 'tasksQueued') runs.get(event.run)!.waiting += event.tasks.length;
      if (event.kind === 'tasksReturned')
        for (const { task } of event.attempts) runs.get(task.slice(0, task.lastIndexOf('.')))!.waiting += 1;
      // A duplicate takes nothing from the queue, and is only made where nothing waits.
      if (event.kind !== 'tasksAssigned' || event.isHedge === true) continue;
      const placed = runs.get(event.run)!;
      placed.waiting -= event.tasks.length;
      found.placements += 1;
      found.longestWaitMs = Math.max(found.longestWaitMs, atMs - placed.atMs);
      for (const other of runs.values()) {
        if (other === placed || other.submitter !== placed.submitter || other.waiting === 0) continue;
        const laterMs = placed.atMs - other.atMs;
        if (laterMs <= 0) continue;
        const allowedMs = Math.max(0, placed.priority - other.priority) * ageingMs;
        if (laterMs > allowedMs) found.beyond += 1;
        else {
          found.allowed += 1;
          found.nearest = Math.max(found.nearest, laterMs / allowedMs);
        }
      }
    }
  }
  return found;
}
