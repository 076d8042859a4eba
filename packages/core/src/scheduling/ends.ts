// When workers of a class are free again by prediction: of each class the least that is left of any of its assignments, kept
// incrementally, so that asking costs as little with 10,000 workers as with ten.
//
// What is left of an assignment (left.ts) goes down as time passes until it overruns, goes up from then on, and of one whose
// first task never starts stays where it is in the end. So each assignment stands in a heap of those that move alike, by what
// does not change meanwhile, and in one by the time at which it turns.
// What always holds: the answer follows from the assignments and the time alone. It is no part of the state: made when it is first
// asked for, kept up by evolve while it is, and dropped when it is kept up for long without being asked.
import type { Assignment, State } from '../engine/state.ts';
import { IndexedHeap } from '../kernel/indexed-heap.ts';
import type { CapabilityClass } from './index-types.ts';

/** Changes without a question, per assignment, after which keeping it up is not worth it. */
const idleMax = 16;

type Motion = 'down' | 'up' | 'still';
type Turn = { readonly entry: Entry; atMs: number; heapSlot: number };
type Entry = {
  readonly assignment: Assignment;
  readonly ends: ClassEnds;
  motion: Motion;
  /** What is left at time 0, were it to move as it does now. */
  key: number;
  heapSlot: number;
};
type ClassEnds = { readonly [motion in Motion]: IndexedHeap<Entry> };

export class Ends {
  readonly #classes = new Map<CapabilityClass, ClassEnds>();
  readonly #entries = new Map<Assignment, Turn>();
  readonly #turns = new IndexedHeap<Turn>((a, b) => a.atMs < b.atMs);
  #nowMs: number;
  #idle = 0;

  constructor(state: State, nowMs: number) {
    this.#nowMs = nowMs;
    for (const assignment of state.assignments.values()) {
      const worker = state.workers.get(assignment.worker);
      if (worker !== undefined) this.note(assignment, worker.class);
    }
  }

  /** An assignment began or moved on. False: nobody has asked for long. */
  note(assignment: Assignment, capability: CapabilityClass): boolean {
    this.forget(assignment);
    let ends = this.#classes.get(capability);
    if (ends === undefined) this.#classes.set(capability, (ends = emptyEnds()));
    const entry: Entry = { assignment, ends, motion: 'down', key: 0, heapSlot: -1 };
    const turn: Turn = { entry, atMs: Infinity, heapSlot: -1 };
    this.#entries.set(assignment, turn);
    this.#put(turn);
    this.#idle += 1;
    return this.#idle <= idleMax * (this.#entries.size + 1);
  }

  forget(assignment: Assignment): void {
    const turn = this.#entries.get(assignment);
    if (turn === undefined) return;
    this.#entries.delete(assignment);
    turn.entry.ends[turn.entry.motion].remove(turn.entry);
    if (turn.heapSlot >= 0) this.#turns.remove(turn);
  }

  /** Whether it can be asked for this time: one that went back needs a new one. */
  reaches(nowMs: number): boolean {
    return nowMs >= this.#nowMs;
  }

  /** Lets time pass up to now: what overruns by then turns. */
  advance(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#idle = 0;
    for (let turn = this.#turns.peek(); turn !== undefined && turn.atMs <= nowMs; turn = this.#turns.peek()) {
      this.#turns.remove(turn);
      turn.entry.ends[turn.entry.motion].remove(turn.entry);
      this.#put(turn);
    }
  }

  /** In how many milliseconds from now the first assignment of a class is expected to be over; Infinity where it has none. */
  soonestMs(capability: CapabilityClass): number {
    const ends = this.#classes.get(capability);
    if (ends === undefined) return Infinity;
    const down = ends.down.peek();
    const up = ends.up.peek();
    return Math.min(
      down === undefined ? Infinity : down.key - this.#nowMs,
      up === undefined ? Infinity : up.key + this.#nowMs,
      ends.still.peek()?.key ?? Infinity,
    );
  }

  #put(turn: Turn): void {
    const { entry } = turn;
    const { sinceMs, runningMs, unstartedMs } = entry.assignment;
    const elapsedMs = Math.max(0, this.#nowMs - sinceMs);
    if (runningMs > 0) {
      entry.motion = elapsedMs <= runningMs ? 'down' : 'up';
      entry.key = entry.motion === 'down' ? sinceMs + runningMs + unstartedMs : unstartedMs - sinceMs;
      turn.atMs = entry.motion === 'down' ? sinceMs + runningMs + 1 : Infinity;
    } else {
      const turnsMs = Math.floor(unstartedMs / 2);
      entry.motion = elapsedMs <= turnsMs ? 'down' : elapsedMs <= unstartedMs ? 'up' : 'still';
      entry.key = entry.motion === 'down' ? sinceMs + unstartedMs : entry.motion === 'up' ? -sinceMs : unstartedMs;
      turn.atMs =
        entry.motion === 'down' ? sinceMs + turnsMs + 1 : entry.motion === 'up' ? sinceMs + unstartedMs + 1 : Infinity;
    }
    entry.ends[entry.motion].push(entry);
    if (turn.atMs !== Infinity) this.#turns.push(turn);
  }
}

function emptyEnds(): ClassEnds {
  const isSooner = (a: Entry, b: Entry): boolean => a.key < b.key;
  return {
    down: new IndexedHeap<Entry>(isSooner),
    up: new IndexedHeap<Entry>(isSooner),
    still: new IndexedHeap<Entry>(isSooner),
  };
}

/** The ends as they are now, made where nobody asked before. */
export function endsOf(state: State, nowMs: number): Ends {
  const { index } = state;
  if (index.ends === null || !index.ends.reaches(nowMs)) index.ends = new Ends(state, nowMs);
  index.ends.advance(nowMs);
  return index.ends;
}
