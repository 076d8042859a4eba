// Committed events as messages to workers: one list for each session that is concerned, in the order of the events.
// What always holds: only committed entries come in, in order; `welcome` is the first message of a session; of several
// acknowledgements in one commit only the highest is sent; what belongs to a session that is over goes nowhere.
import {
  limit,
  protocolVersion,
  taskIdOf,
  type Assign,
  type CheckSpec,
  type AttemptRef,
  type Suite,
  type CoordinatorMessage,
  type WorkerId,
} from '@assay/protocol';
import type { Event, TasksAssigned, WorkerJoined } from '@assay/core';
import type { JournalEntry } from '../ports/journal.ts';
import type { LiveFacts } from './live-facts.ts';

/** `checks` are those that every worker of the fleet gets with its welcome. */
export type PerformSettings = { heartbeatMs: number; silentAfterMs: number; checks?: readonly CheckSpec[] };
/** What one commit sends to one session; `close` ends the link after it. */
export type Delivery = { session: string; messages: CoordinatorMessage[]; close: string | null };

export class Performer {
  readonly #facts: LiveFacts;
  readonly #settings: PerformSettings;
  /** The session through which each worker is reached, by the committed events. */
  readonly #sessions = new Map<WorkerId, string>();
  #deliveries = new Map<string, Delivery>();
  #acks = new Map<string, number>();

  constructor(facts: LiveFacts, settings: PerformSettings) {
    this.#facts = facts;
    this.#settings = settings;
  }

  perform(entries: JournalEntry[]): Delivery[] {
    this.#deliveries = new Map();
    this.#acks = new Map();
    for (const entry of entries) for (const event of entry.events) this.#one(event);
    for (const [session, seq] of this.#acks) this.#to(session, { kind: 'ack', seq });
    return [...this.#deliveries.values()];
  }

  #one(event: Event): void {
    switch (event.kind) {
      case 'workerJoined':
        return this.#joined(event);
      case 'tasksAssigned':
        return this.#to(event.session, this.#assignOf(event));
      case 'takeBackRequested':
        return this.#toWorker(
          event.worker,
          ...inParts(event.attempts).map(
            (attempts) => ({ kind: 'takeBack', assignment: event.assignment, attempts }) as const,
          ),
        );
      case 'cancelSent':
        return this.#toWorker(
          event.worker,
          ...inParts(event.attempts).map(
            (attempts) => ({ kind: 'cancel', attempts, reason: event.reason.slice(0, 500) }) as const,
          ),
        );
      case 'certificationRequested':
        return this.#toWorker(event.worker, { kind: 'certify', request: event.request, ...deviceOf(event) });
      case 'recoveryRequested':
        return this.#toWorker(event.worker, {
          kind: 'recover',
          request: event.request,
          ...deviceOf(event),
          rung: event.rung,
          attempts: event.attempts,
          reason: event.reason,
          ...(event.onlyPastTimeout === undefined ? {} : { onlyPastTimeout: event.onlyPastTimeout }),
        });
      case 'reportsAccepted':
        this.#acks.set(event.session, Math.max(event.seq, this.#acks.get(event.session) ?? 0));
        return;
      case 'workerDraining':
        return this.#toWorker(event.worker, { kind: 'drain', reason: event.reason.slice(0, 500) });
      case 'workerDisconnected':
        return this.#over(event.worker, null, event.session);
      case 'workerLost':
        return this.#over(event.worker, `presumed lost: ${event.reason}`, null);
      case 'workerLeft':
        return this.#over(event.worker, `left: ${event.reason}`, null);
      case 'linksReset':
        return this.#sessions.clear();
      default:
        return;
    }
  }

  #joined(event: WorkerJoined): void {
    const before = this.#sessions.get(event.worker);
    if (before !== undefined && before !== event.session) this.#close(before, 'the worker opened a newer link');
    this.#sessions.set(event.worker, event.session);
    this.#to(event.session, {
      kind: 'welcome',
      protocolVersion,
      session: event.session,
      ackedSeq: event.ackedSeq,
      heartbeatMs: this.#settings.heartbeatMs,
      silentAfterMs: this.#settings.silentAfterMs,
      reportWindow: limit('reportsInFlight'),
      abandon: event.abandon,
      ...(this.#settings.checks === undefined || this.#settings.checks.length === 0
        ? {}
        : { checks: [...this.#settings.checks] }),
    });
  }

  #assignOf(event: TasksAssigned): Assign {
    const spec = this.#facts.specOf(event.run);
    const suite = spec?.suites[event.suite];
    if (spec === null || suite === undefined)
      throw new Error(`${event.assignment} assigns suite ${event.suite} of ${event.run}, which is not live`);
    const tasks = event.tasks.map(({ index, attempt, expectedMs }) => {
      const task = taskIdOf(event.run, index);
      const target = this.#facts.targetOf(task);
      if (target === null) throw new Error(`${event.assignment} assigns ${task}, which is not live`);
      return { task, attempt, target, expectedMs };
    });
    const devices = event.devices === undefined ? {} : { devices: event.devices };
    const { assignment, run } = event;
    const configuredSuite = configured(suite, event.variant);
    return { kind: 'assign', assignment, run, source: spec.source, suite: configuredSuite, ...devices, tasks };
  }

  #toWorker(worker: WorkerId, ...messages: CoordinatorMessage[]): void {
    const session = this.#sessions.get(worker);
    if (session !== undefined) this.#to(session, ...messages);
  }

  #to(session: string, ...messages: CoordinatorMessage[]): void {
    this.#of(session).messages.push(...messages);
  }

  #close(session: string, reason: string): void {
    this.#of(session).close ??= reason;
  }

  /** The worker's session is over; with a reason its link is closed from here. `session`: only if it is still this one. */
  #over(worker: WorkerId, reason: string | null, session: string | null): void {
    const current = this.#sessions.get(worker);
    if (current === undefined || (session !== null && session !== current)) return;
    this.#sessions.delete(worker);
    if (reason !== null) this.#close(current, reason);
  }

  #of(session: string): Delivery {
    let delivery = this.#deliveries.get(session);
    if (delivery === undefined) {
      delivery = { session, messages: [], close: null };
      this.#deliveries.set(session, delivery);
    }
    return delivery;
  }
}

/** On the wire the worker as a whole is a device that is not named. */
function deviceOf({ device }: { readonly device: string | null }): { device?: string } {
  return device === null ? {} : { device };
}

/** Lists of attempts as long as one message may carry. */
function inParts(attempts: AttemptRef[]): AttemptRef[][] {
  const max = limit('batchTasksMax');
  return Array.from({ length: Math.ceil(attempts.length / max) }, (_, part) =>
    attempts.slice(part * max, (part + 1) * max),
  );
}

/** The suite as it runs: in the variant's configuration where the assignment is of one. */
function configured(suite: Suite, variant: number | undefined): Suite {
  const chosen = variant === undefined ? undefined : suite.variants?.[variant];
  if (variant === undefined) return suite;
  if (chosen === undefined) throw new Error(`suite ${suite.name} has no variant ${variant}`);
  return { ...suite, env: { ...suite.env, ...chosen.env } };
}
