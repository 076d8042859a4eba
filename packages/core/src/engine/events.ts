// What happened, in the past tense: the only thing that changes state (evolve) and the only thing that anyone outside is
// told. Events hold what was decided, so that recovery by folding them never decides again. Stored in the journal as JSON.
import type {
  AdmissionPolicy,
  AttemptFailure,
  AttemptRef,
  AssignmentId,
  BlobRef,
  CaseCounts,
  Diagnosis,
  Profile,
  QuarantineNote,
  RunId,
  RunSpec,
  SessionId,
  Task,
  TaskId,
  Verdict,
  WorkerId,
} from '@assay/protocol';
import type { CircuitId } from '../circuits/scope.ts';
import type { RetryWish } from '../recovery/wish.ts';
import type {
  CertificationProbe,
  CircuitMoved,
  CircuitProbed,
  CircuitsForgotten,
  CircuitsNoted,
} from './events-circuit.ts';
import type { ConditionEvent } from './condition-events.ts';

export type * from './condition-events.ts';

import type { HedgeDropped, HedgeSide } from './events-hedge.ts';
import type { ProjectErased, RunImported } from './events-import.ts';
import type { QuarantineEvent } from './events-quarantine.ts';
import type { PassCount, Tally } from './ops/mute-failures.ts';
import type { Plan } from '../scheduling/plan.ts';
import type {
  DiagnosisRevised,
  OutageClosed,
  OutageOpened,
  OutageProbed,
  RetriesDue,
  TroubleNoted,
} from './events-recovery.ts';

export type RunSubmitted = {
  kind: 'runSubmitted';
  run: RunId;
  submitter: string;
  idempotencyKey: string;
  contentDigest: string;
  spec: RunSpec;
  /** Its order among its submitter's runs; absent in journals older than ageing, where a point of priority was worth a minute. */
  rankMs?: number;
};
/** The operator's policy from now on. */
export type PolicySet = { kind: 'policySet'; policy: AdmissionPolicy; actor: string };
/** Tasks of a suite waited for as long as its next alternative asks: any of its choices up to that one will do from now on. */
export type AlternativeOpened = {
  kind: 'alternativeOpened';
  run: RunId;
  suite: number;
  /** How many alternatives are open now. */
  opened: number;
  requires: string;
  waitedMs: number;
  tasks: number;
};
/** One of a gang has to be repeated: those of it that are at work are stopped, and go back to the queue with it. */
export type GangRestarted = { kind: 'gangRestarted'; run: RunId; suite: number; first: number; reason: string };
/** Tasks `first` .. `first + tasks.length - 1` of the run are queued. `chunk` 0 is the submission's own. */
export type TasksQueued = {
  kind: 'tasksQueued';
  run: RunId;
  chunk: number;
  first: number;
  tasks: Task[];
  sealed: boolean;
};
/** No connected worker can do these: said at once, again only when the reasons change. */
export type RunUnplaceable = {
  kind: 'runUnplaceable';
  run: RunId;
  suite: number;
  requires: string;
  tasks: number;
  reasons: { reason: string; workers: number }[];
};
/** `cause` is "failFast" where the run stops itself; its verdict is then that of its tasks. */
export type RunCancelRequested = {
  kind: 'runCancelRequested';
  run: RunId;
  actor: string;
  reason: string;
  cause: 'request' | 'failFast';
  tasks: TaskId[] | 'all';
};
export type RunSettled = { kind: 'runSettled'; run: RunId; verdict: Verdict };
/** Prices of classes, by which its tasks go where they are best done: see scheduling/plan.ts. */
export type RunPlanned = { kind: 'runPlanned'; run: RunId } & Plan;
/** All slots that fit would not end the run by its goal: said once. */
export type GoalOutOfReach = {
  kind: 'goalOutOfReach';
  run: RunId;
  targetMs: number;
  earliestEndMs: number;
  slots: number;
};
/** The run left the engine: its rows are in the results store. */
export type RunRetired = { kind: 'runRetired'; run: RunId };

