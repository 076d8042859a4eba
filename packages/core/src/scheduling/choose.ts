// Which task goes to which worker, once it is settled whose turn it is (pick.ts): by the run's plan where its classes differ,
// else the longest task of the run, to the candidate that the policy puts first. Null keeps the lane for this step: all that
// it could start now waits for workers that are faster.
import type { Step } from '../engine/step.ts';
import { canPlace, isUnconstrained } from './admission.ts';
import { bestInLane, bestInPlan, firstCostMs } from './candidates.ts';
import type { Lane } from './index-types.ts';
import type { Candidate, Policy } from './policy/policy.ts';
import { planRun } from './pricing.ts';

/** Runs of more suites have them placed in their order. */
const lanesMax = 32;

export function choose(step: Step, lane: Lane, policy: Policy, kept: Set<Lane>): Candidate | null {
  const { run } = lane;
  if (policy.usesPlan) planRun(step, run);
  if (!policy.usesPlan || run.plan === null) {
    const first = longestLane(step, lane, kept);
    const candidate = bestInLane(step, first, policy);
    if (candidate === null) kept.add(first);
    return candidate;
  }
  const isOpen = (other: Lane): boolean => other.gang === null && !kept.has(other) && canPlace(step.state, other);
  const candidate = bestInPlan(step, run, policy, isOpen);
  if (candidate === null) for (const other of run.lanes) kept.add(other);
  return candidate;
}

/** Of the run's lanes the one with the longest task: what is begun late ends late, whichever suite it is of. */
function longestLane(step: Step, first: Lane, kept: ReadonlySet<Lane>): Lane {
  const { lanes } = first.run;
  if (lanes.length === 1 || lanes.length > lanesMax || !isUnconstrained(step.state, first)) return first;
  let best = first;
  let bestMs = firstCostMs(step, first);
  for (const lane of lanes) {
    if (lane === first || lane.heapSlot < 0 || lane.constraint !== null || kept.has(lane)) continue;
    const costMs = firstCostMs(step, lane);
    if (costMs > bestMs && canPlace(step.state, lane)) [best, bestMs] = [lane, costMs];
  }
  return best;
}
