// Virtual time: a queue of what is going to happen, by time and then by order of planning, and a trace of what did.
// What always holds: the same seed makes the same trace, and the digest is over all of it; time moves only from one planned
// moment to the next; nothing in the simulation reads a real clock.
//
// Some production parts wait on promises. They settle between two planned moments: what may have started one says
// `expectPromises`, and the loop lets them run dry, in the order in which the engine of JavaScript always runs them.
import { createHash } from 'node:crypto';

type Planned = { atMs: number; id: number; act: () => void; isCanceled: boolean };

/** Something that must hold does not. */
export class Violation extends Error {
  readonly invariant: string;
  constructor(invariant: string, message: string) {
    super(message);
    this.invariant = invariant;
  }
}

export type WorldOptions = { traceMax?: number; onTrace?: (line: string) => void };

export class World {
  nowMs = 0;
  /** Moments that were acted on. */
  steps = 0;
  /** The first thing that went wrong; the loop ends with it. */
  violation: Violation | null = null;
  readonly #options: WorldOptions;
  readonly #heap: Planned[] = [];
  readonly #hash = createHash('sha256');
  readonly #lines: string[] = [];
  #planned = 0;
  #mayHavePromises = false;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
  }

  /** Plans `act`; the returned function cancels it. */
  after(delayMs: number, act: () => void): () => void {
    const planned = { atMs: this.nowMs + Math.max(0, delayMs), id: this.#planned, act, isCanceled: false };
    this.#planned += 1;
    this.#push(planned);
    return () => {
      planned.isCanceled = true;
    };
  }

  trace(who: string, what: string): void {
    const line = `${clockText(this.nowMs)} ${who.padEnd(11)} ${what}`;
    this.#hash.update(line);
    this.#lines.push(line);
    if (this.#lines.length > 2 * (this.#options.traceMax ?? 200)) this.#lines.splice(0, this.#options.traceMax ?? 200);
    this.#options.onTrace?.(line);
  }

  /** The last lines of the trace. */
  lastLines(count: number): string[] {
    return this.#lines.slice(-count);
  }

  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 32);
  }

  expectPromises(): void {
    this.#mayHavePromises = true;
  }

  /** Ends the simulation with a violated invariant. The first one counts. */
  violate(invariant: string, message: string): void {
    if (this.violation !== null) return;
    this.violation = new Violation(invariant, message);
    this.trace('INVARIANT', `${invariant}: ${message}`);
  }

  /** Acts on what is planned until `isDone`, until nothing is left, or until `untilMs`. */
  async run(untilMs: number, isDone: () => boolean = () => false, stepsMax = Number.MAX_SAFE_INTEGER): Promise<void> {
    while (this.violation === null && !isDone() && this.steps < stepsMax) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#pop();
      if (next.isCanceled) continue;
      this.nowMs = next.atMs;
      this.steps += 1;
      try {
        next.act();
        if (this.#mayHavePromises) await this.#settlePromises();
      } catch (error) {
        if (error instanceof Violation) this.violate(error.invariant, error.message);
        else this.violate('no bug', String(error instanceof Error ? error.stack : error));
      }
    }
    if (this.#heap[0] === undefined || this.#heap[0].atMs > untilMs)
      this.nowMs = Math.max(this.nowMs, Math.min(untilMs, Number.MAX_SAFE_INTEGER));
  }

  async #settlePromises(): Promise<void> {
    this.#mayHavePromises = false;
    // A turn of the real loop runs every promise that can run, and those that they start.
    await new Promise((resolve) => setImmediate(resolve));
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let at = heap.push(planned) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, planned)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = planned;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (isBefore(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.id < b.id);
}

/** Virtual time as it stands in traces: seconds and milliseconds since the start. */
export function clockText(ms: number): string {
  return `${(Math.floor(ms) / 1000).toFixed(3)}s`.padStart(10);
}
