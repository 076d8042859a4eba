// The default. What cannot run there is filtered out before (requirements, open circuits, quotas), and of the ordered
// alternatives of a requirement what was asked for goes before what will also do; then:
//
//   1  circuit health      what its circuits have nothing against, before what is on its way to being stopped
//   2  expected finish     the class that the plan says is best for the task (plan.ts): equal where classes are alike. A free
//                          worker that is slow loses against a fast one that is free in a moment: the task waits (hold.ts)
//   3  source there        no transfer, no set-up
//   4  scarce capability   kept for those who need it
//   5  load                the share of slots in use
//   6  turn                who was given work longest ago
//   7  id
import { byAdvantage, byChoice, byHealth, byId, byLoad, byScarcity, byTurn, byWarmth, chain } from './order.ts';
import type { Policy } from './policy.ts';

const links = [byChoice, byHealth, byAdvantage, byWarmth, byScarcity, byLoad, byTurn, byId];

export const expectedFinish: Policy = {
  name: 'expected-finish',
  rule: 'longest expected first, where it is expected to finish first',
  usesPlan: true,
  links,
  isBefore: chain(...links),
};
