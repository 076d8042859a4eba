// Questions to the past that take statistics, and the rows that they are answered from. Two small ports: `AnalysisRows` is what a
// results store has (counts, failures and medians, never every case), `Analysis` what the routes ask.
// What always holds: rows are bounded, and an answer made from rows that were cut says so.
import type {
  AnalysisScope,
  ChangeReport,
  CulpritReport,
  CulpritRequest,
  FailureReport,
  FlakeReport,
  TestName,
} from '@assay/protocol';

export type RowsQuery = { project: string | null; runs: number; limit: number };

/** How often a test failed and passed at one revision on one worker; runs without the label `revision` are one each. */
export type ExecutionRow = TestName & {
  revision: string;
  /** Grows with the time at which the revision was first seen. */
  revisionSeq: number;
  worker: string;
  profileDigest: string;
  failed: number;
  passed: number;
};

export type FailureRow = TestName & {
  run: string;
  revision: string;
  atMs: number;
  profileDigest: string;
  message: string;
  stack: string | null;
};

/** The median of what one run measured of one metric on one class of hardware; in order of runs within a series. */
export type SampleRow = TestName & {
  metric: string;
  unit: string;
  direction: 'lower' | 'higher' | 'none';
  profileDigest: string;
  run: string;
  revision: string;
  worker: string;
  /** Null where the machine throttled during every sample. */
  value: number | null;
  throttled: number;
};

export interface AnalysisRows {
  /** Of tests that failed at least once. */
  executions(query: RowsQuery): Promise<ExecutionRow[]>;
  failures(query: RowsQuery): Promise<FailureRow[]>;
  samples(query: RowsQuery): Promise<SampleRow[]>;
  /** Profiles by digest, as they were stored. */
  profiles(): Promise<Map<string, unknown>>;
}

export interface Analysis {
  flakes(scope: AnalysisScope): Promise<FlakeReport>;
  failures(scope: AnalysisScope & { run?: string | undefined }): Promise<FailureReport>;
  changes(scope: AnalysisScope): Promise<ChangeReport>;
  culprit(request: CulpritRequest): Promise<CulpritReport>;
}
