// What happened to the soundness of workers and devices: a part of events.ts, which says what events are.
import type { AttemptRef, CheckOutcome, Rung, WorkerId } from '@assay/protocol';
import type { Condition, RungOutcome } from '../lifecycle/condition.ts';

/** A check of a worker (`device` null) or of one of its devices ran, or could not. */
export type WorkerChecked = {
  kind: 'workerChecked';
  worker: WorkerId;
  check: string;
  device: string | null;
  outcome: CheckOutcome;
  evidence: Record<string, string>;
  durationMs: number;
};
/** A gate shut (no new work for the worker or device) or opened, with the reading that did it. */
export type GateFlippedEvent = {
  kind: 'gateFlipped';
  worker: WorkerId;
  gate: string;
  device: string | null;
  isShut: boolean;
  reason: string;
};
/** `to` is the whole new condition. `actor` is `assay` where nobody asked for it. */
export type ConditionChanged = {
  kind: 'conditionChanged';
  worker: WorkerId;
  device: string | null;
  trigger: 'suspected' | 'quarantined' | 'maintained' | 'cleared';
  from: Condition['kind'];
  to: Condition;
  actor: string;
  reason: string;
};
/** The worker is to run all checks of the device. */
export type CertificationRequested = {
  kind: 'certificationRequested';
  worker: WorkerId;
  device: string | null;
  request: number;
  deadlineMs: number;
  reason: string;
};
export type WorkerCertified = {
  kind: 'workerCertified';
  worker: WorkerId;
  device: string | null;
  request: number;
  outcome: CheckOutcome;
  message: string;
};
/** The worker is to take one step of recovery; `attempts` are those that the trouble concerns. */
export type RecoveryRequested = {
  kind: 'recoveryRequested';
  worker: WorkerId;
  device: string | null;
  request: number;
  rung: Rung;
  deadlineMs: number;
  attempts: AttemptRef[];
  reason: string;
  /** Only for those that run past their time-out by the worker's own clock. */
  onlyPastTimeout?: true;
};
export type RecoveryReported = {
  kind: 'recoveryReported';
  worker: WorkerId;
  device: string | null;
  request: number;
  rung: Rung;
  outcome: RungOutcome;
  evidence: Record<string, string>;
  durationMs: number;
};
/** Every step of recovery was tried: a person has to look. */
export type OperatorNeeded = { kind: 'operatorNeeded'; worker: WorkerId; device: string | null; reason: string };

export type ConditionEvent =
  | WorkerChecked
  | GateFlippedEvent
  | ConditionChanged
  | CertificationRequested
  | WorkerCertified
  | RecoveryRequested
  | RecoveryReported
  | OperatorNeeded;
