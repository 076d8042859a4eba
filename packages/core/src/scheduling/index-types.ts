// The derived part of the state: what makes a placement cost as much as there are distinct requirements and capability
// classes, and not as much as there are tasks and workers. Built again from the rest when a snapshot is restored.
//
//   requirement group = one requirement text; its lanes wait in a heap by priority and order of submission
//   lane              = the queued tasks of one suite of one run
//   capability class  = the connected workers with equal pool, profile and labels; its free ones in a heap by load
// Every group knows of every class whether it fits, with the reasons; that is evaluated once per pair.
import type { TaskId } from '@assay/protocol';
import type {
  AttemptRecord,
  Assignment,
  RunRecord,
  TaskRecord,
  WorkerDeadline,
  WorkerRecord,
} from '../engine/state.ts';
import type { Facts, Fit, Requirement } from '../hardware/requirement.ts';
import type { IndexQueue } from '../kernel/index-queue.ts';
import type { IndexedHeap } from '../kernel/indexed-heap.ts';

export type CapabilityClass = {
  readonly key: string;
  readonly facts: Facts;
  /** Known workers of it, in whatever state; the class goes with the last one. */
  members: number;
  /** Connected workers that take work, and their slots. */
  ready: number;
  slots: number;
  freeSlots: number;
  /** Ready ones and disconnected ones that may come back: while there is one, waiting makes sense. */
  possible: number;
  /** Workers with a free slot, the least loaded first. */
  readonly free: IndexedHeap<WorkerRecord>;
  /** Waiting groups that it fits: of two free classes, the one that fewer want is taken. */
  wantedBy: number;
};

export type RequirementGroup = {
  readonly text: string;
  readonly requirement: Requirement;
  /** Lanes that refer to it; the group goes with the last one. */
  readonly lanes: Set<Lane>;
  readonly fits: Map<CapabilityClass, Fit>;
  /** The classes that fit. */
  readonly fitting: Set<CapabilityClass>;
  /** Lanes that have queued tasks outside `avoiding`. */
  readonly waiting: IndexedHeap<Lane>;
  /** Queued tasks that prefer another worker than one named, by task. */
  readonly avoiding: Map<TaskId, { readonly lane: Lane; readonly task: TaskRecord }>;
  /** Assignments that hold unstarted tasks behind others and were not asked for any yet; the latest to end first. */
  readonly stealable: IndexedHeap<Assignment>;
  /** Assignments that were asked for tasks and did not answer yet. */
  asked: number;
};

export type Lane = {
  readonly run: RunRecord;
  readonly suite: number;
  readonly suiteKey: string;
  readonly group: RequirementGroup;
  /** Tasks with a prediction of their own: the longest first. */
  readonly known: IndexedHeap<TaskRecord>;
  /** Tasks of which only the suite's mean is known, in order. */
  readonly unknown: IndexQueue<TaskRecord>;
  /** Sum of the predictions in `known`. */
  knownMs: number;
  /** All of its queued tasks, those in the group's `avoiding` too. */
  queued: number;
  heapSlot: number;
};

export type Index = {
  readonly classes: Map<string, CapabilityClass>;
  readonly groups: Map<string, RequirementGroup>;
  /** Classes that have a free slot. */
  readonly freeClasses: Set<CapabilityClass>;
  /** Groups that have a lane or an avoiding task waiting. */
  readonly waitingGroups: Set<RequirementGroup>;
  /** Groups that have something to steal. */
  readonly stealableGroups: Set<RequirementGroup>;
  /** Deadlines of workers: the end of a grace, the time to forget. */
  readonly workerDeadlines: IndexedHeap<WorkerDeadline>;
  /** Attempts being canceled, by task, in the order of their deadlines. */
  readonly canceling: Map<TaskId, { readonly attempt: AttemptRecord; readonly deadlineMs: number }>;
  /** Groups whose being placeable has to be looked at: tasks came, or the classes changed. A hint: looking twice says nothing twice. */
  readonly unchecked: Set<RequirementGroup>;
};
