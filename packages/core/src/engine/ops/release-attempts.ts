// What a worker held is released, because the worker is gone or came back without it: what never started goes back to the
// queue and spends nothing, what ran is lost, what was being canceled is canceled.
import type { AttemptRef } from '@assay/protocol';
import { present } from '../../kernel/assert.ts';
import { openAttempts } from '../lookup.ts';
import { dropHedge } from '../settle-hedge.ts';
import { settleAttempt } from '../settle.ts';
import { tookWorkerDown } from '../../recovery/tried.ts';
import type { AttemptRecord, TaskRecord, WorkerRecord } from '../state.ts';
import type { Step } from '../step.ts';

export function releaseAttempts(
  step: Step,
  worker: WorkerRecord,
  reason: string,
  message: string,
  isReleased: (ref: AttemptRef) => boolean = () => true,
): void {
  const { state } = step;
  const open = [...worker.assignments.values()].flatMap((assignment) =>
    openAttempts(state, assignment).map((held) => ({ ...held, run: present(state.runs.get(assignment.run), 'run') })),
  );
  const lost = open.filter(({ ref }) => isReleased(ref));
  for (const { run, task, attempt } of lost)
    if (task.hedge === attempt) dropHedge(step, run, task, `${worker.name}: ${message}`, false);
  const released = lost.filter(({ task, attempt }) => task.attempts.includes(attempt));
  const returned = released.filter(({ attempt }) => attempt.state.kind === 'assigned').map(({ ref }) => ref);
  if (returned.length > 0) step.emit({ kind: 'tasksReturned', worker: worker.worker, attempts: returned, reason });
  const suspects = new Set(released.filter(hasTakenDown).map(({ task }) => task));
  for (const { run, task, attempt } of released) {
    // A run that stops itself at the first loss has dealt with its other attempts meanwhile.
    if (task.attempts.at(-1) !== attempt || attempt.state.kind === 'settled' || attempt.state.kind === 'assigned')
      continue;
    const { counts } = attempt;
    if (attempt.state.kind === 'canceling') settleAttempt(step, run, task, attempt, { verdict: 'canceled', counts });
    else
      settleAttempt(step, run, task, attempt, {
        verdict: 'lost',
        counts,
        fellowSuspects: suspects.size - (suspects.has(task) ? 1 : 0),
        failure: {
          class: 'infrastructure',
          code: 'WORKER_LOST',
          message: `${worker.name}: ${message}`,
          evidence: { incarnation: worker.incarnation },
        },
      });
  }
}

/** Whether it runs, and a worker went down with it before. */
function hasTakenDown({ task, attempt }: { readonly task: TaskRecord; readonly attempt: AttemptRecord }): boolean {
  if (attempt.state.kind !== 'running' || task.attempts.length < 2) return false;
  return task.attempts.some(
    ({ state }) =>
      state.kind === 'settled' &&
      tookWorkerDown({ ...state, failure: state.failure, hasStarted: state.startedAtMs !== null }),
  );
}

/** How many attempts a worker has in hand. */
export function countAttempts(worker: WorkerRecord): number {
  let open = 0;
  for (const assignment of worker.assignments.values()) open += assignment.open;
  return open;
}
