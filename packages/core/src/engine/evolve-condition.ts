// How events change what is known of the soundness of workers and devices. Part of evolve.
import type { Rung } from '@assay/protocol';
import { keyOf } from '../hardware/gate.ts';
import { assert, present } from '../kernel/assert.ts';
import { conditionTransitions } from '../lifecycle/condition.ts';
import type { Checkup, Condition } from '../lifecycle/condition.ts';
import { mustLead } from '../lifecycle/transition.ts';
import { withJudged } from '../recovery/ladder.ts';
import { leaveClass, recount } from '../scheduling/classes.ts';
import { deviceClassOf } from '../scheduling/withheld.ts';
import type {
  CertificationRequested,
  ConditionChanged,
  GateFlippedEvent,
  OperatorNeeded,
  RecoveryReported,
  RecoveryRequested,
  WorkerCertified,
  WorkerChecked,
} from './events.ts';
import { joinClasses, knownWorker, refreshCheckups } from './evolve-worker.ts';
import { wholeWorker } from './state.ts';
import type { State, WorkerRecord } from './state.ts';

/** Kinds of devices whose recovery is remembered, times steps: the longest unused are forgotten first. */
const rungHistoriesMax = 10_000;
/** A ladder has seven steps; a device that is repaired again and again keeps the last ones. */
const triedMax = 32;

export function workerChecked(state: State, event: WorkerChecked, atMs: number): void {
  const { check, device, outcome, evidence, durationMs } = event;
  knownWorker(state, event.worker).health.checks.set(check, { device, outcome, evidence, durationMs, atMs });
}

export function conditionChanged(state: State, event: ConditionChanged): void {
  const worker = knownWorker(state, event.worker);
  const key = event.device ?? wholeWorker;
  const before = worker.health.conditions.get(key)?.kind ?? 'ready';
  assert(before === event.from, `${event.worker} ${key} is ${event.from}, not ${before}`);
  mustLead(conditionTransitions, 'condition', before, event.trigger, event.to.kind);
  recount(state.index, worker, () => {
    const left = [worker.class, worker.whole];
    worker.health.conditions.set(key, event.to);
    joinClasses(state, worker);
    for (const one of left) if (one !== null) leaveClass(state.index, one);
  });
  refreshCheckups(state, worker);
}

export function gateFlipped(state: State, event: GateFlippedEvent, atMs: number): void {
  const worker = knownWorker(state, event.worker);
  const { gate, device, reason, isShut } = event;
  const key = keyOf(event);
  assert(worker.health.gates.has(key) !== isShut, `${event.worker} gate ${gate} flips`);
  recount(state.index, worker, () => {
    const left = [worker.class, worker.whole];
    if (isShut) worker.health.gates.set(key, { gate, device, reason, sinceMs: atMs });
    else worker.health.gates.delete(key);
    joinClasses(state, worker);
    for (const one of left) if (one !== null) leaveClass(state.index, one);
  });
}

export function certificationRequested(state: State, event: CertificationRequested): void {
  const worker = knownWorker(state, event.worker);
  const { request, deadlineMs } = event;
  worker.health.requests = request;
  worker.health.asked.set(event.device ?? wholeWorker, { request, deadlineMs });
  setCheckup(state, worker, event.device, { kind: 'certifying', request, deadlineMs });
}

export function workerCertified(state: State, event: WorkerCertified, atMs: number): void {
  const worker = knownWorker(state, event.worker);
  const { asked } = worker.health;
  const key = event.device ?? wholeWorker;
  if (asked.get(key)?.request === event.request) asked.delete(key);
  const condition = troubled(worker, event.device);
  if (condition === null) return;
  const { unjudged } = condition;
  const isAnswered = condition.checkup.kind === 'certifying' && condition.checkup.request === event.request;
  if (!isAnswered) return;
  const isJudged = unjudged !== null && event.outcome !== 'notRun';
  if (isJudged)
    learnRung(state, worker, event.device, unjudged.rung, event.outcome === 'passed', unjudged.durationMs, atMs);
  change(state, worker, event.device, {
    ...condition,
    checkup: { kind: 'none' },
    unjudged: isJudged ? null : unjudged,
  });
}

export function recoveryRequested(state: State, event: RecoveryRequested): void {
  const worker = knownWorker(state, event.worker);
  const { request, rung, deadlineMs } = event;
  worker.health.requests = request;
  setCheckup(state, worker, event.device, {
    kind: 'recovering',
    request,
    rung,
    deadlineMs,
    ...(event.onlyPastTimeout === undefined ? {} : { onlyPastTimeout: event.onlyPastTimeout }),
  });
}

export function recoveryReported(state: State, event: RecoveryReported): void {
  const worker = knownWorker(state, event.worker);
  const condition = troubled(worker, event.device);
  if (condition === null) return;
  const { checkup, tried } = condition;
  const isAnswered = checkup.kind === 'recovering' && checkup.request === event.request;
  const one = { rung: event.rung, outcome: event.outcome, durationMs: event.durationMs };
  change(state, worker, event.device, {
    ...condition,
    checkup: isAnswered ? { kind: 'none' } : checkup,
    tried: [...tried, one].slice(-triedMax),
    unjudged: event.outcome === 'done' ? one : condition.unjudged,
  });
}

export function operatorNeeded(state: State, event: OperatorNeeded): void {
  setCheckup(state, knownWorker(state, event.worker), event.device, { kind: 'operatorNeeded' });
}

type Troubled = Extract<Condition, { readonly kind: 'suspect' | 'quarantined' }>;

/** The condition where something is wrong; a request about what is ready or in a person's hands has no place to be kept. */
function troubled(worker: WorkerRecord, device: string | null): Troubled | null {
  const condition = worker.health.conditions.get(device ?? wholeWorker);
  return condition?.kind === 'suspect' || condition?.kind === 'quarantined' ? condition : null;
}

function setCheckup(state: State, worker: WorkerRecord, device: string | null, checkup: Checkup): void {
  const condition = troubled(worker, device);
  if (condition !== null) change(state, worker, device, { ...condition, checkup });
}

/** Replaces a condition by another of the same kind: nothing that placement counts by changes. */
function change(state: State, worker: WorkerRecord, device: string | null, next: Troubled): void {
  worker.health.conditions.set(device ?? wholeWorker, next);
  refreshCheckups(state, worker);
}

function learnRung(
  state: State,
  worker: WorkerRecord,
  device: string | null,
  rung: Rung,
  isCured: boolean,
  durationMs: number,
  atMs: number,
): void {
  const { profile } = present(state.profiles.get(worker.profileDigest), 'profile');
  const key = rungKey(rung, deviceClassOf(profile, device));
  state.rungs.set(key, withJudged(state.rungs.get(key), isCured, durationMs, atMs));
  if (state.rungs.size > rungHistoriesMax) state.rungs.dropOldest(1);
}

/** Names the history of a step on one kind of device. */
export function rungKey(rung: Rung, deviceClass: string): string {
  return `${rung}\n${deviceClass}`;
}
