// Where the source is already, before all else: for bundles whose set-up costs more than any difference in speed.
import { byAdvantage, byChoice, byHealth, byId, byLoad, byScarcity, byTurn, byWarmth, chain } from './order.ts';
import type { Policy } from './policy.ts';

const links = [byChoice, byHealth, byWarmth, byScarcity, byLoad, byTurn, byAdvantage, byId];

export const cacheAffinity: Policy = {
  name: 'cache-affinity',
  rule: 'a worker that has the source already, then the least loaded',
  usesPlan: false,
  links,
  isBefore: chain(...links),
};
