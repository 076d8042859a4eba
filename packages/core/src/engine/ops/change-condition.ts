// Setting workers and devices aside, and letting them work again: every change of a condition goes through here.
import type { AttemptRef } from '@assay/protocol';
import type { Condition } from '../../lifecycle/condition.ts';
import { limit } from '../limits.ts';
import { openAttempts } from '../lookup.ts';
import { wholeWorker } from '../state.ts';
import type { State, WorkerRecord } from '../state.ts';
import type { Step } from '../step.ts';

/** Something speaks against a ready worker or device: no new work for it until it is looked into. False where that is so already. */
export function suspect(step: Step, worker: WorkerRecord, device: string | null, reason: string): boolean {
  if (conditionOf(worker, device).kind !== 'ready') return false;
  changeCondition(step, worker, device, 'suspected', reason, 'assay');
  takeBackUnstarted(step, worker, device);
  return true;
}

/** It failed its certification, or a person sets it aside. */
export function quarantine(
  step: Step,
  worker: WorkerRecord,
  device: string | null,
  reason: string,
  actor = 'assay',
): void {
  changeCondition(step, worker, device, 'quarantined', reason, actor);
  takeBackUnstarted(step, worker, device);
}

export function clear(step: Step, worker: WorkerRecord, device: string | null, reason: string, actor = 'assay'): void {
  if (conditionOf(worker, device).kind !== 'ready') changeCondition(step, worker, device, 'cleared', reason, actor);
}

export function conditionOf(worker: WorkerRecord, device: string | null): Condition {
  return worker.health.conditions.get(device ?? wholeWorker) ?? { kind: 'ready', sinceMs: worker.sinceMs };
}

export function changeCondition(
  step: Step,
  worker: WorkerRecord,
  device: string | null,
  trigger: 'suspected' | 'quarantined' | 'maintained' | 'cleared',
  reason: string,
  actor: string,
): void {
  const from = conditionOf(worker, device);
  const to = nextCondition(from, trigger, reason.slice(0, 500), actor, step.nowMs);
  step.emit({
    kind: 'conditionChanged',
    worker: worker.worker,
    device,
    trigger,
    from: from.kind,
    to,
    actor,
    reason: reason.slice(0, 500),
  });
}

function nextCondition(
  from: Condition,
  trigger: 'suspected' | 'quarantined' | 'maintained' | 'cleared',
  reason: string,
  actor: string,
  sinceMs: number,
): Condition {
  switch (trigger) {
    case 'cleared':
      return { kind: 'ready', sinceMs };
    case 'maintained':
      return { kind: 'maintenance', sinceMs, reason, actor };
    default: {
      const before = from.kind === 'suspect' || from.kind === 'quarantined' ? from : null;
      return {
        kind: trigger === 'suspected' ? 'suspect' : 'quarantined',
        sinceMs,
        reason,
        actor,
        checkup: { kind: 'none' },
        // What was tried while it was suspect is not tried again.
        tried: before?.tried ?? [],
        unjudged: before?.unjudged ?? null,
      };
    }
  }
}

/** The attempts in the hands of a worker that the trouble of a device concerns: those that without it would not be there. */
export function attemptsOn(state: State, worker: WorkerRecord, device: string | null): AttemptRef[] {
  const refs: AttemptRef[] = [];
  for (const assignment of worker.assignments.values()) {
    if (device !== null && assignment.group.fitting.has(worker.class)) continue;
    for (const { ref } of openAttempts(state, assignment)) refs.push(ref);
  }
  return refs;
}

/** What it did not start goes elsewhere; what runs is left alone until it is sure that something is wrong. */
function takeBackUnstarted(step: Step, worker: WorkerRecord, device: string | null): void {
  if (worker.state.kind !== 'connected' && worker.state.kind !== 'draining') return;
  for (const assignment of worker.assignments.values()) {
    if (assignment.takeBack !== null || assignment.unstarted === 0) continue;
    if (device !== null && assignment.group.fitting.has(worker.class)) continue;
    const attempts = openAttempts(step.state, assignment)
      .filter(({ attempt }) => attempt.state.kind === 'assigned')
      .map(({ ref }) => ref)
      .slice(0, limit('batchTasksMax'));
    if (attempts.length > 0)
      step.emit({ kind: 'takeBackRequested', worker: worker.worker, assignment: assignment.assignment, attempts });
  }
}
