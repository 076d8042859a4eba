// What circuits count and how they move: part of what happened.
import type { CircuitScope, FailureClass, TaskId, WorkerId } from '@assay/protocol';
import type { BreakerStateName, Transition } from '../circuits/breaker-state.ts';
import type { CallOutcome } from '../circuits/breaker.ts';
import type { CircuitId } from '../circuits/scope.ts';
import type { BreakerSettings } from '../circuits/settings.ts';

/**
 * A failure speaks to these circuits; one that is not known yet is made with `settings`. `isOfMachine`: counted among the
 * failures of the fleet. `isFast`: it took far less than expected.
 */
export type CircuitsNoted = {
  kind: 'circuitsNoted';
  worker: WorkerId | null;
  task: TaskId | null;
  attempt: number;
  failureClass: FailureClass;
  code: string;
  isOfMachine: boolean;
  isFast: boolean;
  costMs: number;
  marks: { scope: CircuitScope; member: string; settings?: BreakerSettings }[];
};
/** `evidence` are the journal sequence numbers of the failures that it was judged by. */
export type CircuitMoved = {
  kind: 'circuitMoved';
  circuit: CircuitId;
  scope: CircuitScope;
  settings?: BreakerSettings;
  from: BreakerStateName;
  transition: Transition;
  evidence: number[];
};
/** A half-open circuit of a worker or device is probed by a certification. */
export type CertificationProbe = {
  kind: 'certificationProbe';
  circuit: CircuitId;
  request: number;
  expiresAtMs: number;
};
/** The coordinator looked at a dependency, or (`request`) a certification answered. */
export type CircuitProbed = {
  kind: 'circuitProbed';
  scope: CircuitScope;
  settings?: BreakerSettings;
  outcome: CallOutcome;
  durationMs: number;
  detail: string | null;
  request?: number;
};
/** Closed and idle for long, or of what is gone. */
export type CircuitsForgotten = { kind: 'circuitsForgotten'; circuits: CircuitId[] };
