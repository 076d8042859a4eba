// A committed entry as what those who watch are told. The cases themselves stand in the entry's input: the event only says
// which report of it was recorded.
import type { Event, Input } from '@assay/core';
import { runIdOf, taskIdOf, type Case, type FeedItem, type TaskId } from '@assay/protocol';
import type { JournalEntry } from '../ports/journal.ts';
import type { LiveFacts } from './live-facts.ts';

/** The items of one entry, in the order of its events. Events that concern only the machinery have none. */
export function feedItemsOf(entry: JournalEntry, facts: LiveFacts): FeedItem[] {
  return entry.events.flatMap((event) => {
    const item = itemOf(event, entry, facts);
    return item === null ? [] : [item];
  });
}

type Of<K extends Event['kind']> = Extract<Event, { kind: K }>;

function itemOf(event: Event, entry: JournalEntry, facts: LiveFacts): FeedItem | null {
  const { atMs } = entry;
  switch (event.kind) {
    case 'runSubmitted':
      return { kind: 'runSubmitted', atMs, run: event.run, name: event.spec.name, project: event.spec.project };
    case 'tasksQueued':
      return { kind: 'tasksQueued', atMs, run: event.run, count: event.tasks.length, sealed: event.sealed };
    case 'runUnplaceable':
      return unplaceable(event, atMs);
    case 'alternativeOpened':
      return alternative(event, atMs);
    case 'gangRestarted':
      return { kind: event.kind, atMs, run: event.run, reason: event.reason };
    case 'tasksAssigned':
      return assigned(event, atMs);
    case 'attemptStarted':
      return {
        kind: 'attemptStarted',
        atMs,
        run: runIdOf(event.task),
        task: event.task,
        attempt: event.attempt,
        worker: event.worker,
        target: target(event.task, facts),
      };
    case 'casesRecorded':
      return {
        kind: 'casesRecorded',
        atMs,
        run: runIdOf(event.task),
        task: event.task,
        attempt: event.attempt,
        worker: event.worker,
        from: event.from,
        cases: casesOf(entry.input, event),
      };
    case 'attemptSettled':
      return settled(event, atMs, facts);
    case 'taskSettled':
      return {
        kind: 'taskSettled',
        atMs,
        run: runIdOf(event.task),
        task: event.task,
        target: target(event.task, facts),
        verdict: event.verdict,
        ...(event.diagnosis === undefined ? {} : { diagnosis: event.diagnosis }),
        ...(event.variant === undefined ? {} : { variant: event.variant }),
      };
    case 'runSettled': {
      const counts = facts.countsOf(event.run);
      if (counts === null) throw new Error(`${event.run} settled and is not live`);
      return { kind: 'runSettled', atMs, run: event.run, verdict: event.verdict, counts };
    }
    case 'runCancelRequested':
      return { kind: 'runCancelRequested', atMs, run: event.run, actor: event.actor, reason: event.reason };
    default:
      return workerItemOf(event, atMs);
  }
}

function workerItemOf(event: Event, atMs: number): FeedItem | null {
  switch (event.kind) {
    case 'workerJoined':
      return {
        kind: 'workerJoined',
        atMs,
        worker: event.worker,
        name: event.name,
        slots: event.slots,
        ...(event.profileChanges === undefined ? {} : { profileChanges: event.profileChanges }),
      };
    case 'profileChanged':
      return { kind: 'profileChanged', atMs, worker: event.worker, changes: event.changes ?? [] };
    case 'workerDisconnected':
      return { kind: 'workerDisconnected', atMs, worker: event.worker };
    case 'workerLost':
      return { kind: 'workerLost', atMs, worker: event.worker, attempts: event.attempts };
    case 'workerDraining':
      return { kind: 'workerDraining', atMs, worker: event.worker, reason: event.reason };
    case 'workerLeft':
      return { kind: 'workerLeft', atMs, worker: event.worker };
    default:
      return conditionItemOf(event, atMs);
  }
}

