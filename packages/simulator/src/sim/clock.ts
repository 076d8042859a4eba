// The clock port in virtual time. The machine's wall clock may be set forward or back; what the process sees of that is
// decided by the production adapter's own rule.
import { steadyClock, type Clock } from '@assay/coordinator/simulation';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

/** When the simulations begin: an arbitrary moment, so that times look like times. */
export const epochMs = 1_700_000_000_000;

export class WallClock {
  readonly #world: World;
  #offsetMs: number;

  constructor(world: World, offsetMs = 0) {
    this.#world = world;
    this.#offsetMs = offsetMs;
  }

  nowMs(): number {
    return epochMs + this.#world.nowMs + this.#offsetMs;
  }

  jump(byMs: number): void {
    this.#offsetMs += byMs;
  }
}

export function createSimClock(world: World, process: SimProcess, wall: WallClock, notBeforeMs = 0): Clock {
  return {
    nowMs: steadyClock(
      () => wall.nowMs(),
      () => world.nowMs,
      notBeforeMs,
    ),
    after: (delayMs, act) => process.after(delayMs, act),
    soon: (act) => void process.after(0, act),
  };
}
