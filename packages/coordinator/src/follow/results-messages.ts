// What the loop and the results thread say to each other.
import type { ErrorBody } from '@assay/protocol';
import type { Analysis } from '../ports/analysis.ts';
import type { ResultStore } from '../ports/result-store.ts';
import type { ResultsNews } from './results-worker.ts';

/** Questions that the thread answers. */
export type ResultsQuestion = Exclude<keyof ResultStore, 'apply' | 'close' | 'appliedSeq'>;

/** Questions that it answers by statistics over the store's rows. */
export type AnalysisQuestion = keyof Analysis;

export type ResultsSettings = {
  journalDirectory: string;
  /** The DuckDB file. */
  resultsFile: string;
  /** First entry that the journal still has. */
  firstSeq: number;
  gatherMs: number;
};

export type ToResults =
  | { kind: 'durable'; seq: number; isUrgent: boolean }
  | { kind: 'ask'; id: number; question: ResultsQuestion; argument: unknown }
  | { kind: 'analyse'; id: number; question: AnalysisQuestion; argument: unknown }
  /** Brings over what is durable for at most so long, closes the store and ends. */
  | { kind: 'close'; limitMs: number };
export type FromResults =
  | ResultsNews
  | { kind: 'answer'; id: number; value: unknown }
  | { kind: 'fault'; id: number; body: ErrorBody }
  | { kind: 'closed' };
