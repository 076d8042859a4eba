// The policies by name, and which one places the work of a lane.
import type { EngineConfig } from '../../engine/config.ts';
import type { Lane } from '../index-types.ts';
import { cacheAffinity } from './cache-affinity.ts';
import { expectedFinish } from './expected-finish.ts';
import { leastLoaded } from './least-loaded.ts';
import type { Policy, PolicyName } from './policy.ts';
import { roundRobin } from './round-robin.ts';

const policies: Readonly<Record<PolicyName, Policy>> = {
  'expected-finish': expectedFinish,
  'round-robin': roundRobin,
  'least-loaded': leastLoaded,
  'cache-affinity': cacheAffinity,
};

/** Of the pool that the work goes to; where several pools would do, of the first that fits. */
export function policyOf({ placement }: EngineConfig, lane: Lane): Policy {
  if (placement.pools !== undefined)
    for (const { facts } of lane.group.fitting) {
      const named = placement.pools[String(facts['pool'])];
      return policies[named ?? placement.policy];
    }
  return policies[placement.policy];
}
