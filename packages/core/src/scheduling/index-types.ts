// The derived part of the state: what makes a placement cost as much as there are distinct requirements and capability
// classes, and not as much as there are tasks and workers. Built again from the rest when a snapshot is restored.
//
//   requirement group = one requirement text; its lanes wait in a heap by priority and order of submission
//   lane              = the queued tasks of one suite of one run
//   capability class  = the connected workers with equal pool, profile and labels; its free ones in a heap by load
// Every group knows of every class whether it fits, with the reasons; that is evaluated once per pair.
import type { Claim, ConcurrencyKey, Gang, TaskId } from '@assay/protocol';
import type {
  AttemptRecord,
  Assignment,
  CheckupDeadline,
  RunRecord,
  TaskRecord,
  WorkerDeadline,
  WorkerRecord,
} from '../engine/state.ts';
import type { CircuitIndex } from '../circuits/registry.ts';
import type { Facts, Fit, Requirement } from '../hardware/requirement.ts';
import type { IndexQueue } from '../kernel/index-queue.ts';
import type { IndexedHeap } from '../kernel/indexed-heap.ts';
import type { Ends } from './ends.ts';
import type { GangIndex } from './gangs.ts';
import type { LaneQueue, Share } from './order.ts';

export type CapabilityClass = {
  readonly key: string;
  /** A short name for the key: what circuits and people call it. */
  readonly id: string;
  readonly pool: string;
  readonly facts: Facts;
  /** Known workers of it, in whatever state; the class goes with the last one. */
  members: number;
  /** Connected workers that take work, and their slots. */
  ready: number;
  slots: number;
  freeSlots: number;
  /** Ready ones and disconnected ones that may come back: while there is one, waiting makes sense. */
  possible: number;
  /** Connected workers that only a circuit of their own keeps from work. */
  halted: number;
  /** Workers with a free slot, the least loaded first. */
  readonly free: IndexedHeap<WorkerRecord>;
  /** Waiting groups that it fits: of two free classes, the one that fewer want is taken. */
  wantedBy: number;
};

export type RequirementGroup = {
  /** Pool, requirement texts and claims: what makes it one group. */
  readonly key: string;
  /** The pool that was asked for, or null for any that is not reserved. */
  readonly pool: string | null;
  /** The requirement in words: its choices in order, each behind the one before. */
  readonly text: string;
  /** A class fits that meets any of them; the earlier ones are preferred. */
  readonly choices: readonly Requirement[];
  readonly claims: readonly Claim[];
  /** What each claim asks of a device, and of a class that fits the names of those that meet it. */
  readonly claimTests: readonly Requirement[];
  readonly units: Map<CapabilityClass, readonly (readonly string[])[]>;
  /** Which choice a class that fits meets, where it is not the first. */
  readonly choiceMet: Map<CapabilityClass, number>;
  /** Lanes that refer to it; the group goes with the last one. */
  readonly lanes: Set<Lane>;
  readonly fits: Map<CapabilityClass, Fit>;
  /** The classes that fit. */
  readonly fitting: Set<CapabilityClass>;
  /** Lanes that have queued tasks outside `avoiding`. */
  readonly waiting: LaneQueue;
  /** Queued tasks that prefer another worker than one named, by task. */
  readonly avoiding: Map<TaskId, { readonly lane: Lane; readonly task: TaskRecord }>;
  /** Assignments that hold unstarted tasks behind others and were not asked for any yet; the latest to end first. */
  readonly stealable: IndexedHeap<Assignment>;
  /** Assignments that were asked for tasks and did not answer yet. */
  asked: number;
  /** Sum of the predictions of all attempts in hand: what the slots that fit are expected to be busy with. */
  assignedMs: number;
};

