// All checks of a drill, in the order of the report, and the verdict that they give.
import { type Check, type CheckResult, type Evidence } from './check.ts';
import { circuitsElsewhere, circuitsMoved, circuitsOpened, testsFeedNoCircuit } from './circuits.ts';
import {
  browsersDrilled,
  devicesBack,
  effectsShown,
  faultsHappened,
  faultsPossible,
  lostWorkMoved,
  rightBlame,
  stepsEnded,
} from './faults.ts';
import { everythingUndone, nobodyFell, nothingLeft } from './outside.ts';
import { journalReplays } from './replay.ts';
import { acknowledgedIsDurable, budgetsRespected, casesOnce, fenceHolds, rightVerdicts, settledOnce } from './tasks.ts';

const checks: readonly Check[] = [
  faultsHappened,
  faultsPossible,
  browsersDrilled,
  stepsEnded,
  effectsShown,
  settledOnce,
  rightVerdicts,
  casesOnce,
  acknowledgedIsDurable,
  fenceHolds,
  lostWorkMoved,
  rightBlame,
  budgetsRespected,
  circuitsOpened,
  circuitsMoved,
  circuitsElsewhere,
  testsFeedNoCircuit,
  devicesBack,
  journalReplays,
  nobodyFell,
  everythingUndone,
  nothingLeft,
];

export const runChecks = (evidence: Evidence): CheckResult[] => checks.flatMap((check) => check(evidence));

export type DrillVerdict = 'held' | 'broken' | 'inconclusive';

/** One broken check breaks it; one that could not be evaluated makes it inconclusive. */
export function verdictOf(results: readonly CheckResult[]): DrillVerdict {
  if (results.some(({ state }) => state === 'broken')) return 'broken';
  return results.length === 0 || results.some(({ state }) => state === 'notEvaluated') ? 'inconclusive' : 'held';
}
