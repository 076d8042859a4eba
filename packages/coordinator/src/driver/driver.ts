// Drives the engine: collects the inputs of one turn of the loop, steps each, appends what followed in one durable batch, and
// only then tells anyone. Why callbacks and no promises: the simulator drives this same code synchronously in virtual time.
// What always holds:
// - inputs are stepped in the order in which they were submitted, each once;
// - `onCommitted` sees entries in order, each once, only when they are durable; replies come after, in order;
// - a reply waits for everything that was decided before it, also where its own step journalled nothing: it may rest on it;
// - the engine may run ahead of the disk, what is seen outside never does;
// - after a failed append, or a bug in the engine, nothing more is stepped, told or replied: `onFatal` is called once.
import type { Input, Reply, StepResult } from '@assay/core';
import { AssayError } from '@assay/protocol';
import type { Clock } from '../ports/clock.ts';
import type { Journal, JournalEntry } from '../ports/journal.ts';
import { workOf } from './work.ts';

/** What became of an input: durable with its reply, or refused because the driver had stopped. */
export type Outcome = { kind: 'durable'; reply: Reply } | { kind: 'failed'; error: AssayError };
export type OnOutcome = (outcome: Outcome) => void;

/** As much of core's Engine as is needed to drive it. */
export type DrivenEngine = {
  readonly state: { readonly seq: number };
  step(input: Input, nowMs: number): StepResult;
  nextDeadlineMs(): number | null;
};

export type DriverOptions = {
  engine: DrivenEngine;
  journal: Journal;
  clock: Clock;
  onCommitted: (entries: JournalEntry[]) => void;
  /** The journal cannot be written, or the engine met a bug: the process has to end and recover. */
  onFatal: (error: unknown) => void;
  limits?: Partial<DriverLimits>;
};

export type DriverLimits = {
  /** Units of work (work.ts) that wait to be stepped or committed; above it `isBusy`, and whoever reads from the network pauses. */
  workMax: number;
  /** Units stepped in one turn (one input at least), so that one turn stays short: 4,000 reports are about 40 ms. */
  workPerTurn: number;
  /** Appends under way at once. With more, a slow disk would make many small commits of what could be one. */
  appendsMax: number;
};

export const driverDefaults: DriverLimits = { workMax: 40_000, workPerTurn: 4_000, appendsMax: 2 };

export interface Driver {
  submit(input: Input, onOutcome?: OnOutcome): void;
  isBusy(): boolean;
  /** Calls back when all that the engine's state shows now is durable; at once where it is. */
  whenDurable(act: () => void): void;
  /** Takes no more inputs; calls back when all that were taken are committed and replied to. */
  stop(done: () => void): void;
}

type Waiting = { input: Input; work: number; onOutcome: OnOutcome | undefined };
type Step = { entry: JournalEntry | null; reply: Reply; work: number; onOutcome: OnOutcome | undefined };

export function createDriver(options: DriverOptions): Driver {
  return new LoopDriver(options);
}

/** A timer that is not due yet is set again at least this often, because clocks jump and timers have a longest delay. */
const timerMaxMs = 3_600_000;

