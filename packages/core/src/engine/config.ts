// The engine's settings: value, unit and reason. Times are milliseconds.

export type EngineConfig = {
  readonly heartbeatMs: number;
  readonly silentAfterMs: number;
  readonly reconnectGraceMs: number;
  readonly recoveryGraceMs: number;
  readonly forgetWorkerAfterMs: number;
  readonly infrastructureRetriesMax: number;
  readonly batchTargetMs: number;
  readonly batchShare: number;
  readonly durationsMax: number;
  readonly defaultExpectedMs: number;
};

/** Defaults, each with its reason. */
export const engineDefaults: EngineConfig = {
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
  /** Attempts lost to infrastructure before the task is settled as errored. */
  infrastructureRetriesMax: 5,
  /** A batch is at most this much predicted work, so that stealing stays rare and a lost worker loses little. */
  batchTargetMs: 30_000,
  /** Guided batches: a batch takes at most this share of the lane's remaining work divided by the slots that fit. */
  batchShare: 0.5,
  /** Remembered durations; the longest unused are forgotten first. */
  durationsMax: 200_000,
  /** Predicted cost of a task of which nothing is known, until its suite has a mean. */
  defaultExpectedMs: 1_000,
};
