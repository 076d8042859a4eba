// What the engine's circuits are set to: a breaker for each kind of scope, and the rules of the registry around them.
// Times are milliseconds, rates are shares from 0 to 1.
import type { CircuitScope } from '@assay/protocol';
import { breakerDefaults } from './settings.ts';
import type { BreakerSettings } from './settings.ts';

export type ScopeKind = CircuitScope['kind'];

export type CircuitsConfig = {
  readonly breakers: { readonly [Kind in ScopeKind]: BreakerSettings };
  /** Different tasks that must have failed before a worker, a device or a pair of them is stopped: one bad task stops nothing. */
  readonly distinctTasksMin: number;
  /** Different workers that must have failed before their class is stopped; in a smaller class, all of them, and at least two. */
  readonly quorumWorkers: number;
  /** Of the workers of a class that tried lately, the share that must have failed. */
  readonly quorumShare: number;
  /** How rarely the failures of a class would be chance, were it like the rest of the fleet. */
  readonly quorumChance: number;
  /** Different classes before a task class is stopped everywhere, different task classes before a class is stopped for all. */
  readonly quorumGroups: number;
  /** At most this share of the workers of a class is stopped by itself at once, in a class of at least `blastFleetMin`. */
  readonly blastShareMax: number;
  readonly blastFleetMin: number;
  /** The longest open period of the last of its class. */
  readonly lastOfClassOpenMaxMs: number;
  /** A worker is an outlier where its failures, were it like its peers, would be rarer than this. */
  readonly outlierChance: number;
  /** Failures below which nobody is called an outlier. */
  readonly outlierFailuresMin: number;
  /** An attempt that failed in less than this share of its expected time was far faster than its peers. */
  readonly fastShare: number;
  /** Fast failures of different tasks in a row that stop a worker, at least; see `blackHoleChance` for tests that may be at fault. */
  readonly blackHoleTasksMin: number;
  /** Where tests may be at fault: how rarely a peer would fail so many of them so fast. */
  readonly blackHoleChance: number;
  /** Closed circuits without a call for so long are forgotten. */
  readonly idleMs: number;
  readonly circuitsMax: number;
};

/** Attempts are few and long, beside calls: windows count attempts and forget after an hour. */
const attempts: BreakerSettings = {
  ...breakerDefaults,
  window: { kind: 'count', calls: 40, ageMaxMs: 3_600_000 },
  volumeMin: 8,
  failureRate: 0.5,
  /** Within five tasks. */
  consecutiveFailures: 4,
  openMs: 15_000,
  openMaxMs: 600_000,
  openDecayMs: 900_000,
  probes: 2,
  probeSuccesses: 2,
  /** A probe is an attempt with limits of its own; this only bounds a certification. */
  probeExpiryMs: 86_400_000,
};

export const circuitsDefaults: CircuitsConfig = {
  breakers: {
    worker: attempts,
    device: attempts,
    workerTask: attempts,
    /** Evidence of several workers: the quorum is the rule, and the rate is over all of their attempts. */
    classTask: { ...attempts, consecutiveFailures: null, volumeMin: 4, failureRate: 0.35 },
    class: { ...attempts, consecutiveFailures: null, volumeMin: 8, failureRate: 0.8 },
    task: { ...attempts, consecutiveFailures: null, volumeMin: 6 },
    /** Probed by the coordinator every few seconds: it opens within three looks and closes at the first good one. */
    dependency: {
      ...breakerDefaults,
      consecutiveFailures: 3,
      openMs: 1_000,
      openMaxMs: 60_000,
      probes: 1,
      probeSuccesses: 1,
      probeExpiryMs: 86_400_000,
    },
  },
  distinctTasksMin: 3,
  quorumWorkers: 3,
  quorumShare: 0.65,
  quorumChance: 1e-3,
  quorumGroups: 2,
  blastShareMax: 0.5,
  blastFleetMin: 6,
  lastOfClassOpenMaxMs: 60_000,
  outlierChance: 1e-5,
  outlierFailuresMin: 4,
  fastShare: 0.25,
  blackHoleTasksMin: 3,
  blackHoleChance: 5e-3,
  idleMs: 3_600_000,
  circuitsMax: 20_000,
};
