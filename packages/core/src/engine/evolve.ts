// evolve: the only writer of the engine's state, one case for each event. It decides nothing and needs no settings, so that
// a newer version, or one configured otherwise, recovers exactly what happened. What an event contradicts is a bug: it throws.
import type { AdmissionPolicy } from '@assay/protocol';
import { createIndex } from '../scheduling/classes.ts';
import { noRecoveryState } from '../recovery/shield.ts';
import { RecencyMap } from '../kernel/recency-map.ts';
import type { ConditionEvent } from './condition-events.ts';
import { Machines } from '../scheduling/machines.ts';
import type { Event, HistoryTrimmed } from './events.ts';
import { runPlanned } from '../scheduling/plan.ts';
import * as attempts from './evolve-attempt.ts';
import { createWindow } from '../circuits/window.ts';
import * as circuits from './evolve-circuit.ts';
import * as conditions from './evolve-condition.ts';
import * as recovery from './evolve-recovery.ts';
import * as runs from './evolve-run.ts';
import * as workers from './evolve-worker.ts';
import { evolveQuarantine, noQuarantines } from './quarantines.ts';
import type { State } from './state.ts';

/** The policy while nobody laid one down: all weigh the same, nothing is limited. */
const noPolicy: AdmissionPolicy = { weights: {}, quotas: [], pools: {}, keys: {} };

/** An hour of everybody's attempts, in minutes. */
const fleetWindow = { kind: 'time', spanMs: 3_600_000, buckets: 60 } as const;

/** The state before anything happened. */
export function emptyState(): State {
  return {
    seq: 0,
    epoch: 0,
    runOrder: 0,
    assignmentOrder: 0,
    policy: noPolicy,
    clockMs: 0,
    shares: new Map(),
    runs: new Map(),
    workers: new Map(),
    assignments: new Map(),
    profiles: new Map(),
    submissions: new Map(),
    retired: new RecencyMap(),
    durations: new RecencyMap(),
    suites: new RecencyMap(),
    machines: new Machines(),
    rungs: new RecencyMap(),
    recovery: noRecoveryState(),
    quarantines: noQuarantines(),
    circuits: new Map(),
    fleet: { attempts: createWindow(fleetWindow), failures: createWindow(fleetWindow) },
    streaks: new Map(),
    index: createIndex(),
  };
}

/** Folds one journal entry into the state. */
export function replay(
  state: State,
  entry: { readonly seq: number; readonly atMs: number; readonly events: readonly Event[] },
): void {
  state.seq = entry.seq;
  for (const event of entry.events) evolve(state, event, entry.atMs);
  // What was to be looked at was looked at in that step.
  state.index.unchecked.clear();
  state.index.broken.clear();
}

export function evolve(state: State, event: Event, atMs: number): void {
  switch (event.kind) {
    case 'runSubmitted':
    case 'tasksQueued':
    case 'runUnplaceable':
    case 'runCancelRequested':
    case 'taskSettled':
    case 'runSettled':
    case 'runRetired':
    case 'runImported':
    case 'projectErased':
      return evolveRun(state, event, atMs);
    case 'policySet':
    case 'alternativeOpened':
    case 'gangRestarted':
    case 'goalOutOfReach':
    case 'runPlanned':
    case 'testQuarantined':
    case 'testReleased':
      return evolveAdmission(state, event, atMs);
    case 'diagnosisRevised':
    case 'retriesDue':
    case 'troubleNoted':
    case 'outageOpened':
    case 'outageProbed':
    case 'outageClosed':
      return evolveRecovery(state, event, atMs);
    case 'tasksAssigned':
    case 'attemptStarted':
    case 'casesRecorded':
    case 'hedgeDropped':
    case 'attemptSettled':
    case 'tasksReturned':
    case 'takeBackRequested':
    case 'cancelSent':
      return evolveAttempt(state, event, atMs);
    case 'historyTrimmed':
      return dropHistory(state, event);
    case 'circuitsNoted':
    case 'circuitMoved':
    case 'certificationProbe':
    case 'circuitProbed':
    case 'circuitsForgotten':
      return evolveCircuit(state, event, atMs);
    case 'workerChecked':
    case 'gateFlipped':
    case 'conditionChanged':
    case 'certificationRequested':
    case 'workerCertified':
    case 'recoveryRequested':
    case 'recoveryReported':
    case 'operatorNeeded':
      return evolveCondition(state, event, atMs);
    case 'reportsRefused':
    case 'workerRefused':
      return; // Evidence only.
    default:
      return evolveWorker(state, event, atMs);
  }
}

type RunEvent = Extract<
  Event,
  {
    kind:
      | 'runSubmitted'
      | 'tasksQueued'
      | 'runUnplaceable'
      | 'runCancelRequested'
      | 'taskSettled'
      | 'runSettled'
      | 'runRetired'
      | 'runImported'
      | 'projectErased';
  }
>;

function evolveRun(state: State, event: RunEvent, atMs: number): void {
  switch (event.kind) {
    case 'runSubmitted':
      return runs.runSubmitted(state, event, atMs);
    case 'tasksQueued':
      return runs.tasksQueued(state, event, atMs);
    case 'runUnplaceable':
      return runs.runUnplaceable(state, event);
    case 'runCancelRequested':
      return runs.runCancelRequested(state, event);
    case 'taskSettled':
      return runs.taskSettled(state, event, atMs);
    case 'runSettled':
      return runs.runSettled(state, event, atMs);
    case 'runRetired':
      return runs.runRetired(state, event);
    case 'runImported':
      return runs.runImported(state, event);
    case 'projectErased':
      return runs.projectErased(state, event);
  }
}

