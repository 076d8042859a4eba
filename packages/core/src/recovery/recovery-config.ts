// Settings of recovery: value, unit and reason. Times are milliseconds.
import type { FailureClass } from '@assay/protocol';

export type RecoveryConfig = {
  readonly retriesMax: Readonly<Record<FailureClass, number>>;
  readonly saidRetriesMax: number;
  readonly attemptsMax: number;
  readonly delayMs: number;
  readonly delayMaxMs: number;
  readonly poisonWorkersMin: number;
  readonly massLossWindowMs: number;
  readonly massLossWorkersMin: number;
  readonly suspicionMs: number;
  readonly suspicionWeightMin: number;
  readonly shieldWindowMs: number;
  readonly shieldTasksMin: number;
  readonly shieldSuitesMin: number;
  readonly shieldWorkersMin: number;
  readonly outageMaxMs: number;
};

export const recoveryDefaults: RecoveryConfig = {
  /** Assay's own retries of one task, by the class of the failure that asks for one. The user's own are counted apart. */
  retriesMax: {
    test: 0,
    timeout: 0,
    unknown: 0,
    configuration: 1,
    infrastructure: 5,
    device: 3,
    driver: 3,
    browser: 3,
  },
  /** The same for failures that only the test's own words speak for: two more places tell its fault from theirs. */
  saidRetriesMax: 2,
  /** All attempts of one task, whatever they were spent on: the last stop, should every other count be wrong. */
  attemptsMax: 40,
  /** Before a network failure is tried again; doubled with each. */
  delayMs: 5_000,
  delayMaxMs: 30_000,
  /** A task that took down this many workers is set aside. */
  poisonWorkersMin: 2,
  /** Workers that go down together in this time, so many and more, are no task's doing. */
  massLossWindowMs: 10_000,
  massLossWorkersMin: 3,
  /** How long it counts against a worker that what failed on it passed elsewhere. Patterns expire. */
  suspicionMs: 1_800_000,
  /** So much must speak against a worker: a task that failed there and passed elsewhere is 1, a failure of its hardware 3. */
  suspicionWeightMin: 2,
  /** Failures that are alike within this time may be one trouble. */
  shieldWindowMs: 30_000,
  /** One trouble: so many different tasks, of so many suites, on so many workers. */
  shieldTasksMin: 4,
  shieldSuitesMin: 2,
  shieldWorkersMin: 2,
  /** How long one trouble excuses failures: after it they count as any others do. */
  outageMaxMs: 1_800_000,
};
