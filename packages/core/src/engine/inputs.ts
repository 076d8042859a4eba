// Everything that can happen to the engine, as data. Facts are in the past (workerConnected, workerReported), requests in
// the imperative (submitRun, cancelRun, drainWorker). An input carries all that the decision needs: ids, times and seeds
// come from outside, so that replaying the inputs makes the same decisions again.
// Inputs are stored in the journal as JSON: plain data only, no undefined that matters, no class instances.
import type {
  AdmissionPolicy,
  AttemptRef,
  CircuitScope,
  ImportedContent,
  Profile,
  QuarantineRequest,
  Report,
  RunId,
  RunSpec,
  SessionId,
  Task,
  TaskId,
  WorkerId,
} from '@assay/protocol';

/** A new run with its first tasks. `run` is a fresh id; a repeated `idempotencyKey` of the same submitter returns the earlier run. */
export type SubmitRun = {
  kind: 'submitRun';
  run: RunId;
  submitter: string;
  idempotencyKey: string;
  /** Digest of the submission, by which a repeated key with other content is refused. */
  contentDigest: string;
  spec: RunSpec;
  tasks: Task[];
  sealed: boolean;
};

/** A run that was executed elsewhere, whole. `run` is made from the content: the same content is the same run. */
export type ImportRun = {
  kind: 'importRun';
  run: RunId;
  submitter: string;
  name: string;
  labels: Record<string, string>;
  content: ImportedContent;
};

/** Everything that is stored of a project is to be forgotten. */
export type EraseProject = { kind: 'eraseProject'; project: string; actor: string };

/** A test is not to count, or not to run, for a time; and may count again. */
export type QuarantineTest = { kind: 'quarantineTest'; actor: string } & QuarantineRequest;
export type ReleaseTest = { kind: 'releaseTest'; quarantine: string; actor: string; reason: string };

/** A further chunk of tasks; chunks count from 1, and a repeat of one already taken changes nothing. */
export type AddTasks = { kind: 'addTasks'; run: RunId; chunk: number; tasks: Task[]; sealed: boolean };

/** Cancel a whole run (`tasks` absent) or some of its tasks. */
export type CancelRun = { kind: 'cancelRun'; run: RunId; tasks?: TaskId[]; actor: string; reason: string };

/** A worker said hello on a new link. Also how a known worker comes back: `held` settles what it still has. */
export type WorkerConnected = {
  kind: 'workerConnected';
  worker: WorkerId;
  session: SessionId;
  /** Token that the id is bound to from its first connection on. */
  token: string;
  incarnation: string;
  name: string;
  pool: string;
  slots: number;
  agentVersion: string;
  /** The tier that its token gives it; absent where it gives none. */
  trust?: string;
  profile: Profile;
  profileDigest: string;
  declared: Record<string, string | number | boolean>;
  held: AttemptRef[];
  nextReportSeq: number;
  isDraining: boolean;
};

/** The link closed. The worker has `reconnectGraceMs` to come back. */
export type WorkerDisconnected = { kind: 'workerDisconnected'; worker: WorkerId; session: SessionId };

/** The liveness tracker heard nothing on an open link for `silentAfterMs`: presumed lost at once. */
export type WorkerWentSilent = { kind: 'workerWentSilent'; worker: WorkerId; session: SessionId };

/** A clean leave: the agent delivered everything and holds nothing. */
export type WorkerLeft = { kind: 'workerLeft'; worker: WorkerId; session: SessionId; reason: string };

/** Reports of one frame, in order; those at or below the last accepted sequence are dropped as repeats. */
export type WorkerReported = { kind: 'workerReported'; worker: WorkerId; session: SessionId; reports: Report[] };

/** A gate of a worker (`device` null) or of one of its devices shut or opened: judged in the shell from readings, which are not journalled. */
export type GateFlipped = {
  kind: 'gateFlipped';
  worker: WorkerId;
  session: SessionId;
  gate: string;
  device: string | null;
  isShut: boolean;
  reason: string;
};

export type DrainWorker = { kind: 'drainWorker'; worker: WorkerId; actor: string; reason: string };

/** A person sets a worker (`device` null) or one of its devices aside, or lets it work again. */
export type SetCondition = {
  kind: 'setCondition';
  worker: WorkerId;
  device: string | null;
  action: 'quarantine' | 'maintenance' | 'release';
  actor: string;
  reason: string;
};

/** A person wants the checks of a worker (`device` null) or one of its devices run now. */
export type CertifyWorker = {
  kind: 'certifyWorker';
  worker: WorkerId;
  device: string | null;
  actor: string;
  reason: string;
};

/** The coordinator's policy: said at every start, and when it changes. */
export type SetPolicy = { kind: 'setPolicy'; policy: AdmissionPolicy; actor: string };

/** The results store has everything up to this journal sequence: settled runs at or below it may leave. */
export type ResultsAcknowledged = { kind: 'resultsAcknowledged'; seq: number };

/**
 * An external dependency was probed by the shell: told only when a probe was really made. `detail` says why it failed
 * ("connect ECONNREFUSED", "exit code 2", "no answer within 2000 ms").
 */
export type DependencyProbed = {
  kind: 'dependencyProbed';
  dependency: string;
  outcome: 'success' | 'failure';
  durationMs: number;
  detail: string | null;
};

/** By hand: stop what the scope names (or stop counting it, or only count), until released or for a time. */
export type ForceCircuit = {
  kind: 'forceCircuit';
  scope: CircuitScope;
  to: 'open' | 'disabled' | 'metricsOnly';
  untilMs: number | null;
  actor: string;
  reason: string;
};
/** Ends what a person ordered, or the open period of a circuit: it is probed next. */
export type ReleaseCircuit = { kind: 'releaseCircuit'; circuit: string; actor: string; reason: string };
/** Closed, with everything forgotten. */
export type ResetCircuit = { kind: 'resetCircuit'; circuit: string; actor: string; reason: string };

/** Time passed: due deadlines are acted on. Sent when nextDeadlineMs() is reached. */
export type TimePassed = { kind: 'timePassed' };

/** The coordinator started again: no link is open, and every worker has `recoveryGraceMs` to come back. */
export type CoordinatorRestarted = { kind: 'coordinatorRestarted'; epoch: number };

export type Input =
  | SetPolicy
  | SubmitRun
  | ImportRun
  | EraseProject
  | QuarantineTest
  | ReleaseTest
  | AddTasks
  | CancelRun
  | WorkerConnected
  | WorkerDisconnected
  | WorkerWentSilent
  | WorkerLeft
  | WorkerReported
  | GateFlipped
  | DrainWorker
  | SetCondition
  | CertifyWorker
  | ResultsAcknowledged
  | DependencyProbed
  | ForceCircuit
  | ReleaseCircuit
  | ResetCircuit
  | TimePassed
  | CoordinatorRestarted;
