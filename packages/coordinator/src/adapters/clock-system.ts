// The machine's clock. What always holds: `nowMs` never goes backwards and never stands still, though the machine's clock may be set
// back, while the process runs or between two starts: by an hour, and every deadline of a clock that only waited would be an hour
// late. So a coordinator goes on from the last time in its journal; where that is ahead, it stays ahead until the machine's
// clock has caught up.
import type { Clock } from '../ports/clock.ts';

/** Longest delay that a Node timer takes; above it the timer would fire at once. */
const delayMaxMs = 2 ** 31 - 1;

/** `notBeforeMs`: what was the time already; `warn` is told where that is far ahead of this machine. */
export function createSystemClock(notBeforeMs = 0, warn: (message: string) => void = () => {}): Clock {
  const ahead = aheadOfMachine(notBeforeMs, Date.now());
  if (ahead !== null) warn(ahead);
  return {
    nowMs: steadyClock(Date.now, () => performance.now(), notBeforeMs),
    after: (delayMs, act) => {
      const timer = setTimeout(act, Math.min(Math.max(0, delayMs), delayMaxMs));
      return () => clearTimeout(timer);
    },
    soon: (act) => {
      setImmediate(act);
    },
  };
}

/** Told once at the start where the journal is ahead of the machine by more than this. */
const aheadToTellMs = 60_000;

/** What people must know where the journal's last time is ahead of the machine's clock, or null. */
export function aheadOfMachine(lastAtMs: number, wallMs: number): string | null {
  const aheadMs = lastAtMs - wallMs;
  if (aheadMs < aheadToTellMs) return null;
  return `the journal ends at ${new Date(lastAtMs).toISOString()}, ${Math.round(aheadMs / 1_000)} s ahead of this machine's clock (${new Date(wallMs).toISOString()}): one of the two was or is wrong; times go on from the journal's, and are ahead until the machine has caught up. Deadlines and windows are right`;
}

/**
 * Milliseconds by the machine's steady clock, from the time of day at which this process started: for durations and windows,
 * where only differences matter. One reading, where `nowMs` of the system clock takes two.
 */
export function createMonotonicClock(): Clock {
  const originMs = performance.timeOrigin;
  return { ...createSystemClock(), nowMs: () => originMs + performance.now() };
}

/** The wall clock where it goes forward; while it is behind what was said before, that plus the time that really passed. */
export function steadyClock(wallMs: () => number, monotonicMs: () => number, notBeforeMs = 0): () => number {
  let saidMs = Math.max(wallMs(), notBeforeMs);
  let saidAtMs = monotonicMs();
  return () => {
    const atMs = monotonicMs();
    saidMs = Math.max(wallMs(), saidMs + Math.max(0, atMs - saidAtMs));
    saidAtMs = atMs;
    return Math.floor(saidMs);
  };
}