function conditionItemOf(event: Event, atMs: number): FeedItem | null {
  switch (event.kind) {
    case 'workerChecked': {
      const { kind, worker, check, device, outcome, evidence, durationMs } = event;
      return { kind, atMs, worker, check, ...(device === null ? {} : { device }), outcome, evidence, durationMs };
    }
    case 'gateFlipped':
      return { ...event, atMs };
    case 'conditionChanged': {
      const { kind, worker, device, actor, reason } = event;
      return { kind, atMs, worker, device, condition: event.to.kind, previous: event.from, actor, reason };
    }
    case 'certificationRequested':
      return { kind: 'certificationRequested', atMs, worker: event.worker, device: event.device };
    case 'workerCertified': {
      const { kind, worker, device, outcome, message } = event;
      return { kind, atMs, worker, device, outcome, message };
    }
    case 'recoveryRequested':
      return { kind: 'recoveryRequested', atMs, worker: event.worker, device: event.device, rung: event.rung };
    case 'recoveryReported': {
      const { kind, worker, device, rung, outcome, durationMs } = event;
      return { kind, atMs, worker, device, rung, outcome, durationMs };
    }
    case 'operatorNeeded':
      return { kind: 'operatorNeeded', atMs, worker: event.worker, device: event.device, reason: event.reason };
    case 'circuitMoved':
      return circuitMoved(event, atMs);
    case 'outageOpened': {
      const { kind, name, evidence } = event;
      const tasks = new Set(evidence.map(({ task }) => task)).size;
      return { kind, atMs, name, tasks, workers: new Set(evidence.map(({ worker }) => worker)).size };
    }
    case 'outageClosed': {
      const { kind, name, reason, excused } = event;
      return { kind, atMs, name, reason, excused };
    }
    default:
      return null;
  }
}

function circuitMoved({ circuit, scope, from, transition, evidence }: Of<'circuitMoved'>, atMs: number): FeedItem {
  const { to, cause, untilMs = null, actor, reason } = transition;
  return {
    kind: 'circuitMoved',
    atMs,
    circuit,
    scope,
    from,
    to,
    cause,
    untilMs,
    ...(actor === undefined ? {} : { actor }),
    ...(reason === undefined ? {} : { reason }),
    evidence,
  };
}

function unplaceable(event: Of<'runUnplaceable'>, atMs: number): FeedItem {
  const reasons = event.reasons.map(
    ({ reason, workers }) => `${reason} (${workers} ${workers === 1 ? 'worker' : 'workers'})`,
  );
  return { kind: 'runUnplaceable', atMs, run: event.run, requires: event.requires, tasks: event.tasks, reasons };
}

function alternative({ kind, run, requires, waitedMs, tasks }: Of<'alternativeOpened'>, atMs: number): FeedItem {
  return { kind, atMs, run, requires, waitedMs, tasks };
}

function assigned(event: Of<'tasksAssigned'>, atMs: number): FeedItem {
  const tasks = event.tasks.map(({ index }) => taskIdOf(event.run, index));
  return { kind: 'tasksAssigned', atMs, run: event.run, worker: event.worker, assignment: event.assignment, tasks };
}

function settled(event: Of<'attemptSettled'>, atMs: number, facts: LiveFacts): FeedItem {
  return {
    kind: 'attemptSettled',
    atMs,
    run: runIdOf(event.task),
    task: event.task,
    attempt: event.attempt,
    worker: event.worker,
    target: target(event.task, facts),
    verdict: event.verdict,
    ...(event.failure === undefined ? {} : { failure: event.failure }),
    counts: event.counts,
    ...(event.costMs === undefined ? {} : { costMs: event.costMs }),
    willRetry: event.next.kind === 'requeue',
  };
}

function casesOf(input: Input, event: Of<'casesRecorded'>): Case[] {
  if (input.kind !== 'workerReported')
    throw new Error(`cases of ${event.task} recorded by an input of kind ${input.kind}`);
  const report = input.reports.find((candidate) => candidate.seq === event.reportSeq);
  if (report?.kind !== 'cases')
    throw new Error(`cases of ${event.task} recorded from report ${event.reportSeq}, which has none`);
  // A report may start with cases that were recorded before: the event says which are new.
  const skipped = event.from - report.from;
  return report.cases.slice(skipped, skipped + event.count);
}

function target(task: TaskId, facts: LiveFacts): string {
  const found = facts.targetOf(task);
  if (found === null) throw new Error(`${task} is not live`);
  return found;
}
