// Why a placed task is not somewhere else: the candidate of each other class that it could have gone to, best first, with what
// lost it. Said in the placement's rule, so that it is in the journal, in the results and wherever a placement is shown. Not
// said of what is over in a moment, nor where all machines are alike: then there is nothing to say but whose turn it was.
import type { Step } from '../engine/step.ts';
import { candidateOf } from './candidates.ts';
import type { Lane } from './index-types.ts';
import { whyBehind } from './policy/order.ts';
import type { Candidate, Policy } from './policy/policy.ts';

const othersMax = 3;
/** Tasks that are over sooner are placed without a word. */
const worthSayingMs = 50;

export function ruleOf(step: Step, chosen: Candidate, policy: Policy, expectedMs: number): string {
  const { lane, task } = chosen;
  if (lane.group.fitting.size < 2 || expectedMs < worthSayingMs) return policy.rule;
  const others = othersOf(step, lane, chosen, policy);
  const busy = [...lane.group.fitting].reduce((sum, { ready, free }) => sum + ready - free.size, 0);
  const said = others
    .slice(0, othersMax)
    .map((other) => `${other.worker.name} (${whyBehind(policy.links, chosen, other, task)})`);
  if (others.length > othersMax) said.push(`${others.length - othersMax} other classes`);
  if (busy > 0) said.push(`${busy} without a free slot`);
  return said.length === 0 ? policy.rule : `${policy.rule}; before ${said.join(', ')}`;
}

function othersOf(step: Step, lane: Lane, chosen: Candidate, policy: Policy): Candidate[] {
  const others: Candidate[] = [];
  for (const capability of lane.group.fitting) {
    if (capability === chosen.capability || capability.free.size === 0) continue;
    const other = candidateOf(step, lane, capability, chosen.task, 0);
    if (other !== null) others.push(other);
  }
  return others.sort((a, b) => a.costMs - b.costMs || (policy.isBefore(a, b) ? -1 : 1));
}
