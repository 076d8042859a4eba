// One simulated process: its timers die with it, and while it is stopped (SIGSTOP, a suspended machine) nothing in it
// happens; what came due meanwhile happens when it goes on, timers before what waits in its sockets, as in a real loop.
import type { World } from './world.ts';

export class SimProcess {
  readonly name: string;
  readonly #world: World;
  #isAlive = true;
  #pauses = 0;
  #lateTimers: (() => void)[] = [];
  #lateArrivals: (() => void)[] = [];

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#pauses > 0;
  }

  after(delayMs: number, act: () => void): () => void {
    let isCanceled = false;
    const once = (): void => {
      if (!isCanceled && this.#isAlive) act();
    };
    const cancel = this.#world.after(delayMs, () => {
      if (this.#pauses > 0) this.#lateTimers.push(once);
      else once();
    });
    return () => {
      isCanceled = true;
      cancel();
    };
  }

  /** Something came in from outside: acted on now, or when the process goes on. */
  arrive(act: () => void): void {
    if (!this.#isAlive) return;
    if (this.#pauses > 0) this.#lateArrivals.push(act);
    else act();
  }

  pause(forMs: number): void {
    if (!this.#isAlive) return;
    this.#pauses += 1;
    this.#world.trace(this.name, `stopped for ${Math.round(forMs)} ms`);
    this.#world.after(forMs, () => this.#resume());
  }

  kill(): void {
    this.#isAlive = false;
    this.#lateTimers = [];
    this.#lateArrivals = [];
  }

  #resume(): void {
    this.#pauses -= 1;
    if (this.#pauses > 0 || !this.#isAlive) return;
    this.#world.trace(this.name, 'goes on');
    const late = [...this.#lateTimers.splice(0), ...this.#lateArrivals.splice(0)];
    this.#world.expectPromises();
    for (const act of late) if (this.#isAlive) act();
  }
}