/** Why this worker got this batch; enough for `assay explain`. */
export type Placement = { rule: string; fittingWorkers: number; freeWorkers: number; expectedMs: number };
export type TasksAssigned = {
  kind: 'tasksAssigned';
  run: RunId;
  suite: number;
  assignment: AssignmentId;
  worker: WorkerId;
  session: SessionId;
  /** Task index in the run, its attempt number (the fence) and its predicted cost. */
  tasks: { index: number; attempt: number; expectedMs: number }[];
  /** What the assignment holds of the worker's devices; absent where nothing is claimed. */
  devices?: { device: string; share: number }[];
  placement: Placement;
  /** A duplicate of one task that runs already: see scheduling/hedge.ts. */
  isHedge?: true;
  /** Half-open circuits that this single task probes. */
  probes?: CircuitId[];
  /** The variant of the suite that its single task runs, by index. */
  variant?: number;
};
export type AttemptStarted = { kind: 'attemptStarted'; task: TaskId; attempt: number; worker: WorkerId; atMs: number };
/** The cases themselves are in the input of the same journal entry; `count` of them start at ordinal `from`. */
export type CasesRecorded = {
  kind: 'casesRecorded';
  task: TaskId;
  attempt: number;
  worker: WorkerId;
  reportSeq: number;
  from: number;
  count: number;
  counts: CaseCounts;
  /** Of tests in quarantine; absent where there are none among them. */
  quarantined?: Tally[];
};
/** The attempt is over. `next` says what becomes of its task. */
export type AttemptSettled = {
  kind: 'attemptSettled';
  task: TaskId;
  attempt: number;
  worker: WorkerId | null;
  verdict: Verdict;
  failure?: AttemptFailure;
  counts: CaseCounts;
  costMs?: number;
  /** Of an attempt whose duplicate was done first: for so long it ran and was not done when it was told to stop. */
  atLeastMs?: number;
  startupMs?: number;
  blobs?: BlobRef[];
  /** settle: this verdict is the task's; requeue: another attempt follows, spending the named budget. */
  next:
    | { kind: 'settle' }
    /** Its duplicate is the task's attempt from now on, and decides. */
    | { kind: 'yield'; to: HedgeSide }
    | {
        kind: 'requeue';
        spends: 'userRetry' | 'infrastructureRetry' | 'nothing';
        avoidWorker: WorkerId | null;
        /** The row of the table of recovery that said so. */
        rule?: string;
        wish?: RetryWish;
        notBeforeMs?: number;
        /** The variant of the suite that the next attempts run, by index. */
        variant?: number;
        /** The trouble of the fleet that excuses the failure, by its signature. */
        outage?: string;
      };
  /** Of a failure, and of what follows one: the capability class that it ran on, by id. */
  on?: string;
  /** The label of the configuration that ran instead of the suite's own. */
  variant?: string;
  /** Tests in quarantine that it executed: their passes in a row now. */
  counted?: PassCount[];
};
/** `contradicts`: workers on which it failed through its own test before it passed elsewhere. */
export type TaskSettled = {
  kind: 'taskSettled';
  task: TaskId;
  verdict: Verdict;
  diagnosis?: Diagnosis;
  variant?: string;
  /** What of it is in quarantine: where everything that failed is, it did not count. */
  quarantined?: QuarantineNote[];
  contradicts?: { of: { key: string; usesDevice: boolean }; workers: WorkerId[] };
};
/** Assigned, never started, back in the queue without spending anything. */
export type TasksReturned = { kind: 'tasksReturned'; worker: WorkerId; attempts: AttemptRef[]; reason: string };
/** Work that another worker could start now is asked back from this one. */
export type TakeBackRequested = {
  kind: 'takeBackRequested';
  worker: WorkerId;
  assignment: AssignmentId;
  attempts: AttemptRef[];
};
/** At `deadlineMs` they settle as canceled whatever the worker says. At most `batchTasksMax` attempts an event. */
export type CancelSent = {
  kind: 'cancelSent';
  worker: WorkerId;
  attempts: AttemptRef[];
  reason: string;
  deadlineMs: number;
};
/** Reports that were not accepted: of a fenced attempt, or of one that this worker does not hold. Evidence, no effect. */
export type ReportsRefused = {
  kind: 'reportsRefused';
  worker: WorkerId;
  refused: { seq: number; task: TaskId | null; attempt: number; reason: string }[];
};
/** Everything the worker reported up to this sequence is accepted (or refused for good) and may be acknowledged. */
export type ReportsAccepted = { kind: 'reportsAccepted'; worker: WorkerId; session: SessionId; seq: number };

