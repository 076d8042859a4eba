// The projection of the journal onto rows: pure, synchronous, in order of the entries.
//
// Why it is apart from the stores: what the rows say is decided once, and tested without a database. What always holds:
//   - the rows depend on the entries alone, never on how they were split into batches;
//   - a case is stored because a `casesRecorded` event names it, never because a report carries it: refused and
//     repeated reports make no rows;
//   - events of a run that this store never saw (its rows were lost, the journal has dropped its start) are counted in
//     `unknownRuns` and leave no rows, rather than rows that join with nothing.
import type { Event, ProjectErased, QuarantineEvent, RunImported } from '@assay/core';
import type { JournalEntry } from '../ports/journal.ts';
import { projectAttemptEvent } from './project-attempt-event.ts';
import { projectCircuitEvent } from './project-circuit-event.ts';
import { projectImport } from './project-import.ts';
import { projectRunEvent } from './project-run-event.ts';
import { projectWorkerEvent } from './project-worker-event.ts';
import { recordEvent } from './projection.ts';
import type { EntryContext, Projection } from './projection.ts';

/** Adds the rows of one entry to the batch. */
export function project(projection: Projection, entry: JournalEntry): void {
  const context: EntryContext = { entry, settling: new Map(), reports: null, ordinal: 0 };
  for (const event of entry.events) {
    if (event.kind === 'runImported' || event.kind === 'projectErased') projectImport(projection, context, event);
    else if (event.kind === 'testQuarantined' || event.kind === 'testReleased') {
      const { kind, ...detail } = event;
      recordEvent(projection, context, kind, { detail });
    } else projectEvent(projection, context, event);
  }
  // At the end of the entry, not of the batch: what a later entry finds must not depend on where a batch ended.
  for (const event of entry.events) {
    if (event.kind === 'runSettled') projection.runs.delete(event.run);
    else if (event.kind === 'workerForgotten') projection.workers.delete(event.worker);
  }
}

type OtherEvent = Exclude<Event, RunImported | ProjectErased | QuarantineEvent>;

function projectEvent(projection: Projection, context: EntryContext, event: OtherEvent): void {
  switch (event.kind) {
    case 'runSubmitted':
    case 'tasksQueued':
    case 'runUnplaceable':
    case 'runCancelRequested':
    case 'runSettled':
    case 'runRetired':
    case 'taskSettled':
    case 'diagnosisRevised':
      return projectRunEvent(projection, context, event);
    case 'tasksAssigned':
    case 'attemptStarted':
    case 'casesRecorded':
    case 'hedgeDropped':
    case 'attemptSettled':
    case 'tasksReturned':
    case 'takeBackRequested':
    case 'cancelSent':
    case 'reportsRefused':
      return projectAttemptEvent(projection, context, event);
    case 'workerJoined':
    case 'workerRefused':
    case 'profileChanged':
    case 'workerDisconnected':
    case 'workerLost':
    case 'workerDraining':
    case 'workerLeft':
    case 'workerForgotten':
    case 'linksReset':
    case 'workerChecked':
    case 'gateFlipped':
    case 'conditionChanged':
    case 'certificationRequested':
    case 'workerCertified':
    case 'recoveryRequested':
    case 'recoveryReported':
    case 'operatorNeeded':
      return projectWorkerEvent(projection, context, event);
    case 'outageOpened':
    case 'outageClosed':
    case 'circuitMoved':
    case 'circuitProbed':
      return projectCircuitEvent(projection, context, event);
    case 'reportsAccepted':
    case 'historyTrimmed':
    case 'runPlanned':
    case 'goalOutOfReach':
    // What was laid down and why something waited: the journal has it, and nothing of a result depends on it.
    case 'policySet':
    case 'alternativeOpened':
    case 'gangRestarted':
    // What a circuit counted stands in the attempts that it counted.
    case 'circuitsNoted':
    case 'certificationProbe':
    case 'circuitsForgotten':
    // Retries and who looks are seen in the attempts; what failed alike, in the trouble that it makes.
    case 'retriesDue':
    case 'troubleNoted':
    case 'outageProbed':
      return;
  }
}
