// The default. What cannot run there is filtered out before (requirements, circuits, quotas); then:
//
//   1  expected finish     the class that the plan says is best for the task (plan.ts): equal where classes are alike. A free
//                          worker that is slow loses against a fast one that is free in a moment: the task waits (hold.ts)
//   2  source there        no transfer, no set-up
//   3  scarce capability   kept for those who need it
//   4  load                the share of slots in use
//   5  turn                who was given work longest ago
//   6  id
import { byAdvantage, byChoice, byId, byLoad, byScarcity, byTurn, byWarmth, chain } from './order.ts';
import type { Policy } from './policy.ts';

const links = [byChoice, byAdvantage, byWarmth, byScarcity, byLoad, byTurn, byId];

export const expectedFinish: Policy = {
  name: 'expected-finish',
  rule: 'longest expected first, where it is expected to finish first',
  usesPlan: true,
  links,
  isBefore: chain(...links),
};
