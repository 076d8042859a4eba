// The fleet shield in the engine: notes failures that may be part of one trouble, opens and closes troubles, and sees that
// one task looks whether it is over while the others wait.
import type { TaskId } from '@assay/protocol';
import { dependenciesMeant } from '../../circuits/attribute.ts';
import { isBlocking } from '../../circuits/registry.ts';
import { circuitIdOf } from '../../circuits/scope.ts';
import { inWindow, isOneTrouble, signatureOf } from '../../recovery/shield.ts';
import type { Outage } from '../../recovery/shield.ts';
import type { Tried } from '../../recovery/tried.ts';
import { taskIdOf } from '../ids.ts';
import type { AttemptRecord, RunRecord, State, TaskRecord } from '../state.ts';
import type { Step } from '../step.ts';

/** Notes a failure; the trouble of the fleet that it is part of, or null. */
export function noteTrouble(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
  attempt: AttemptRecord,
  last: Tried,
): Outage | null {
  const found = signatureOf(last);
  if (found === null || attempt.worker === null) return null;
  const { state, config, nowMs } = step;
  const { signature, name } = found;
  const trouble = {
    task: taskIdOf(run.run, task.index),
    attempt: attempt.attempt,
    suite: `${run.spec.project}/${run.spec.suites[task.suite]?.name ?? ''}`,
    worker: attempt.worker,
    ...((run.spec.suites[task.suite]?.uses ?? []).length > 0 ? { isDeclared: true } : {}),
    atMs: nowMs,
  };
  step.emit({ kind: 'troubleNoted', signature, trouble, keptFromMs: nowMs - config.recovery.shieldWindowMs });
  const known = state.recovery.outages.get(signature);
  if (known !== undefined) return known;
  const troubles = state.recovery.troubles.get(signature) ?? [];
  if (!isOneTrouble(troubles, config.recovery, nowMs)) return null;
  const evidence = inWindow(troubles, config.recovery, nowMs).map(({ task: of, attempt: number, suite, worker }) => ({
    task: of,
    attempt: number,
    suite,
    worker,
  }));
  step.emit({ kind: 'outageOpened', signature, name, evidence });
  return state.recovery.outages.get(signature) ?? null;
}

/** Whether it could not reach what its suite says that it uses, and that is known to be down: it waits with the others. */
export function isDependencyDown(state: State, run: RunRecord, task: TaskRecord, { failure }: Tried): boolean {
  const meant = dependenciesMeant(failure, run.spec.suites[task.suite]?.uses ?? []);
  return meant.some((dependency) => {
    const circuit = state.circuits.get(circuitIdOf({ kind: 'dependency', dependency }));
    return circuit !== undefined && isBlocking(circuit);
  });
}

/** After the task that looks came to an end: passed or failed otherwise, the trouble is over. */
export function concludeOutages(step: Step, task: TaskId, requeuedIn: string | undefined): void {
  for (const outage of step.state.recovery.outages.values()) {
    if (outage.probe !== task || outage.signature === requeuedIn) continue;
    close(step, outage, 'over');
    return;
  }
}

/** Sees that each trouble has a task that looks, and that none lasts for ever. */
export function tendOutages(step: Step): void {
  const { outages } = step.state.recovery;
  if (outages.size === 0) return;
  for (const outage of [...outages.values()]) {
    if (step.nowMs >= outage.sinceMs + step.config.recovery.outageMaxMs) close(step, outage, 'expired');
    else if (outage.probe === null) appoint(step, outage);
  }
}

function appoint(step: Step, outage: Outage): void {
  for (const delayed of step.state.index.delayed.inOrder()) {
    const { state } = delayed.task;
    if (state.kind !== 'queued' || state.outage !== outage.signature) continue;
    return step.emit({
      kind: 'outageProbed',
      signature: outage.signature,
      task: taskIdOf(delayed.lane.run.run, delayed.task.index),
      notBeforeMs: step.nowMs + step.config.recovery.delayMs,
    });
  }
  // Nobody waits for it: the next failure will tell whether it is still there.
  close(step, outage, 'nobodyWaits');
}

function close(step: Step, outage: Outage, reason: 'over' | 'expired' | 'nobodyWaits'): void {
  const { signature, name, excused } = outage;
  step.emit({ kind: 'outageClosed', signature, name, reason, excused });
}
