// What was tried of a task so far, in the words that recovery decides by. Read from the attempts' own records: nothing is
// remembered beside them.
import type { AttemptFailure, FailureClass, Verdict, WorkerId } from '@assay/protocol';
import { classWithoutFailure, infrastructureCodes } from './retry.ts';

/** One attempt that is over. */
export type Tried = {
  readonly attempt: number;
  readonly worker: WorkerId | null;
  /** Capability class that it ran on, by id; null where none is known. */
  readonly class: string | null;
  readonly verdict: Verdict;
  readonly failure: AttemptFailure | undefined;
  readonly hasStarted: boolean;
  /** Its worker was lost and is back as the process that it was: only its link was gone. */
  readonly hasComeBack?: boolean;
  /** What its repetition spent. */
  readonly spent: 'userRetry' | 'infrastructureRetry' | 'nothing' | null;
  /** Index of the variant that it ran, or null for the configuration that was asked for. */
  readonly variant: number | null;
};

/** The failure class that counts, null where it was none. */
export function classOf({ verdict, failure }: Pick<Tried, 'verdict' | 'failure'>): FailureClass | null {
  const fallback = classWithoutFailure[verdict];
  return fallback === null ? null : (failure?.class ?? fallback);
}

/** Codes by which the worker itself says that it could not do it: nothing of the test ran, or its end was not the test's. */
export function isOfTheWorker({ verdict, failure }: Pick<Tried, 'verdict' | 'failure'>): boolean {
  if (verdict === 'lost') return true;
  return (
    failure !== undefined &&
    (workerCodes.has(failure.code) || infrastructureCodes.has(failure.code)) &&
    !isMemory(failure.code)
  );
}

const workerCodes: ReadonlySet<string> = new Set([
  'WORKER_RESTARTED',
  'WORKER_LOST',
  'WORKER_HUNG',
  'EXECUTION_FAILED',
  'RETRIES_EXHAUSTED',
]);

/** The kernel or the agent measured it; otherwise only the test's own words and exit speak for it. */
export function isMeasured({ failure }: Pick<Tried, 'failure'>): boolean {
  return failure?.rule === undefined || failure.rule.source === 'kernel' || failure.rule.source === 'agent';
}

const memoryCodes: ReadonlySet<string> = new Set(['OUT_OF_MEMORY', 'DEVICE_OUT_OF_MEMORY', 'HOST_MEMORY_EXHAUSTED']);
export function isMemory(code: string): boolean {
  return memoryCodes.has(code);
}

export function isFailing(one: Pick<Tried, 'verdict'>): boolean {
  return classWithoutFailure[one.verdict] !== null;
}

/** Two failures that look alike: the same code, or both failing tests. */
export function isAlike(a: Tried, b: Tried): boolean {
  return nameOf(a) === nameOf(b);
}

/** What a failure is called when failures are compared. */
export function nameOf({ verdict, failure }: Pick<Tried, 'verdict' | 'failure'>): string {
  return failure?.code ?? verdict;
}

/** Whether a failure took its worker down with it. */
export function tookWorkerDown(one: Pick<Tried, 'verdict' | 'failure' | 'hasStarted' | 'hasComeBack'>): boolean {
  if (!one.hasStarted || one.hasComeBack === true) return false;
  return one.verdict === 'lost' || one.failure?.code === 'WORKER_RESTARTED';
}
