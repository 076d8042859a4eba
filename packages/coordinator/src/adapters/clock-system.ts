// The machine's clock. What always holds: `nowMs` never goes backwards in this process, though the machine's clock may.
import type { Clock } from '../ports/clock.ts';

/** Longest delay that a Node timer takes; above it the timer would fire at once. */
const delayMaxMs = 2 ** 31 - 1;

export function createSystemClock(): Clock {
  let latestMs = 0;
  return {
    nowMs: () => {
      latestMs = Math.max(latestMs, Date.now());
      return latestMs;
    },
    after: (delayMs, act) => {
      const timer = setTimeout(act, Math.min(Math.max(0, delayMs), delayMaxMs));
      return () => clearTimeout(timer);
    },
    soon: (act) => {
      setImmediate(act);
    },
  };
}
