// Test support: agents in virtual time around the real engine. Each slot starts its batch's runner, then runs the batch's files
// one after another, each taking its real time, which the engine does not know; asked for work back, an agent gives what it
// has not started. Messages take `latencyMs`. Deterministic: due events are handled in order of time, then of creation.
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
};

type Timed = { readonly atMs: number; readonly order: number; readonly act: () => void };
type Slot = { readonly worker: string; queue: AttemptRef[]; isFirst: boolean };

export class Fleet {
  readonly lab: Lab;
  readonly #realMs: (target: string) => number;
  readonly #startupMs: number;
  readonly #latencyMs: number;
  readonly #due: Timed[] = [];
  readonly #slots = new Map<string, Slot>();
  #order = 0;
  #result: FleetResult = { makespanMs: 0, assignments: 0, takeBacks: 0, returned: 0, startupMs: 0, workMs: 0 };

  constructor(of: {
    workers: number;
    slots: number;
    realMs: (target: string) => number;
    startupMs: number;
    latencyMs?: number;
    config?: Partial<EngineConfig>;
  }) {
    this.lab = new Lab(of.config);
    this.lab.areInvariantsChecked = false;
    this.#realMs = of.realMs;
    this.#startupMs = of.startupMs;
    this.#latencyMs = of.latencyMs ?? 2;
    for (let number = 0; number < of.workers; number += 1) this.lab.join(`w${number}`, { slots: of.slots });
  }

  /** Submits, and lives until the run is settled. */
  run(...submission: Parameters<Lab['submit']>): FleetResult {
    this.#result = { makespanMs: 0, assignments: 0, takeBacks: 0, returned: 0, startupMs: 0, workMs: 0 };
    const begunMs = this.lab.nowMs;
    const run = this.lab.submit(...submission);
    this.#deliver(this.lab.journal.at(-1)?.events ?? []);
    while (this.lab.engine.state.runs.get(run)?.state.kind !== 'settled') this.#next();
    this.#due.length = 0;
    this.#slots.clear();
    return { ...this.#result, makespanMs: this.lab.nowMs - begunMs };
  }

  #next(): void {
    this.#due.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
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
    this.#due.push({ atMs: this.lab.nowMs + inMs, order: this.#order, act });
  }

  #deliver(events: readonly Event[]): void {
    for (const event of events) {
      if (event.kind === 'tasksAssigned') this.#at(this.#latencyMs, () => this.#begin(event));
      if (event.kind === 'takeBackRequested') {
        this.#result.takeBacks += 1;
        this.#at(this.#latencyMs, () => this.#giveBack(event.assignment, event.worker, event.attempts));
      }
    }
  }

  #begin(event: TasksAssigned): void {
    this.#result.assignments += 1;
    this.#result.startupMs += this.#startupMs;
    const slot: Slot = { worker: event.worker, queue: refsOf(event), isFirst: true };
    this.#slots.set(event.assignment, slot);
    this.#at(this.#startupMs, () => this.#startNext(slot));
  }

  #startNext(slot: Slot): void {
    const ref = slot.queue.shift();
    if (ref === undefined) return;
    this.#deliver(this.lab.start(slot.worker, ref));
    const realMs = this.#realMs(this.#targetOf(ref.task));
    const startup = slot.isFirst ? { startupMs: this.#startupMs } : {};
    slot.isFirst = false;
    this.#at(realMs, () => {
      this.#result.workMs += realMs;
      this.#deliver(this.lab.finish(slot.worker, ref, { costMs: realMs, ...startup }));
      this.#startNext(slot);
    });
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
