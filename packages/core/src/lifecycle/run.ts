// The life of a run: takes tasks while open, settles when it is sealed (or canceled) and every task has its verdict,
// and leaves the engine when the results store has acknowledged it.
import type { Verdict } from '@assay/protocol';
import type { TransitionTable } from './transition.ts';

export type RunState =
  | { readonly kind: 'open' }
  | { readonly kind: 'sealed' }
  /** Nothing more is started or taken in. `failFast`: the run stopped itself, and its verdict is that of its tasks. */
  | { readonly kind: 'canceling'; readonly cause: 'request' | 'failFast' }
  /** `settledSeq` is the journal entry that has to be in the results store before the run may leave. */
  | {
      readonly kind: 'settled';
      readonly verdict: Verdict;
      readonly atMs: number;
      readonly settledSeq: number;
      readonly isCanceled: boolean;
      readonly isSealed: boolean;
    };

/** What a whole run can be said to be. */
export type RunVerdict = 'passed' | 'failed' | 'inconclusive' | 'canceled';

export const runTransitions = {
  open: { tasksQueued: 'open', runSealed: 'sealed', runCancelRequested: 'canceling' },
  sealed: { runCancelRequested: 'canceling', runSettled: 'settled' },
  canceling: { runCancelRequested: 'canceling', runSettled: 'settled' },
  settled: { runRetired: 'end' },
} as const satisfies TransitionTable<RunState['kind']>;
