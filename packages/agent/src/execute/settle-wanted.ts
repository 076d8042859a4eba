// What becomes of attempts that were asked back, or canceled, while no host has them.
import type { Attempt } from './attempt.ts';
import type { BatchState } from './batch-state.ts';

/** Attempts that were asked back, or canceled, while no host had them. */
export async function settleWanted(
  state: BatchState,
  isHeld: (attempt: Attempt) => boolean = () => false,
): Promise<void> {
  for (const attempt of state.attempts) {
    if (attempt.phase !== 'waiting' || !attempt.wanted || isHeld(attempt)) continue;
    if (attempt.wanted.kind === 'back') attempt.return('takenBack', '');
    else {
      attempt.stop = { kind: 'canceled', message: attempt.wanted.reason };
      await attempt.finish({});
    }
  }
}
