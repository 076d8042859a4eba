// Test support: agents in virtual time around the real engine. Each slot starts its batch's runner, then runs the batch's files
// one after another, each taking its real time on that worker, which the engine does not know; asked for work back, an agent
// gives what it has not started; told to cancel, it ends what runs. Messages take `latencyMs`. Deterministic: due events are
// handled in order of time, then of creation.
import type { AttemptRef, RunId, TaskId } from '@assay/protocol';
import type { EngineConfig } from '../engine/config.ts';
import type { Event, TasksAssigned } from '../engine/events.ts';
import { Lab, refsOf } from './lab.ts';

export type FleetResult = {
  /** From submission to the last settled task. */
  makespanMs: number;
  assignments: number;
  takeBacks: number;
  returned: number;
  /** Time spent starting runners, over all slots. */
  startupMs: number;
  workMs: number;
  /** Attempts that ended as canceled: duplicates that came second, mostly. */
  canceled: number;
  /** Slot time that each worker spent on files, those canceled included. */
  readonly busyMs: Map<string, number>;
  /** From submission to each task's first start. */
  readonly waitsMs: Map<TaskId, number>;
};

/** A worker of a fleet that is not all alike: what its hello says differently. */
export type FleetWorker = { readonly name: string; readonly hello: NonNullable<Parameters<Lab['join']>[1]> };

type Timed = { readonly atMs: number; readonly order: number; readonly act: () => void };
type Running = { readonly ref: AttemptRef; readonly sinceMs: number; isStopped: boolean };
type Slot = { readonly worker: string; queue: AttemptRef[]; isFirst: boolean; running: Running | null };

export class Fleet {
  readonly lab: Lab;
  readonly #realMs: (target: string, worker: string) => number;
  readonly #startupMs: number;
  readonly #latencyMs: number;
  readonly #due: Timed[] = [];
  readonly #slots = new Map<string, Slot>();
  #order = 0;
  #result: FleetResult = emptyResult();
  #begunMs = 0;

  constructor(of: {
    workers: number | readonly FleetWorker[];
    /** Of each worker whose hello does not say. */
    slots: number;
    realMs: (target: string, worker: string) => number;
    startupMs: number;
    latencyMs?: number;
    config?: Partial<EngineConfig>;
  }) {
    this.lab = new Lab(of.config);
    this.lab.areInvariantsChecked = false;
    this.#realMs = of.realMs;
    this.#startupMs = of.startupMs;
    this.#latencyMs = of.latencyMs ?? 2;
    const workers =
      typeof of.workers === 'number'
        ? Array.from({ length: of.workers }, (_, number) => ({ name: `w${number}`, hello: {} }))
        : of.workers;
    for (const { name, hello } of workers) this.lab.join(name, { slots: of.slots, ...hello });
  }

  /** Submits, and lives until the run is settled. */
  run(...submission: Parameters<Lab['submit']>): FleetResult {
    this.#result = emptyResult();
    this.#begunMs = this.lab.nowMs;
    const run = this.lab.submit(...submission);
    this.#deliver(this.lab.journal.at(-1)?.events ?? []);
    while (this.lab.engine.state.runs.get(run)?.state.kind !== 'settled') this.#next();
    const makespanMs = this.lab.nowMs - this.#begunMs;
    // What is canceled at the end still says so, and frees its slot for the next run.
    while (this.#due.length > 0) this.#next();
    this.#slots.clear();
    return { ...this.#result, makespanMs };
  }

  /** Submits each at its time, and lives until all of them are settled. */
  runAll(
    submissions: readonly { readonly atMs: number; readonly submission: Parameters<Lab['submit']> }[],
  ): FleetResult {
    this.#result = emptyResult();
    this.#begunMs = this.lab.nowMs;
    let open = submissions.length;
    const runs: RunId[] = [];
    for (const { atMs, submission } of submissions)
      this.#at(atMs, () => {
        runs.push(this.lab.submit(...submission));
        this.#deliver(this.lab.journal.at(-1)?.events ?? []);
        open -= 1;
      });
    const isOver = (): boolean =>
      open === 0 && runs.every((run) => this.lab.engine.state.runs.get(run)?.state.kind === 'settled');
    while (this.#due.length > 0 || !isOver()) this.#next();
    this.#slots.clear();
    return { ...this.#result, makespanMs: this.lab.nowMs - this.#begunMs };
  }

  #next(): void {
    const deadlineMs = this.lab.engine.nextDeadlineMs();
    const first = this.#due[0];
    if (deadlineMs !== null && (first === undefined || deadlineMs < first.atMs)) {
      this.lab.nowMs = Math.max(this.lab.nowMs, deadlineMs);
      this.#deliver(this.lab.step({ kind: 'timePassed' }));
      return;
    }
    if (first === undefined) throw new Error('nothing happens any more, and the run is not settled');
    this.#due.shift();
    this.lab.nowMs = first.atMs;
    first.act();
  }

  #at(inMs: number, act: () => void): void {
    this.#order += 1;
    const timed = { atMs: this.lab.nowMs + inMs, order: this.#order, act };
    let place = this.#due.length;
    while (place > 0 && this.#due[place - 1]!.atMs > timed.atMs) place -= 1;
    this.#due.splice(place, 0, timed);
  }

  #deliver(events: readonly Event[]): void {
    for (const event of events) {
      if (event.kind === 'tasksAssigned') this.#at(this.#latencyMs, () => this.#begin(event));
      if (event.kind === 'takeBackRequested') {
        this.#result.takeBacks += 1;
        this.#at(this.#latencyMs, () => this.#giveBack(event.assignment, event.worker, event.attempts));
      }
      if (event.kind === 'cancelSent') this.#at(this.#latencyMs, () => this.#cancel(event.worker, event.attempts));
    }
  }

  #begin(event: TasksAssigned): void {
    this.#result.assignments += 1;
    this.#result.startupMs += this.#startupMs;
    const slot: Slot = { worker: event.worker, queue: refsOf(event), isFirst: true, running: null };
    this.#slots.set(event.assignment, slot);
    this.#at(this.#startupMs, () => this.#startNext(slot));
  }

