// Events of results that were made elsewhere, and of those that are forgotten.
import type { RunId, Verdict } from '@assay/protocol';

/** A run executed elsewhere is known, settled; its cases are in the input of the same journal entry. `verdicts` are of its tasks. */
export type RunImported = {
  kind: 'runImported';
  run: RunId;
  project: string;
  submitter: string;
  tasks: number;
  verdicts: Verdict[];
  verdict: Verdict;
};
/** What is stored of the project up to here is to go. */
export type ProjectErased = { kind: 'projectErased'; project: string; actor: string };
