// The engine's state: what it knows of runs, workers, assignments and durations. Written by evolve alone.
//
// What always holds: the part of it that is not in `index` says everything (a snapshot holds that part, and the index is
// built again from it); a task's current attempt is the last of its `attempts`; whole milliseconds wherever sums are
// kept, so that a sum built by steps equals one built at once.
import type {
  AdmissionPolicy,
  AssignmentId,
  CaseCounts,
  CheckOutcome,
  Profile,
  RunId,
  RunSpec,
  SessionId,
  Verdict,
  WorkerId,
} from '@assay/protocol';
import type { Share } from '../scheduling/order.ts';
import type { Circuit, Streak } from '../circuits/registry.ts';
import type { CircuitId } from '../circuits/scope.ts';
import type { Window } from '../circuits/window.ts';
import type { DeclaredLabels } from '../hardware/facts.ts';
import type { RecencyMap } from '../kernel/recency-map.ts';
import type { AttemptState } from '../lifecycle/attempt.ts';
import type { Condition } from '../lifecycle/condition.ts';
import type { RunState } from '../lifecycle/run.ts';
import type { TaskState } from '../lifecycle/task.ts';
import type { WorkerState } from '../lifecycle/worker.ts';
import type { RecoveryState } from '../recovery/shield.ts';
import type { RungHistory } from '../recovery/ladder.ts';
import type { CapabilityClass, Index, Lane, RequirementGroup } from '../scheduling/index-types.ts';
import type { Duration, SuiteHistory } from '../scheduling/durations.ts';
import type { PlanEntry, RunPlan } from '../scheduling/plan.ts';
import type { Machines } from '../scheduling/machines.ts';
import type { Placement } from './events.ts';
import type { Tally } from './ops/mute-failures.ts';
import type { Quarantines } from './quarantines.ts';

export type AttemptRecord = {
  readonly attempt: number;
  readonly worker: WorkerId | null;
  readonly assignment: AssignmentId | null;
  readonly assignedAtMs: number;
  readonly expectedMs: number;
  readonly placement: Placement | null;
  /** Tasks in the assignment that brought it. */
  readonly batch: number;
  /** Cases in the journal so far: the ordinal that the next report starts at. */
  recorded: number;
  counts: CaseCounts;
  /** What its cases were of tests in quarantine; absent where none were. */
  quarantined?: Tally[];
  state: AttemptState;
};

export type TaskRecord = {
  readonly index: number;
  readonly suite: number;
  readonly target: string;
  /** The submitter's own estimate, or null. */
  readonly submittedMs: number | null;
  state: TaskState;
  /** Settled attempts and the current one; returned ones leave only their number, in `lastAttempt`. */
  attempts: AttemptRecord[];
  /** The duplicate of the current attempt, with a later number; null for none. */
  hedge: AttemptRecord | null;
  lastAttempt: number;
  userRetries: number;
  infrastructureRetries: number;
  /** Derived: predicted cost while queued, null where only the suite's mean can tell. */
  predictedMs: number | null;
  /** Derived: costs by class of a queued task that its suite's speeds do not explain; null for the others. */
  peculiar: readonly number[] | null;
  /** Derived: where it stands in its run's plan. */
  entries: readonly PlanEntry[] | null;
  heapSlot: number;
};

export type RunRecord = {
  readonly run: RunId;
  /** Order of submission over the engine's life. */
  readonly order: number;
  readonly submitter: string;
  readonly idempotencyKey: string;
  readonly contentDigest: string;
  readonly spec: RunSpec;
  readonly submittedAtMs: number;
  /** Order among the runs of its submitter: see scheduling/order.ts. */
  readonly rankMs: number;
  startedAtMs: number | null;
  state: RunState;
  /** Chunks taken so far; the submission's own is 0. */
  lastChunk: number;
  readonly tasks: TaskRecord[];
  /** What a task comes after, for those that come after any; and derived, who comes after a task. */
  readonly after: Map<number, readonly number[]>;
  readonly dependents: Map<number, number[]>;
  /** Gangs (by their first task) of which one has to be repeated: those that are being stopped for it go back to the queue. */
  readonly restarting: Set<number>;
  /** Per suite, the reasons last said for its being unplaceable, or null. */
  readonly unplaceableSaid: (string | null)[];
  counts: { queued: number; assigned: number; running: number; settled: number };
  verdicts: Partial<Record<Verdict, number>>;
  /** Cases of the attempts that settled their tasks. */
  cases: CaseCounts;
  /** When it would be over at the earliest, said where that is after its goal; null before. */
  goalMissedMs: number | null;
  /** Tasks that have a duplicate now. */
  hedges: number;
  /** Where classes differ in what they are good at: which tasks are for which. The queues in it are derived. */
  plan: RunPlan | null;
  /** Derived: one lane for each suite. */
  readonly lanes: Lane[];
};

export type Assignment = {
  readonly assignment: AssignmentId;
  readonly run: RunId;
  readonly suite: number;
  readonly worker: WorkerId;
  readonly atMs: number;
  /** The worker's pool at that time, for quotas. */
  readonly pool: string;
  /** How many of the lane's alternatives were open: which group it is of. */
  readonly opened: number;
  /** What it holds of the worker's devices. */
  readonly devices: readonly DeviceHold[];
  readonly tasks: readonly { readonly index: number; readonly attempt: number; readonly expectedMs: number }[];
  /** Task indexes asked back and not yet answered for; null when nothing is outstanding. */
  takeBack: Set<number> | null;
  /** Derived: attempts not over, attempts not started, and their predicted time. */
  open: number;
  unstarted: number;
  unstartedMs: number;
  /** When the current state of affairs began: the last start or end in it. */
  sinceMs: number;
  /** Predicted cost of the running attempt, 0 where none is. */
  runningMs: number;
  /** When it would end by prediction: the order in which work is stolen. */
  endsAtMs: number;
  readonly group: RequirementGroup;
  heapSlot: number;
};