  #startNext(slot: Slot): void {
    const ref = slot.queue.shift();
    if (ref === undefined) return;
    const running: Running = { ref, sinceMs: this.lab.nowMs, isStopped: false };
    slot.running = running;
    if (!this.#result.waitsMs.has(ref.task)) this.#result.waitsMs.set(ref.task, this.lab.nowMs - this.#begunMs);
    this.#deliver(this.lab.start(slot.worker, ref));
    const realMs = this.#realMs(this.#targetOf(ref.task), slot.worker);
    const startup = slot.isFirst ? { startupMs: this.#startupMs } : {};
    slot.isFirst = false;
    this.#at(realMs, () => {
      if (running.isStopped) return;
      this.#result.workMs += realMs;
      this.#ended(slot, running);
      this.#deliver(this.lab.finish(slot.worker, ref, { costMs: realMs, ...startup }));
      this.#startNext(slot);
    });
  }

  #ended(slot: Slot, running: Running): void {
    const { busyMs } = this.#result;
    busyMs.set(slot.worker, (busyMs.get(slot.worker) ?? 0) + this.lab.nowMs - running.sinceMs);
    slot.running = null;
  }

  /** What waits ends at once, what runs is killed; the slot goes on with what is left. */
  #cancel(worker: string, asked: readonly AttemptRef[]): void {
    const isAsked = (ref: AttemptRef): boolean =>
      asked.some(({ task, attempt }) => task === ref.task && attempt === ref.attempt);
    for (const slot of this.#slots.values()) {
      if (slot.worker !== worker) continue;
      const ends = slot.queue.filter(isAsked);
      slot.queue = slot.queue.filter((ref) => !isAsked(ref));
      const { running } = slot;
      if (running !== null && isAsked(running.ref)) {
        running.isStopped = true;
        this.#ended(slot, running);
        ends.push(running.ref);
      }
      this.#result.canceled += ends.length;
      for (const ref of ends) this.#deliver(this.lab.finish(worker, ref, canceledOutcome));
      if (running?.isStopped === true) this.#startNext(slot);
    }
  }

  #giveBack(assignment: string, worker: string, asked: readonly AttemptRef[]): void {
    const slot = this.#slots.get(assignment);
    if (slot === undefined) return;
    const back = slot.queue.filter((ref) => asked.some(({ task }) => task === ref.task));
    slot.queue = slot.queue.filter((ref) => !back.includes(ref));
    this.#result.returned += back.length;
    if (back.length > 0)
      this.#deliver(this.lab.report(worker, { kind: 'returned', attempts: back, reason: 'takenBack' }));
  }

  #targetOf(id: TaskId): string {
    const run = this.lab.engine.state.runs.get(id.slice(0, id.lastIndexOf('.')) as RunId);
    return run?.tasks[Number(id.slice(id.lastIndexOf('.') + 1))]?.target ?? '';
  }
}

const canceledOutcome = {
  verdict: 'canceled',
  counts: { passed: 0, failed: 0, skipped: 0, todo: 0 },
  failure: { class: 'unknown', code: 'CANCELED', message: 'canceled' },
} as const;

function emptyResult(): FleetResult {
  return {
    makespanMs: 0,
    assignments: 0,
    takeBacks: 0,
    returned: 0,
    startupMs: 0,
    workMs: 0,
    canceled: 0,
    busyMs: new Map(),
    waitsMs: new Map(),
  };
}
