// What becomes of a task after an attempt, as a table: an assertion failure is a result and is repeated only where the
// user asked for retries; what the infrastructure did to a task is repeated elsewhere and spends another budget.
import type { AttemptFailure, FailureClass, Verdict } from '@assay/protocol';

/** Which budget a repetition spends; `never` settles. */
export type RetryBudget = 'userRetry' | 'infrastructureRetry' | 'never';

/** The budget that each failure class spends. */
export const budgetOfClass = {
  test: 'userRetry',
  timeout: 'userRetry',
  configuration: 'userRetry',
  unknown: 'userRetry',
  infrastructure: 'infrastructureRetry',
  // Told apart from each other by circuits and quarantine later on; until then another worker is the remedy.
  device: 'infrastructureRetry',
  driver: 'infrastructureRetry',
  browser: 'infrastructureRetry',
} as const satisfies Record<FailureClass, RetryBudget>;

/** Codes that are the worker's trouble, whatever class the agent gave them. */
export const infrastructureCodes: ReadonlySet<string> = new Set([
  'OUT_OF_MEMORY',
  'SCRATCH_DISK_FULL',
  'SOURCE_UNAVAILABLE',
  'SETUP_FAILED',
  'REQUIREMENT_MISFIT',
  'WORKER_LOST',
]);

/** Verdicts after which a task may be repeated, and the class where the attempt names none. */
export const classWithoutFailure = {
  passed: null,
  skipped: null,
  inconclusive: null,
  canceled: null,
  failed: 'test',
  errored: 'unknown',
  timedOut: 'timeout',
  lost: 'infrastructure',
} as const satisfies Record<Verdict, FailureClass | null>;

/** The budget that repeating an attempt with this outcome would spend. */
export function budgetOf(verdict: Verdict, failure: AttemptFailure | undefined): RetryBudget {
  const fallback = classWithoutFailure[verdict];
  if (fallback === null) return 'never';
  if (verdict === 'lost' || (failure !== undefined && infrastructureCodes.has(failure.code)))
    return 'infrastructureRetry';
  return budgetOfClass[failure?.class ?? fallback];
}
