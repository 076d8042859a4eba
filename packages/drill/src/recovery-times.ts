// How long recovery took, by fault, as the journal shows it: from the making of a fault to its detection, from there until the work
// that was lost was given to somebody else, and from the undo until the worker or coordinator was back. Milliseconds.
import { effectOf } from './checks/faults.ts';
import type { At, History } from './history.ts';
import type { StepRecord } from './stages/record.ts';

export type RecoveryTimes = {
  readonly step: number;
  readonly fault: string;
  /** Null where the fault has no such moment, or it was not seen. */
  readonly detectionMs: number | null;
  readonly reassignmentMs: number | null;
  readonly returnMs: number | null;
};

export function recoveryTimes(steps: readonly StepRecord[], history: History): RecoveryTimes[] {
  return steps.flatMap((record) => {
    const { step, injectedAtMs } = record;
    if (injectedAtMs === null || record.injected === null || step.fault.kind === 'task') return [];
    const detected = effectOf(record, history);
    return [
      {
        step: step.number,
        fault: step.fault.id,
        detectionMs: detected === null ? null : Math.max(0, detected.atMs - injectedAtMs),
        reassignmentMs: reassignedAfter(record, history, detected),
        returnMs: returnedAfter(record, history, detected),
      },
    ];
  });
}

/** Until the last of the attempts that were lost with the worker has a successor. */
function reassignedAfter({ workerId, endedAtMs }: StepRecord, history: History, detected: At | null): number | null {
  if (detected === null || workerId === null) return null;
  let lastMs: number | null = null;
  for (const story of history.tasks.values())
    for (const one of story.attempts.values()) {
      const lost = one.settled.find(({ event }) => event.verdict === 'lost');
      if (one.worker !== workerId || lost === undefined || lost.seq < detected.seq || lost.atMs > endedAtMs) continue;
      const next = [...story.attempts.values()].find(({ attempt, isHedge }) => attempt > one.attempt && !isHedge);
      if (next !== undefined) lastMs = Math.max(lastMs ?? 0, next.assigned.atMs - detected.atMs);
    }
  return lastMs;
}

/** From the detection until the worker joined again, the device was cleared, or the circuit closed. */
function returnedAfter(
  { workerId, step, endedAtMs }: StepRecord,
  history: History,
  detected: At | null,
): number | null {
  if (detected === null || step.fault.kind === 'task') return null;
  if (step.fault.effect.kind === 'circuit') {
    const opened = history.moves.find(({ seq }) => seq === detected.seq)?.event.circuit;
    const closed = history.moves.findLast(
      ({ event, seq, atMs }) =>
        event.circuit === opened && event.transition.to === 'closed' && seq > detected.seq && atMs <= endedAtMs,
    );
    return closed === undefined ? null : closed.atMs - detected.atMs;
  }
  const back = history.workers
    .get(workerId ?? '')
    ?.events.find(
      ({ event, seq }) =>
        seq > detected.seq &&
        (event.kind === 'workerJoined' || (event.kind === 'conditionChanged' && event.to.kind === 'ready')),
    );
  return back === undefined ? null : back.atMs - detected.atMs;
}

/** The nearest-rank percentiles of what was measured; null where nothing was. */
export function percentiles(values: readonly number[]): { p50: number; p95: number; worst: number } | null {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return sorted.length === 0 ? null : { p50: at(0.5), p95: at(0.95), worst: at(1) };
}
