// The life of an attempt: one execution of a task on one worker, fenced by its number. A returned attempt never started
// and leaves no trace but its number, which is not used again.
import type { AttemptFailure, BlobRef, CaseCounts, Verdict } from '@assay/protocol';
import type { RetryWish } from '../recovery/wish.ts';
import type { TransitionTable } from './transition.ts';

export type AttemptState =
  | { readonly kind: 'assigned' }
  | { readonly kind: 'running'; readonly startedAtMs: number }
  /** The worker was asked to stop it; at the deadline it is settled as canceled whatever the worker does. */
  | { readonly kind: 'canceling'; readonly startedAtMs: number | null; readonly deadlineMs: number }
  | {
      readonly kind: 'settled';
      readonly startedAtMs: number | null;
      readonly atMs: number;
      readonly verdict: Verdict;
      readonly counts: CaseCounts;
      readonly failure?: AttemptFailure;
      readonly costMs?: number;
      readonly startupMs?: number;
      readonly blobs?: BlobRef[];
      /** Of attempts that had trouble, and of those after them: the capability class that it ran on, by id. */
      readonly on?: string;
      /** The label of the configuration that it ran instead of the suite's own. */
      readonly variant?: string;
      /** What its repetition spent. */
      readonly spent?: 'userRetry' | 'infrastructureRetry' | 'nothing';
      /** Where the next attempt is wished to be. */
      readonly wish?: RetryWish;
      /** The variant that the next attempts run, by its index in the suite. */
      readonly variantNext?: number;
      /** The trouble of the fleet that excuses it, by name. */
      readonly outage?: string;
    };

export const attemptTransitions = {
  assigned: { attemptStarted: 'running', cancelSent: 'canceling', attemptSettled: 'settled', tasksReturned: 'end' },
  running: { cancelSent: 'canceling', attemptSettled: 'settled' },
  canceling: { attemptStarted: 'canceling', cancelSent: 'canceling', attemptSettled: 'settled' },
  settled: { runRetired: 'end' },
} as const satisfies TransitionTable<AttemptState['kind']>;
