// How many processors this process may really use: Node's own figure follows the affinity and not the cgroup's quota. For those
// who start workers and need no whole profile.
import { availableParallelism } from 'node:os';
import { probeCgroup } from './cgroup.ts';
import { type ProbeContext, thisMachine } from './context.ts';

/** At least 1; the quota is rounded down. */
export async function usableProcessors(
  ctx: ProbeContext = thisMachine(),
  schedulable: number = availableParallelism(),
): Promise<number> {
  const quota = (await probeCgroup(ctx)).value?.cpuQuotaCores ?? schedulable;
  return Math.max(1, Math.min(schedulable, Math.floor(quota)));
}
