// How well a place is, by what its circuits have seen while they are closed: the first link of every policy's chain. A circuit
// that is open admits nothing and never comes this far (stops.ts); one that is half-open admits its probe at its turn, because
// that is how it gets well; one that is closed and on its way to opening is given work only where no healthy place is free.
//
// Unwell is what has machine failures in a row that no success ended, or half of the failure rate at which it opens. What is too
// old says nothing: the window's own span decides. Read without moving the window, so that looking changes nothing.
import type { State, WorkerRecord } from '../engine/state.ts';
import type { Lane } from '../scheduling/index-types.ts';
import type { Circuit } from './registry.ts';
import { concerns } from './stops.ts';

/** One failure is anybody's; two in a row are worth a look at whoever is there beside it. */
const inRowMin = 2;
/** Below this many calls a share says nothing. */
const callsMin = 4;

/** What speaks against giving the lane to this worker although it may have it, in words; null where it is well. */
export function ailmentOf(state: State, lane: Lane, worker: WorkerRecord, nowMs: number): string | null {
  if (state.circuits.size === 0) return null;
  const { byWorker, byClass } = state.index.circuits;
  return worst(byWorker.get(worker.worker), lane, nowMs) ?? worst(byClass.get(worker.class.id), lane, nowMs) ?? null;
}

function worst(circuits: readonly Circuit[] | undefined, lane: Lane, nowMs: number): string | null {
  if (circuits === undefined) return null;
  for (const circuit of circuits) if (isUnwell(circuit, nowMs) && concerns(circuit, lane)) return ailmentIn(circuit);
  return null;
}

/** Whether a closed circuit is on its way to opening. */
export function isUnwell({ breaker }: Circuit, nowMs: number): boolean {
  const { state, window, settings, consecutiveFailures, lastFailureAtMs } = breaker;
  if (state.kind !== 'closed' || lastFailureAtMs === null || window.failures === 0) return false;
  const spanMs = settings.window.kind === 'time' ? settings.window.spanMs : settings.window.ageMaxMs;
  if (lastFailureAtMs <= nowMs - spanMs) return false;
  // Where failures in a row open nothing (a class: its workers take turns in it), they say nothing here either.
  if (settings.consecutiveFailures !== null && consecutiveFailures >= inRowMin) return true;
  const { failureRate } = settings;
  return failureRate !== null && window.calls >= callsMin && window.failures >= (window.calls * failureRate) / 2;
}

function ailmentIn({ circuit, breaker }: Circuit): string {
  const { consecutiveFailures, window } = breaker;
  return `circuit ${circuit}: ${window.failures} of its last ${window.calls} failed, ${consecutiveFailures} in a row`;
}
