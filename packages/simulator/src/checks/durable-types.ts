// What the disk says, as the checks keep it: runs, tasks, attempts and workers folded from durable entries.
import type { Case, Profile, RunSpec, TaskId, Verdict, WorkerId } from '@assay/protocol';

export type DurableAttempt = {
  worker: WorkerId | null;
  state: 'open' | 'settled' | 'returned';
  assignment: string | null;
  cases: Case[];
  verdict: Verdict | null;
  settles: boolean;
  /** It ended as its worker reported. */
  isReported: boolean;
};
export type DurableTask = {
  suite: number;
  target: string;
  attempts: Map<number, DurableAttempt>;
  verdict: Verdict | null;
};
export type DurableRun = {
  key: string;
  spec: RunSpec;
  tasks: DurableTask[];
  lastChunk: number;
  isSealed: boolean;
  isCancelAsked: boolean;
  cancelAsked: Set<TaskId>;
  verdict: Verdict | null;
  isRetired: boolean;
};
export type DurableWorker = {
  session: string;
  isLinked: boolean;
  profile: Profile;
  declared: Record<string, unknown>;
  slots: number;
  assignments: Map<string, Set<string>>;
  ackedSeq: number;
  reports: Set<number>;
};
