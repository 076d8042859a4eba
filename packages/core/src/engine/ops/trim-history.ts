// Keeps what is remembered bounded, a tenth at a time so that it is done rarely. Stated as an event: recovery drops the same.
import type { Step } from '../step.ts';

/** Suites and durations are bounded together: a suite's history is as large as one duration. */
export function trimHistory(step: Step): void {
  const { state, config } = step;
  const durations = excess(state.durations.size, config.durationsMax);
  const suites = excess(state.suites.size, config.durationsMax);
  const retiredKeys = excess(state.retired.size, config.retiredKeysMax);
  const machines = excess(state.machines.size, config.machinesMax);
  if (durations + suites + retiredKeys + machines === 0) return;
  step.emit({ kind: 'historyTrimmed', durations, suites, retiredKeys, ...(machines === 0 ? {} : { machines }) });
}

function excess(size: number, max: number): number {
  return size <= max ? 0 : size - Math.floor(max * 0.9);
}
