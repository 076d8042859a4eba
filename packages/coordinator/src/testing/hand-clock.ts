// Time and the loop by hand, for tests: `turn` runs what was asked for soon, `pass` moves the time and fires timers on the way.
import type { Clock } from '../ports/clock.ts';

type Timer = { readonly atMs: number; readonly act: () => void };

export class HandClock implements Clock {
  ms = 0;
  #soon: (() => void)[] = [];
  #timers: Timer[] = [];

  nowMs(): number {
    return this.ms;
  }

  after(delayMs: number, act: () => void): () => void {
    const timer = { atMs: this.ms + Math.max(0, delayMs), act };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  soon(act: () => void): void {
    this.#soon.push(act);
  }

  /** One turn of the loop. True when there was anything to do. */
  turn(): boolean {
    const due = this.#soon.splice(0);
    for (const act of due) act();
    return due.length > 0;
  }

  /** Moves the time to `toMs`; timers fire at their own times, each followed by the turns that it asks for. */
  pass(toMs: number): void {
    for (let next = this.#nextBy(toMs); next !== undefined; next = this.#nextBy(toMs)) {
      const timer = next;
      this.#timers = this.#timers.filter((other) => other !== timer);
      this.ms = Math.max(this.ms, timer.atMs);
      timer.act();
      while (this.turn());
    }
    this.ms = toMs;
  }

  /** When the timers that are set will fire, earliest first. */
  timerTimes(): number[] {
    return this.#timers.map((timer) => timer.atMs).sort((a, b) => a - b);
  }

  #nextBy(toMs: number): Timer | undefined {
    return this.#timers.filter((timer) => timer.atMs <= toMs).sort((a, b) => a.atMs - b.atMs)[0];
  }
}
