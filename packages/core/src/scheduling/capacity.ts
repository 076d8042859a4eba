// How much there is for a requirement: the sum over the classes that fit. A walk over classes, never over workers.
import type { CapabilityClass, RequirementGroup } from './index-types.ts';

export type Capacity = {
  readonly ready: number;
  readonly slots: number;
  readonly freeWorkers: number;
  readonly freeSlots: number;
};

export function capacityOf(group: RequirementGroup): Capacity {
  let ready = 0;
  let slots = 0;
  let freeWorkers = 0;
  let freeSlots = 0;
  for (const capability of group.fitting) {
    ready += capability.ready;
    slots += capability.slots;
    freeWorkers += capability.free.size;
    freeSlots += capability.freeSlots;
  }
  return { ready, slots, freeWorkers, freeSlots };
}

/** Whether a fitting worker takes work, or may come back to take it. */
export function isPossible(group: RequirementGroup): boolean {
  for (const capability of group.fitting) if (capability.possible > 0) return true;
  return false;
}

/** Whether a fitting worker has a free slot; walks the shorter of the two lists. */
export function hasFree(group: RequirementGroup, free: ReadonlySet<CapabilityClass>): boolean {
  if (free.size < group.fitting.size) {
    for (const capability of free) if (group.fitting.has(capability)) return true;
    return false;
  }
  for (const capability of group.fitting) if (capability.free.size > 0) return true;
  return false;
}