class LoopDriver implements Driver {
  readonly #options: DriverOptions;
  readonly #limits: DriverLimits;
  #inputs: Waiting[] = [];
  /** Stepped, not yet handed to the journal. */
  #stepped: Step[] = [];
  #isTurnDue = false;
  #appends = 0;
  /** Inputs taken whose outcome was not told yet. */
  #open = 0;
  #openWork = 0;
  #timer: { atMs: number; cancel: () => void } | null = null;
  #state: { kind: 'running' } | { kind: 'stopping'; done: () => void } | { kind: 'stopped' } | { kind: 'dead' } = {
    kind: 'running',
  };

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#limits = { ...driverDefaults, ...options.limits };
    this.#armTimer();
  }

  submit(input: Input, onOutcome?: OnOutcome): void {
    if (this.#state.kind !== 'running') {
      const error = new AssayError('SHUTTING_DOWN', 'the coordinator is stopping');
      if (onOutcome !== undefined) this.#options.clock.soon(() => onOutcome({ kind: 'failed', error }));
      return;
    }
    const work = workOf(input);
    this.#inputs.push({ input, work, onOutcome });
    this.#open += 1;
    this.#openWork += work;
    this.#turnSoon();
  }

  isBusy(): boolean {
    return this.#openWork >= this.#limits.workMax;
  }

  whenDurable(act: () => void): void {
    if (this.#state.kind === 'dead') return;
    if (this.#appends === 0 && this.#stepped.length === 0) return act();
    this.#open += 1;
    this.#stepped.push({ entry: null, reply: { kind: 'accepted' }, work: 0, onOutcome: act });
  }

  stop(done: () => void): void {
    const state = this.#state;
    if (state.kind === 'stopping') {
      // Asked twice: both wait for the same end.
      this.#state = { kind: 'stopping', done: () => (state.done(), done()) };
      return;
    }
    if (state.kind !== 'running') return this.#options.clock.soon(done);
    this.#timer?.cancel();
    this.#timer = null;
    this.#state = { kind: 'stopping', done };
    this.#finishIfStopped();
  }

  #turnSoon(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.#options.clock.soon(() => {
      this.#isTurnDue = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#state.kind === 'dead') return;
    const taken = this.#takeInputs();
    try {
      for (const { input, work, onOutcome } of taken) this.#stepped.push({ ...this.#step(input), work, onOutcome });
    } catch (error) {
      // A bug: the state may be half changed, so nothing that was decided in this turn may become true.
      return this.#die(error);
    }
    this.#flush();
    this.#armTimer();
    if (this.#inputs.length > 0) this.#turnSoon();
  }

  #takeInputs(): Waiting[] {
    let count = 0;
    for (let work = 0; count < this.#inputs.length && work < this.#limits.workPerTurn; count += 1)
      work += this.#inputs[count]!.work;
    return this.#inputs.splice(0, count);
  }

  #step(input: Input): { entry: JournalEntry | null; reply: Reply } {
    const { engine, clock } = this.#options;
    const atMs = clock.nowMs();
    const { events, reply } = engine.step(input, atMs);
    return { entry: events.length === 0 ? null : { seq: engine.state.seq, atMs, input, events }, reply };
  }

  /** Hands what was stepped to the journal, as one batch, unless enough is under way. */
  #flush(): void {
    if (this.#stepped.length === 0 || this.#appends >= this.#limits.appendsMax) return;
    const entries = this.#stepped.flatMap((step) => (step.entry === null ? [] : [step.entry]));
    // Nothing to write, but its replies may rest on what is still being written: they wait for it.
    if (entries.length === 0 && this.#appends > 0) return;
    const steps = this.#stepped;
    this.#stepped = [];
    if (entries.length === 0) return this.#tell(steps, entries);
    this.#appends += 1;
    this.#options.journal.append(entries, (error) => {
      if (this.#state.kind === 'dead') return;
      if (error !== null) return this.#die(error);
      this.#appends -= 1;
      this.#tell(steps, entries);
      this.#flush();
    });
  }

  /** Tells the outside. What it calls must not throw: if it does, who was told what is unknown, and only recovery helps. */

  #tell(steps: Step[], entries: JournalEntry[]): void {
    try {
      if (entries.length > 0) this.#options.onCommitted(entries);
      this.#open -= steps.length;
      for (const { work } of steps) this.#openWork -= work;
      for (const { reply, onOutcome } of steps) onOutcome?.({ kind: 'durable', reply });
    } catch (error) {
      return this.#die(error);
    }
    this.#finishIfStopped();
  }

  #finishIfStopped(): void {
    if (this.#state.kind !== 'stopping' || this.#open > 0) return;
    const { done } = this.#state;
    this.#state = { kind: 'stopped' };
    done();
  }

  #die(error: unknown): void {
    if (this.#state.kind === 'dead') return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#state = { kind: 'dead' };
    this.#inputs = [];
    this.#stepped = [];
    this.#options.onFatal(error);
  }

  #armTimer(): void {
    if (this.#state.kind !== 'running') return;
    const deadlineMs = this.#options.engine.nextDeadlineMs();
    if (deadlineMs === this.#timer?.atMs) return;
    this.#timer?.cancel();
    this.#timer = null;
    if (deadlineMs === null) return;
    // At least one millisecond: an engine that asks for a deadline in the past again and again must not spin the loop.
    const delayMs = Math.min(timerMaxMs, Math.max(1, deadlineMs - this.#options.clock.nowMs()));
    this.#timer = { atMs: deadlineMs, cancel: this.#options.clock.after(delayMs, () => this.#onTimer(deadlineMs)) };
  }

  #onTimer(deadlineMs: number): void {
    this.#timer = null;
    if (this.#options.clock.nowMs() >= deadlineMs) this.submit({ kind: 'timePassed' });
    else this.#armTimer();
  }
}
