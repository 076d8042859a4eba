// What the parts of one batch's execution share.
import type { Environment } from '../runners/runner.ts';
import type { Attempt } from './attempt.ts';
import type { BatchInput } from './execute-batch.ts';
import type { Masker } from './mask.ts';

export type BatchState = {
  readonly input: BatchInput;
  /** This batch's own scratch directory, removed at its end. */
  readonly directory: string;
  readonly masker: Masker;
  readonly env: Environment;
  readonly killGraceMs: number;
  readonly attempts: readonly Attempt[];
  /** Hosts that died without being told to. */
  crashes: number;
  /** Whoever executes right now, told when attempts are asked back or canceled. */
  steer: { wantedChanged(): void } | null;
};