/** Of one device of a worker, `gpu:0`: share 1 is all of it. */
export type DeviceHold = { readonly device: string; readonly share: number };

export type WorkerRecord = {
  readonly worker: WorkerId;
  readonly token: string;
  name: string;
  pool: string;
  slots: number;
  agentVersion: string;
  profileDigest: string;
  declared: DeclaredLabels;
  /** Of its token; null where that gives none. */
  trust?: string | null;
  /** The last change of its profile, in words; absent where it has had one only. */
  profileChange?: { readonly atMs: number; readonly changes: readonly string[] };
  incarnation: string;
  /** Earlier incarnations of the same id, most recent last: a process that was replaced is not let in again. */
  superseded: string[];
  session: SessionId;
  state: WorkerState;
  sinceMs: number;
  /** Last report sequence in the journal, -1 when none. */
  ackedSeq: number;
  /** Open assignments, each occupying one slot. */
  readonly assignments: Map<AssignmentId, Assignment>;
  readonly health: WorkerHealth;
  /** Whether it finished anything well since its process joined. */
  isProven: boolean;
  /** Derived: a circuit of its own admits nothing now. */
  isHalted: boolean;
  /** Derived: whether the worker as a whole is not to be given work. */
  isSetAside: boolean;
  /** Derived: the class that it would be of were none of its devices set aside; null where none is. */
  whole: CapabilityClass | null;
  /** Number of the last assignment that it got, 0 for none: equals take turns. */
  lastAssigned: number;
  /** Sources that it was given work of, the latest last, at most `sourcesMax`. */
  sources: readonly string[];
  /** Derived. */
  class: CapabilityClass;
  heapSlot: number;
  deadline: WorkerDeadline;
};

/** The worker as a whole, where a device is named. */
export const wholeWorker = '';

export type CheckRecord = {
  readonly device: string | null;
  readonly outcome: CheckOutcome;
  readonly evidence: Record<string, string>;
  readonly durationMs: number;
  readonly atMs: number;
};

export type ShutGateRecord = {
  readonly gate: string;
  readonly device: string | null;
  readonly reason: string;
  readonly sinceMs: number;
};

/** What is known of a worker's soundness. All of it is empty for a worker of which nothing was ever checked. */
export type WorkerHealth = {
  /** By device, `wholeWorker` for the worker itself; a scope that is not in it is ready since the worker joined. */
  readonly conditions: Map<string, Condition>;
  /** Gates that are shut, by `keyOf`. */
  readonly gates: Map<string, ShutGateRecord>;
  /** Last result by the check's name. */
  readonly checks: Map<string, CheckRecord>;
  /** Requests to certify or recover so far. */
  requests: number;
  /** Certifications that are not answered yet, by device. */
  readonly asked: Map<string, { readonly request: number; readonly deadlineMs: number }>;
  /** Derived: for what is under way on a linked worker. */
  readonly deadlines: Map<string, CheckupDeadline>;
};

export type CheckupDeadline = { readonly worker: WorkerId; readonly device: string; atMs: number; heapSlot: number };

export type WorkerDeadline = { readonly worker: WorkerId; atMs: number; heapSlot: number };

export type Submission = {
  readonly run: RunId;
  readonly contentDigest: string;
  readonly tasks: number;
  /** Of a run that left: its last chunk and all of its tasks, so that a repeated chunk is known as one. */
  readonly lastChunk?: number;
  readonly tasksInAll?: number;
};

export type State = {
  /** Steps that had events. */
  seq: number;
  epoch: number;
  runOrder: number;
  assignmentOrder: number;
  /** What the operator laid down: weights, quotas, reserved pools, caps of keys. */
  policy: AdmissionPolicy;
  /** The clock that shares have in common, in predicted work for a weight of 1. */
  clockMs: number;
  /** By submitter with live runs. */
  readonly shares: Map<string, Share>;
  readonly runs: Map<RunId, RunRecord>;
  readonly workers: Map<WorkerId, WorkerRecord>;
  readonly assignments: Map<AssignmentId, Assignment>;
  /** Profiles by digest, shared by the workers that have them. */
  readonly profiles: Map<string, { readonly profile: Profile; workers: number }>;
  /** Submissions by submitter and idempotency key, of live runs. */
  readonly submissions: Map<string, Submission>;
  /** The same of runs that left, in the order in which they left. */
  readonly retired: RecencyMap<string, Submission>;
  /** By suite and target, an entry for each class that it ran on. */
  readonly durations: RecencyMap<string, Duration[]>;
  readonly suites: RecencyMap<string, SuiteHistory>;
  /** Capability classes that work really ran on. */
  readonly machines: Machines;
  /** How often each step of recovery helped, by step and kind of device. */
  readonly rungs: RecencyMap<string, RungHistory>;
  readonly recovery: RecoveryState;
  /** Tests that are set aside. */
  readonly quarantines: Quarantines;
  readonly circuits: Map<CircuitId, Circuit>;
  /** Attempts that ended lately and failures of machines among them, over all workers: what one worker is held against. */
  readonly fleet: { attempts: Window; failures: Window };
  /** Rows of fast failures, by worker. */
  readonly streaks: Map<WorkerId, Streak>;
  readonly index: Index;
};