export type WorkerJoined = {
  kind: 'workerJoined';
  worker: WorkerId;
  session: SessionId;
  token: string;
  incarnation: string;
  name: string;
  pool: string;
  slots: number;
  agentVersion: string;
  trust?: string;
  profile: Profile;
  profileDigest: string;
  declared: Record<string, string | number | boolean>;
  /** Last report sequence in the journal: the worker sends again from the next one on. */
  ackedSeq: number;
  isDraining: boolean;
  isReturning: boolean;
  /** What is different from the profile with which it was here last, in words; absent where nothing is. */
  profileChanges?: string[];
  /** Held attempts that are no longer this worker's: it stops them. */
  abandon: AttemptRef[];
};
export type WorkerRefused = {
  kind: 'workerRefused';
  worker: WorkerId;
  session: SessionId;
  code: 'WORKER_ID_TAKEN' | 'WORKER_SUPERSEDED';
  message: string;
};
export type ProfileChanged = {
  kind: 'profileChanged';
  worker: WorkerId;
  profile: Profile;
  profileDigest: string;
  previousDigest: string;
  /** The differences in words, a line each; absent in journals of earlier versions. */
  changes?: string[];
};
export type WorkerDisconnectedEvent = {
  kind: 'workerDisconnected';
  worker: WorkerId;
  session: SessionId;
  graceUntilMs: number;
};
/** Presumed lost: its attempts settle as lost in the same step. */
export type WorkerLost = {
  kind: 'workerLost';
  worker: WorkerId;
  reason: 'silent' | 'graceExpired';
  attempts: number;
  forgetAtMs: number;
};
export type WorkerDraining = { kind: 'workerDraining'; worker: WorkerId; actor: string; reason: string };
export type WorkerLeftEvent = { kind: 'workerLeft'; worker: WorkerId; reason: string; forgetAtMs: number };
/** A long-gone worker was forgotten, so that memory stays bounded. */
export type WorkerForgotten = { kind: 'workerForgotten'; worker: WorkerId };
/** The longest unused of what is remembered is dropped: that many durations, suites and idempotency keys of runs that left. */
export type HistoryTrimmed = {
  kind: 'historyTrimmed';
  durations: number;
  suites: number;
  retiredKeys: number;
  /** Capability classes known to history; absent is none. */
  machines?: number;
};
export type LinksReset = { kind: 'linksReset'; epoch: number; graceUntilMs: number };

export type * from './events-circuit.ts';
export type * from './events-hedge.ts';
export type * from './events-import.ts';
export type * from './events-quarantine.ts';
export type * from './events-recovery.ts';

export type Event =
  | RunImported
  | ProjectErased
  | QuarantineEvent
  | DiagnosisRevised
  | RetriesDue
  | TroubleNoted
  | OutageOpened
  | OutageProbed
  | OutageClosed
  | CircuitsNoted
  | CircuitMoved
  | CertificationProbe
  | CircuitProbed
  | CircuitsForgotten
  | PolicySet
  | AlternativeOpened
  | GangRestarted
  | RunSubmitted
  | TasksQueued
  | RunUnplaceable
  | RunCancelRequested
  | RunSettled
  | RunPlanned
  | GoalOutOfReach
  | RunRetired
  | TasksAssigned
  | AttemptStarted
  | CasesRecorded
  | HedgeDropped
  | AttemptSettled
  | TaskSettled
  | TasksReturned
  | TakeBackRequested
  | CancelSent
  | ReportsRefused
  | ReportsAccepted
  | WorkerJoined
  | WorkerRefused
  | ProfileChanged
  | WorkerDisconnectedEvent
  | WorkerLost
  | WorkerDraining
  | WorkerLeftEvent
  | WorkerForgotten
  | ConditionEvent
  | LinksReset
  | HistoryTrimmed;

/** What the asker is told: a refusal is a value with a reason, and changes nothing. */
export type Reply =
  | { kind: 'accepted' }
  | { kind: 'runAccepted'; run: RunId; tasks: number; isRepeat: boolean }
  | { kind: 'refused'; code: string; reason: string };

/** The result of one step. The events are already applied to the state when step returns. */
export type StepResult = { events: Event[]; reply: Reply };
