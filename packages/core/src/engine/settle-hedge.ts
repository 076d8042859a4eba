// The end of one of two attempts of a task (scheduling/hedge.ts): the first result counts. What loses leaves no result, spends
// no budget, and its cases are dropped; the fence refuses whatever its worker still says of it.
//
//   the duplicate ends with a result first   the first attempt is told to stop and settles as canceled (`yield`): the duplicate
//                                            is the task's attempt from then on, and its result is judged like any other
//   the duplicate ends without a result      it is dropped, and the first attempt goes on
//   the first attempt ends with a result     it settles the task, the duplicate is told to stop and dropped
//   the first attempt is to be repeated      it yields instead: the repetition runs already
//
// The loser teaches too: what ran for so long and was not over takes at least that long there (`atLeastMs`). Without it only what
// was quick would ever be learned from, and the class that loses every race would be raced again in every run.
import type { AttemptFailure, Verdict } from '@assay/protocol';
import type { AttemptSettled, HedgeSide } from './events.ts';
import { taskIdOf } from './ids.ts';
import { present } from '../kernel/assert.ts';
import { currentAttempt } from './lookup.ts';
import type { AttemptRecord, RunRecord, TaskRecord } from './state.ts';
import { noCases } from './evolve-run.ts';
import type { Step } from './step.ts';

/** Verdicts that are a result of the test, whoever ran it. */
const results: ReadonlySet<Verdict> = new Set(['passed', 'failed', 'skipped', 'timedOut', 'inconclusive']);

/** Ends the duplicate. True where it is now the task's attempt and is to be settled as such. */
export function takeHedgeEnd(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
  verdict: Verdict,
  failure: AttemptFailure | undefined,
): boolean {
  const hedge = present(task.hedge, 'duplicate');
  const isResult = results.has(verdict) && failure?.class !== 'infrastructure' && hedge.state.kind !== 'canceling';
  if (!isResult) {
    dropHedge(step, run, task, `it ended as ${verdict}`, false);
    return false;
  }
  const first = present(currentAttempt(task), 'first attempt');
  const reason = `attempt ${hedge.attempt}, its duplicate, was done first`;
  const bound = boundOf(step, first, hedge);
  stop(step, run, task, first, reason);
  step.emit({
    kind: 'attemptSettled',
    task: taskIdOf(run.run, task.index),
    attempt: first.attempt,
    worker: first.worker,
    verdict: 'canceled',
    failure: { class: 'infrastructure', code: 'HEDGED', message: reason },
    counts: noCases(),
    ...bound,
    next: yieldTo(hedge),
  });
  return true;
}

/** The first attempt gives way to the duplicate, which goes on. */
export function yieldTo(hedge: AttemptRecord): Extract<AttemptSettled['next'], { kind: 'yield' }> {
  const { attempt, worker, assignment, expectedMs, assignedAtMs, state } = hedge;
  const to: HedgeSide = {
    attempt,
    worker: present(worker, 'worker of a duplicate'),
    assignment: present(assignment, 'assignment of a duplicate'),
    expectedMs,
    assignedAtMs,
    startedAtMs: state.kind === 'running' ? state.startedAtMs : null,
  };
  return { kind: 'yield', to };
}

/** Whether the task has a duplicate that can take over. */
export function canTakeOver(task: TaskRecord): boolean {
  return task.hedge !== null && task.hedge.state.kind !== 'canceling';
}

/** Drops the duplicate. `isTold`: its worker has it still and is told to stop. */
export function dropHedge(step: Step, run: RunRecord, task: TaskRecord, reason: string, isTold: boolean): void {
  const { hedge } = task;
  if (hedge === null || hedge.worker === null) return;
  const bound = isTold ? boundOf(step, hedge, currentAttempt(task)) : {};
  if (isTold) stop(step, run, task, hedge, reason);
  const { attempt, worker } = hedge;
  step.emit({ kind: 'hedgeDropped', task: taskIdOf(run.run, task.index), attempt, worker, reason, ...bound });
}

/**
 * How long it has run without being over. Nothing where it has not begun, is being stopped, or its worker is not there to run it; nor
 * where the other one ran on the same class of machines: its whole duration is known there, and a part of it would pull that down.
 */
function boundOf({ state, nowMs }: Step, loser: AttemptRecord, winner: AttemptRecord | null): { atLeastMs?: number } {
  const { state: at, worker } = loser;
  if (at.kind !== 'running' || worker === null) return {};
  const here = state.workers.get(worker);
  if (here?.state.kind !== 'connected' && here?.state.kind !== 'draining') return {};
  const there = winner === null || winner.worker === null ? undefined : state.workers.get(winner.worker);
  const isSameClass = there?.class === here.class;
  return isSameClass ? {} : { atLeastMs: Math.max(1, nowMs - at.startedAtMs) };
}

function stop(step: Step, run: RunRecord, task: TaskRecord, { attempt, worker }: AttemptRecord, reason: string): void {
  if (worker === null) return;
  const deadlineMs = step.nowMs + step.config.cancelGraceMs;
  const attempts = [{ task: taskIdOf(run.run, task.index), attempt }];
  step.emit({ kind: 'cancelSent', worker, attempts, reason, deadlineMs });
}
