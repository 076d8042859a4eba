// The life of a task: waits, is handed to a worker, runs, has its verdict. It goes back to the queue when its attempt was
// returned unstarted (spends nothing) or failed in a way that its budget allows to repeat.
import type { Diagnosis, QuarantineNote, Verdict, WorkerId } from '@assay/protocol';
import type { RetryWish } from '../recovery/wish.ts';
import type { TransitionTable } from './transition.ts';

export type TaskState =
  /** `avoidWorker`: the last attempt failed there through no fault of the test; another worker is preferred. */
  | {
      readonly kind: 'queued';
      readonly sinceMs: number;
      readonly avoidWorker: WorkerId | null;
      /** Where the retry would tell most; `avoidWorker` is set wherever there is a wish. */
      readonly wish?: RetryWish;
      /** It waits until then, in no line. */
      readonly notBeforeMs?: number;
      /** The trouble of the fleet that it waits for to end. */
      readonly outage?: string;
    }
  | { readonly kind: 'assigned' }
  | { readonly kind: 'running' }
  | {
      readonly kind: 'settled';
      readonly verdict: Verdict;
      readonly atMs: number;
      /** The configuration that the verdict is of, where that is not the one asked for. */
      readonly variant?: string;
      readonly diagnosis?: Diagnosis;
      /** What of it is in quarantine. */
      readonly quarantined?: readonly QuarantineNote[];
    };

export const taskTransitions = {
  queued: { tasksAssigned: 'assigned', taskSettled: 'settled' },
  assigned: { attemptStarted: 'running', tasksReturned: 'queued', attemptRequeued: 'queued', taskSettled: 'settled' },
  running: { attemptRequeued: 'queued', attemptYielded: 'assigned', taskSettled: 'settled' },
  settled: { runRetired: 'end' },
} as const satisfies TransitionTable<TaskState['kind']>;
