// The engine's settings: value, unit and reason. Times are milliseconds.
import { circuitsDefaults } from '../circuits/circuits-config.ts';
import type { CircuitsConfig } from '../circuits/circuits-config.ts';
import { recoveryDefaults } from '../recovery/recovery-config.ts';
import type { RecoveryConfig } from '../recovery/recovery-config.ts';
import type { PolicyName } from '../scheduling/policy/policy.ts';

export type EngineConfig = {
  readonly circuits: CircuitsConfig;
  readonly recovery: RecoveryConfig;
  readonly heartbeatMs: number;
  readonly silentAfterMs: number;
  readonly reconnectGraceMs: number;
  readonly recoveryGraceMs: number;
  readonly forgetWorkerAfterMs: number;
  readonly cancelGraceMs: number;
  readonly infrastructureRetriesMax: number;
  readonly batchTargetMs: number;
  readonly startupShareMax: number;
  readonly stealGainMinMs: number;
  readonly placement: Placing;
  readonly hedgeAfterMs: number;
  readonly hedgeShare: number;
  readonly durationsMax: number;
  readonly machinesMax: number;
  readonly retiredKeysMax: number;
  readonly defaultExpectedMs: number;
  readonly ageingPerPriorityMs: number;
  readonly gangReserveAfterMs: number;
  readonly certifyPatienceMs: number;
  readonly recoverPatienceMs: number;
  readonly rebootPatienceMs: number;
  readonly overdueGraceMs: number;
};

/** Which policy places work, and where another one does. Given at start; what was decided is in the journal. */
export type Placing = { readonly policy: PolicyName; readonly pools?: Readonly<Record<string, PolicyName>> };

/** Defaults, each with its reason. */
export const engineDefaults: EngineConfig = {
  circuits: circuitsDefaults,
  recovery: recoveryDefaults,
  /** How often each side says that it is alive. */
  heartbeatMs: 2_000,
  /** Two missed heartbeats: a worker silent for longer is presumed lost. */
  silentAfterMs: 4_000,
  /** A closed link is often back within a second; after this its work goes elsewhere. */
  reconnectGraceMs: 4_000,
  /** After the coordinator's own restart every worker has to find it again. */
  recoveryGraceMs: 10_000,
  /** A worker gone for a day is forgotten; its results stay. */
  forgetWorkerAfterMs: 86_400_000,
  /** A worker asked to stop an attempt first asks nicely, then kills; after this the attempt is canceled without its word. */
  cancelGraceMs: 30_000,
  /** Attempts lost to infrastructure before the task is settled as errored. */
  infrastructureRetriesMax: 5,
  /** A batch is at most this much predicted work, so that stealing stays rare and a lost worker loses little. */
  batchTargetMs: 30_000,
  /** A batch is long enough that starting its runner is at most this share of its time; what is then left uneven is stolen. */
  startupShareMax: 0.05,
  /** Work is stolen only where the end comes nearer by more than this, net of the start-up that the thief pays. */
  stealGainMinMs: 100,
  /** Expected finish, with all that is known of durations: see core/scheduling/policy. */
  placement: { policy: 'expected-finish' },
  /** An attempt that runs for less is never late: a duplicate costs a start-up, and short overruns are common. */
  hedgeAfterMs: 5_000,
  /** Duplicates at once, as a share of the slots that fit, and at least one; 0 is none ever. */
  hedgeShare: 0.1,
  /** Remembered durations; the longest unused are forgotten first. */
  durationsMax: 200_000,
  /** Capability classes whose speeds are remembered, with their facts (a few KiB each); those known for longest are forgotten first. */
  machinesMax: 500,
  /** Idempotency keys remembered after their runs left; the oldest are forgotten first. */
  retiredKeysMax: 10_000,
  /** Predicted cost of a task of which nothing is known, until its suite has a mean. */
  defaultExpectedMs: 1_000,
  /**
   * What a point of priority is worth in waiting. A run is never overtaken by one of its submitter's that came later by more than
   * this times the difference of their priorities: 200 minutes for the widest, long enough for an urgent run to be done first.
   */
  ageingPerPriorityMs: 60_000,
  /** A gang that waited this long keeps what becomes free on workers that fit until all of it can start: single tasks would fill each gap. */
  gangReserveAfterMs: 30_000,
  /** A check that needs the machine for itself waits for what runs; after this the device counts as failed. */
  certifyPatienceMs: 300_000,
  /** A step of recovery on the worker itself; after this it counts as unanswered and the next one is taken. */
  recoverPatienceMs: 120_000,
  /** The steps that end the agent or the machine: what runs is finished first, and machines boot slowly. */
  rebootPatienceMs: 900_000,
  /** An agent ends an attempt at its time-out, nicely and then by force; one that runs this much longer is not being looked after. */
  overdueGraceMs: 60_000,
};
