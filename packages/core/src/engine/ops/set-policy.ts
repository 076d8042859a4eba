// The operator's policy: what the coordinator was started with. Said again without a change, it changes nothing.
import type { Reply } from '../events.ts';
import type { SetPolicy } from '../inputs.ts';
import { accepted } from '../step.ts';
import type { Step } from '../step.ts';

export function setPolicy(step: Step, { policy, actor }: SetPolicy): Reply {
  if (JSON.stringify(policy) !== JSON.stringify(step.state.policy)) step.emit({ kind: 'policySet', policy, actor });
  return accepted;
}
