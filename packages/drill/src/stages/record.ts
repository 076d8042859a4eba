// What a drill keeps of each of its steps, as data: what was done, what proves it, what was given out with it.
import type { Proof } from '../faults/fault.ts';
import type { Step } from '../plan.ts';

export type StepRecord = {
  readonly step: Step;
  /** The id by which the coordinator knows the worker that it was done to; null where it was done to none. */
  readonly workerId: string | null;
  /** Indexes in the run of the tasks that were given out with it. */
  readonly tasks: readonly number[];
  readonly startedAtMs: number;
  /** Just before the fault was made; null where it never came to that. */
  readonly injectedAtMs: number | null;
  /** Null: nothing shows that it happened, so it did not. */
  readonly injected: Proof | null;
  readonly undone: Proof | null;
  readonly endedAtMs: number;
  /** What did not go as it should, in words. */
  readonly troubles: readonly string[];
};