type RecoveryEvent = Extract<
  Event,
  { kind: 'diagnosisRevised' | 'retriesDue' | 'troubleNoted' | 'outageOpened' | 'outageProbed' | 'outageClosed' }
>;

function evolveRecovery(state: State, event: RecoveryEvent, atMs: number): void {
  switch (event.kind) {
    case 'diagnosisRevised':
      return recovery.diagnosisRevised(state, event);
    case 'retriesDue':
      return recovery.retriesDue(state, event);
    case 'troubleNoted':
      return recovery.troubleNoted(state, event);
    case 'outageOpened':
      return recovery.outageOpened(state, event, atMs);
    case 'outageProbed':
      return recovery.outageProbed(state, event);
    case 'outageClosed':
      return recovery.outageClosed(state, event);
  }
}

type AdmissionEvent = Extract<
  Event,
  {
    kind:
      | 'policySet'
      | 'alternativeOpened'
      | 'gangRestarted'
      | 'goalOutOfReach'
      | 'runPlanned'
      | 'testQuarantined'
      | 'testReleased';
  }
>;

function evolveAdmission(state: State, event: AdmissionEvent, atMs: number): void {
  switch (event.kind) {
    case 'goalOutOfReach':
      return runs.goalOutOfReach(state, event);
    case 'runPlanned':
      return runPlanned(state, event);
    case 'testQuarantined':
    case 'testReleased':
      return evolveQuarantine(state, event, atMs);
    case 'policySet':
      return runs.policySet(state, event);
    case 'alternativeOpened':
      return runs.alternativeOpened(state, event);
    case 'gangRestarted':
      return runs.gangRestarted(state, event);
  }
}

function evolveCondition(state: State, event: ConditionEvent, atMs: number): void {
  switch (event.kind) {
    case 'workerChecked':
      return conditions.workerChecked(state, event, atMs);
    case 'gateFlipped':
      return conditions.gateFlipped(state, event, atMs);
    case 'conditionChanged':
      return conditions.conditionChanged(state, event);
    case 'certificationRequested':
      return conditions.certificationRequested(state, event);
    case 'workerCertified':
      return conditions.workerCertified(state, event, atMs);
    case 'recoveryRequested':
      return conditions.recoveryRequested(state, event);
    case 'recoveryReported':
      return conditions.recoveryReported(state, event);
    case 'operatorNeeded':
      return conditions.operatorNeeded(state, event);
  }
}

function dropHistory(state: State, event: HistoryTrimmed): void {
  state.durations.dropOldest(event.durations);
  state.suites.dropOldest(event.suites);
  state.machines.dropOldest(event.machines ?? 0);
  state.retired.dropOldest(event.retiredKeys);
}

type CircuitEvent = Extract<
  Event,
  { kind: 'circuitsNoted' | 'circuitMoved' | 'certificationProbe' | 'circuitProbed' | 'circuitsForgotten' }
>;

function evolveCircuit(state: State, event: CircuitEvent, atMs: number): void {
  switch (event.kind) {
    case 'circuitsNoted':
      return circuits.circuitsNoted(state, event, atMs);
    case 'circuitMoved':
      return circuits.circuitMoved(state, event, atMs);
    case 'certificationProbe':
      return circuits.certificationProbe(state, event);
    case 'circuitProbed':
      return circuits.circuitProbed(state, event, atMs);
    case 'circuitsForgotten':
      return circuits.circuitsForgotten(state, event);
  }
}

type AttemptEvent = Extract<
  Event,
  {
    kind:
      | 'tasksAssigned'
      | 'attemptStarted'
      | 'casesRecorded'
      | 'hedgeDropped'
      | 'attemptSettled'
      | 'tasksReturned'
      | 'takeBackRequested'
      | 'cancelSent';
  }
>;

function evolveAttempt(state: State, event: AttemptEvent, atMs: number): void {
  switch (event.kind) {
    case 'tasksAssigned':
      return attempts.tasksAssigned(state, event, atMs);
    case 'attemptStarted':
      return attempts.attemptStarted(state, event, atMs);
    case 'casesRecorded':
      return attempts.casesRecorded(state, event);
    case 'hedgeDropped':
      return attempts.hedgeDropped(state, event, atMs);
    case 'attemptSettled':
      return attempts.attemptSettled(state, event, atMs);
    case 'tasksReturned':
      return attempts.tasksReturned(state, event, atMs);
    case 'takeBackRequested':
      return attempts.takeBackRequested(state, event);
    case 'cancelSent':
      return attempts.cancelSent(state, event, atMs);
  }
}

type WorkerEvent = Extract<
  Event,
  {
    kind:
      | 'workerJoined'
      | 'profileChanged'
      | 'workerDisconnected'
      | 'workerLost'
      | 'workerDraining'
      | 'workerLeft'
      | 'workerForgotten'
      | 'linksReset'
      | 'reportsAccepted';
  }
>;

function evolveWorker(state: State, event: WorkerEvent, atMs: number): void {
  switch (event.kind) {
    case 'workerJoined':
      return workers.workerJoined(state, event, atMs);
    case 'profileChanged':
      return workers.profileChanged(state, event, atMs);
    case 'workerDisconnected':
      return workers.workerDisconnected(state, event, atMs);
    case 'workerLost':
      return workers.workerLost(state, event, atMs);
    case 'workerDraining':
      return workers.workerDraining(state, event, atMs);
    case 'workerLeft':
      return workers.workerLeft(state, event, atMs);
    case 'workerForgotten':
      return workers.workerForgotten(state, event);
    case 'linksReset':
      return workers.linksReset(state, event, atMs);
    case 'reportsAccepted':
      return workers.reportsAccepted(state, event);
  }
}
