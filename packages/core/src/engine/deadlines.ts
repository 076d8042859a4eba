// The earliest time at which the engine would do something by itself: the end of a worker's grace, the time to forget one,
// the end of the patience with a cancellation, work that becomes worth stealing because what runs before it overruns.
import { hedgeDeadline } from '../scheduling/hedge.ts';
import { stealDeadline } from '../scheduling/steal.ts';
import { alternativeDeadline } from './ops/open-alternatives.ts';
import type { EngineConfig } from './config.ts';
import type { State } from './state.ts';

export function nextDeadline(
  state: State,
  config: EngineConfig,
  lookedAtMs: number,
  reconsiderAtMs: number,
): number | null {
  let earliest = state.index.workerDeadlines.peek()?.atMs ?? null;
  const checkup = state.index.checkupDeadlines.peek()?.atMs ?? null;
  if (checkup !== null && (earliest === null || checkup < earliest)) earliest = checkup;
  const circuit = state.index.circuits.due.peek()?.dueMs ?? null;
  if (circuit !== null && (earliest === null || circuit < earliest)) earliest = circuit;
  const { overdueAtMs } = state.index;
  if (overdueAtMs !== Infinity && (earliest === null || overdueAtMs < earliest)) earliest = overdueAtMs;
  const { nextEndMs } = state.quarantines;
  if (nextEndMs !== Infinity && (earliest === null || nextEndMs < earliest)) earliest = nextEndMs;
  const retry = state.index.delayed.peek()?.atMs ?? null;
  if (retry !== null && (earliest === null || retry < earliest)) earliest = retry;
  for (const { deadlineMs } of state.index.canceling.values()) {
    if (earliest === null || deadlineMs < earliest) earliest = deadlineMs;
    break; // They are in the order of their deadlines.
  }
  // What is left of a canceled run is settled by the next steps, as fast as they come.
  if (state.index.winding.size > 0) earliest = Number.isFinite(lookedAtMs) ? lookedAtMs + 1 : 0;
  const alternative = alternativeDeadline(state);
  if (alternative !== null && (earliest === null || alternative < earliest)) earliest = alternative;
  if (reconsiderAtMs > lookedAtMs && reconsiderAtMs < (earliest ?? Infinity)) earliest = reconsiderAtMs;
  const hedge = hedgeDeadline(state, config, lookedAtMs);
  if (hedge !== null && (earliest === null || hedge < earliest)) earliest = hedge;
  const steal = stealDeadline(state, config, lookedAtMs);
  return steal !== null && (earliest === null || steal < earliest) ? steal : earliest;
}
