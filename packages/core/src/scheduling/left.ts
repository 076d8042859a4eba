// What is left of an assignment: what overruns is expected to run as long again as it ran, since the tail of real durations is heavy.
import type { Assignment } from '../engine/state.ts';

/** What an assignment is expected to take from now on. */
export function leftMs(assignment: Assignment, nowMs: number): number {
  const elapsedMs = Math.max(0, nowMs - assignment.sinceMs);
  const runningMs = assignment.runningMs > 0 ? assignment.runningMs : 0;
  const isOver = elapsedMs > runningMs;
  // Before its first task starts, the time since it was given out is the runner's start-up.
  if (runningMs === 0) return Math.max(assignment.unstartedMs - elapsedMs, Math.min(elapsedMs, assignment.unstartedMs));
  return (isOver ? elapsedMs : runningMs - elapsedMs) + assignment.unstartedMs;
}
