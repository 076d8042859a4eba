// Which configuration the next attempt of a task runs: read from its attempts, kept nowhere else.
import type { TaskRecord } from '../engine/state.ts';

/** The variant that the next attempt of a task runs, or null. */
export function variantOf(task: TaskRecord): number | null {
  let variant: number | null = null;
  for (const { state } of task.attempts) if (state.kind === 'settled') variant = state.variantNext ?? variant;
  return variant;
}
