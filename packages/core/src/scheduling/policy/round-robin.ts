// In turn: who was given work longest ago, whatever is known of anybody's speed. What expected-finish is compared with.
import { byChoice, byHealth, byId, byTurn, chain } from './order.ts';
import type { Policy } from './policy.ts';

const links = [byChoice, byHealth, byTurn, byId];

export const roundRobin: Policy = {
  name: 'round-robin',
  rule: 'the fitting worker that was given work longest ago',
  usesPlan: false,
  links,
  isBefore: chain(...links),
};
