// A placement policy: of the workers that fit and have a free slot, which one is given the work. One candidate a class of
// machines comes in (its least loaded worker, or one that has the source already), so that a choice costs as much as there
// are classes. Small and swappable: chosen per pool by the settings that the coordinator starts with (`placement`); what was
// decided is journalled as events, so recovery never asks a policy again.
import type { TaskRecord, WorkerRecord } from '../../engine/state.ts';
import type { CapabilityClass, Lane } from '../index-types.ts';

export const policyNames = ['expected-finish', 'round-robin', 'least-loaded', 'cache-affinity'] as const;
export type PolicyName = (typeof policyNames)[number];

export type Candidate = {
  readonly capability: CapabilityClass;
  readonly worker: WorkerRecord;
  readonly lane: Lane;
  /** The first task that it would get. */
  readonly task: TaskRecord;
  readonly costMs: number;
  /** Where classes differ: how much better this class is for the task than any other, in half doublings; 0 where they do not. */
  readonly advantage: number;
  /** What its circuits, closed as yet, have against it (circuits/health.ts); null where it is well. */
  readonly ailment: string | null;
  /** Whether the worker had the run's source before. */
  readonly isWarm: boolean;
};

export type Policy = {
  readonly name: PolicyName;
  /** The rule in words, as explanations say it. */
  readonly rule: string;
  /** Whether differences between classes count: work may then wait for a faster worker. */
  readonly usesPlan: boolean;
  /** The chain, link by link. */
  readonly links: readonly ((a: Candidate, b: Candidate) => number)[];
  /** Whether `a` goes before `b`. Total: it ends in the id. */
  readonly isBefore: (a: Candidate, b: Candidate) => boolean;
};
