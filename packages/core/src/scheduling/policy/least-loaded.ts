// The worker with the smallest share of its slots in use, scarce machines last; no regard to speed.
import { byChoice, byHealth, byId, byLoad, byScarcity, byTurn, chain } from './order.ts';
import type { Policy } from './policy.ts';

const links = [byChoice, byHealth, byScarcity, byLoad, byTurn, byId];

export const leastLoaded: Policy = {
  name: 'least-loaded',
  rule: 'longest expected first, on the least loaded worker that fits',
  usesPlan: false,
  links,
  isBefore: chain(...links),
};