export type Lane = {
  readonly run: RunRecord;
  readonly suite: number;
  readonly suiteKey: string;
  /** Its group now: one of `groups`, by how many of its alternatives are open. */
  group: RequirementGroup;
  /** With none of its alternatives open, with the first one, and so on. */
  readonly groups: readonly RequirementGroup[];
  /** Its run is being canceled: what is still queued in it is settled step by step, and never placed. */
  isClosed: boolean;
  /** How many of its alternatives are open. */
  opened: number;
  /** When the first of what waits in it became ready; null while nothing does. Kept only where there are alternatives. */
  waitsSinceMs: number | null;
  readonly share: Share;
  readonly bucketKey: string;
  /** What its admission needs beyond a free slot, or null: the fast way out for the many. */
  readonly constraint: LaneConstraint | null;
  /** Who goes with whom, where the tasks come in gangs. */
  readonly gang: GangIndex | null;
  /** Tasks with a prediction of their own: the longest first. */
  readonly known: IndexedHeap<TaskRecord>;
  /** Tasks of which only the suite's mean is known, in order. */
  readonly unknown: IndexQueue<TaskRecord>;
  /** Tasks whose costs on the classes the suite's speeds do not explain: the longest first. */
  readonly peculiar: IndexedHeap<TaskRecord>;
  /** Sum of the predictions in `known`. */
  knownMs: number;
  /** Queued tasks that cannot be placed yet: those they come after are not over, or their gang is not whole. */
  readonly held: Set<TaskRecord>;
  /** All of its queued tasks, those held and those in the group's `avoiding` too. */
  queued: number;
  heapSlot: number;
};

export type LaneConstraint = {
  readonly keys: readonly ConcurrencyKey[];
  readonly gang: Gang | null;
  readonly claims: readonly Claim[];
};

/** A retry that waits for its time, in no line. */
export type Delayed = { readonly lane: Lane; readonly task: TaskRecord; readonly atMs: number; heapSlot: number };

export type Index = {
  /** No alternative of a lane in `expiring` opens before this; a hint, corrected when it is reached. */
  alternativesDueMs: number;
  /** Goes up when a worker, a fit or which lanes have work changes: what was seen of them before holds until then. */
  changes: number;
  /** Goes up when a class comes, goes or is matched anew. */
  fits: number;
  readonly classes: Map<string, CapabilityClass>;
  readonly groups: Map<string, RequirementGroup>;
  /** Classes that have a free slot. */
  readonly freeClasses: Set<CapabilityClass>;
  /** Groups that have a lane or an avoiding task waiting. */
  readonly waitingGroups: Set<RequirementGroup>;
  /** When workers are free again by prediction, by class: kept while somebody asks, and no part of the state. */
  ends: Ends | null;
  /** Those of them that have an avoiding task. */
  readonly avoidingGroups: Set<RequirementGroup>;
  /** Slots that hold a concurrency key, by key. */
  readonly keysHeld: Map<string, number>;
  /** Slots in use by pool and submitter or project; kept only while the policy has quotas. */
  readonly slotsInUse: Map<string, number>;
  /** Lanes that wait and have an alternative that is not open yet. */
  readonly expiring: Set<Lane>;
  /** Lanes of gangs that have a whole gang waiting. */
  readonly gangs: Set<Lane>;
  /** Classes kept for a gang that waited long: noted anew by each placement, and not part of the state. */
  readonly keptFor: Map<CapabilityClass, Lane>;
  /** Canceled runs that still have queued tasks to settle. */
  readonly winding: Set<RunRecord>;
  /** Tasks of gangs that came back to the queue while others of their gang are at work: dealt with in the same step. */
  readonly broken: Map<TaskRecord, Lane>;
  /** Pools that only runs that ask for them may use. */
  readonly reservedPools: Set<string>;
  /** Groups that have something to steal. */
  readonly stealableGroups: Set<RequirementGroup>;
  /** Deadlines of workers: the end of a grace, the time to forget. */
  readonly workerDeadlines: IndexedHeap<WorkerDeadline>;
  /** Certifications and steps of recovery that linked workers have to answer. */
  readonly checkupDeadlines: IndexedHeap<CheckupDeadline>;
  /** No running attempt is past its time-out and grace before this; a hint, corrected when it is reached. */
  overdueAtMs: number;
  /** Queued tasks whose retry has a time: the earliest first. */
  readonly delayed: IndexedHeap<Delayed>;
  readonly delayedOf: Map<TaskRecord, Delayed>;
  /** Attempts being canceled, by task, in the order of their deadlines. */
  readonly canceling: Map<TaskId, { readonly attempt: AttemptRecord; readonly deadlineMs: number }>;
  /** Groups whose being placeable has to be looked at: tasks came, or the classes changed. A hint: looking twice says nothing twice. */
  readonly unchecked: Set<RequirementGroup>;
  /** Circuits by what an attempt knows of itself. */
  readonly circuits: CircuitIndex;
  /** Classes by their short names. */
  readonly classById: Map<string, CapabilityClass>;
};
