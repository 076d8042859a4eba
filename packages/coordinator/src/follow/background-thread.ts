// Lowers the priority of the thread that calls it, so that what only follows (results, snapshots) takes the processor time that
// the loop, the journal and the workers leave over, and catches up when they are idle.
// Why by hand: threads share the process's priority, but Linux schedules each on its own. Where that cannot be had (other
// systems, no /proc), nothing changes: the thread works at the process's priority, as it would have.
import { readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';

export function yieldToOthers(): void {
  if (process.platform !== 'linux') return;
  try {
    // "<process>/task/<thread>", of the thread that reads it.
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (thread === process.pid) throw new Error('the loop itself must not yield');
    setPriority(thread, Math.max(getPriority(thread), constants.priority.PRIORITY_LOW));
  } catch (error) {
    // A sandbox without /proc, or one that forbids it: slower under load, and nothing else.
    if (!(error instanceof Error) || !('code' in error)) throw error;
  }
}
