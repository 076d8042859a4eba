// A run that aims at a wall time (`finishWithinMs`) uses as few slots as are predicted to reach it:
//
//   slots = (work that is queued + work in hand) x margin / time that is left, and at least one
//
// What is given out beyond that waits, and is looked at again as time passes: a prediction that was too good opens more slots.
// Where all slots that fit would not do, it is said once (`goalOutOfReach`), and the run takes all it can get. A goal is never
// a reason to fail. Tasks are begun longest first, so that the last of them does not make the end.
import type { RunRecord, State } from '../engine/state.ts';
import type { EngineConfig } from '../engine/config.ts';
import type { Step } from '../engine/step.ts';
import { leftMs } from './left.ts';
import { predictFromSuite } from './predict.ts';
import type { CapabilityClass } from './index-types.ts';

/** Predictions are means, and slots are never all busy to the end. */
const margin = 1.2;
const againMinMs = 250;
const againMaxMs = 5_000;

export type Goal = {
  /** Slots that are predicted to be enough, slots in use now, and slots that fit. */
  readonly neededSlots: number;
  readonly usedSlots: number;
  readonly slots: number;
  /** When the work would be over on all slots that fit. */
  readonly earliestEndMs: number;
  readonly targetMs: number;
};

export function goalOf(state: State, config: EngineConfig, run: RunRecord, nowMs: number): Goal | null {
  const { finishWithinMs } = run.spec;
  if (finishWithinMs === undefined) return null;
  const targetMs = run.submittedAtMs + finishWithinMs;
  let workMs = 0;
  const classes = new Set<CapabilityClass>();
  for (const lane of run.lanes) {
    const meanMs = predictFromSuite(state, lane) ?? config.defaultExpectedMs;
    workMs += lane.knownMs + (lane.queued - lane.known.size - lane.peculiar.size) * meanMs;
    for (const capability of lane.group.fitting) classes.add(capability);
  }
  let usedSlots = 0;
  for (const assignment of state.assignments.values()) {
    if (assignment.run !== run.run) continue;
    usedSlots += 1;
    workMs += leftMs(assignment, nowMs);
  }
  let slots = 0;
  for (const capability of classes) slots += capability.slots;
  const leftOverMs = targetMs - nowMs;
  const neededSlots = leftOverMs <= 0 ? Infinity : Math.max(1, Math.ceil((workMs * margin) / leftOverMs));
  return { neededSlots, usedSlots, slots, earliestEndMs: nowMs + Math.round(workMs / Math.max(1, slots)), targetMs };
}

/** Whether the run has the slots that its goal needs; says once where no number of them would do. */
export function hasEnough(step: Step, run: RunRecord): boolean {
  const goal = goalOf(step.state, step.config, run, step.nowMs);
  if (goal === null) return false;
  const { neededSlots, usedSlots, slots, earliestEndMs, targetMs } = goal;
  if (neededSlots > slots && slots > 0 && run.goalMissedMs === null && earliestEndMs > targetMs)
    step.emit({ kind: 'goalOutOfReach', run: run.run, targetMs, earliestEndMs, slots });
  if (usedSlots < neededSlots) return false;
  const again = Math.max(againMinMs, Math.min(againMaxMs, Math.round((targetMs - step.nowMs) / 20)));
  step.reconsiderAtMs = Math.min(step.reconsiderAtMs, step.nowMs + again);
  return true;
}
