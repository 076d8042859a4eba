// The step `runner`: ends attempts nicely and then by force, and clears what they left in the scratch directory.
import { mkdirSync } from 'node:fs';
import type { AttemptRef } from '@assay/protocol';
import { clearScratch } from '../scratch-dir.ts';
import { killLeftovers } from '../slots/leftovers.ts';
import type { Work } from '../slots/work.ts';
import type { StepEnd } from './ladder.ts';

/** The execution itself ends a process group within 2 s of being asked; after this nobody is listening. */
const patienceMs = 6_000;
/** After the processes were killed, what waited for them ends by itself. */
const afterKillMs = 4_000;

export async function endAttempts(
  work: Work,
  scratchDir: string,
  checksDir: string,
  attempts: readonly AttemptRef[],
  reason: string,
): Promise<StepEnd> {
  const message = `ended by force to recover this worker: ${reason}`;
  const ended = work.kill(attempts, message);
  let isOver = await whenOver(work, attempts, patienceMs);
  let killed = 0;
  if (!isOver) {
    // Nobody ends them: every process of this agent's batches goes, also those of other attempts, which then fail and are repeated.
    killed = await killLeftovers(scratchDir);
    isOver = await whenOver(work, attempts, afterKillMs);
  }
  const isIdle = work.size === 0;
  if (isIdle) {
    killed += await killLeftovers(scratchDir);
    clearScratch(scratchDir);
    mkdirSync(checksDir, { recursive: true, mode: 0o700 });
  }
  const evidence = {
    attempts: String(ended),
    processesKilled: String(killed),
    scratch: isIdle ? 'cleared' : 'in use by other attempts',
  };
  return isOver
    ? { outcome: 'done', evidence }
    : { outcome: 'failed', evidence: { ...evidence, message: 'attempts are still not over' } };
}

/** Resolves to whether none of the attempts is in hand any more, at the latest after so long. */
async function whenOver(work: Work, attempts: readonly AttemptRef[], withinMs: number): Promise<boolean> {
  const untilMs = performance.now() + withinMs;
  while (work.holds(attempts)) {
    if (performance.now() >= untilMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
