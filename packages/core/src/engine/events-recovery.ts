// What happened in recovery: retries whose time has come, diagnoses that are revised, and troubles that many have at once.
// Part of the events, see events.ts.
import type { Diagnosis, TaskId, WorkerId } from '@assay/protocol';
import type { Trouble } from '../recovery/shield.ts';

/** What other failures showed since changes whose fault a settled task's trouble was. */
export type DiagnosisRevised = { kind: 'diagnosisRevised'; task: TaskId; diagnosis: Diagnosis };
/** Retries whose delay is over: they wait in line from now on. */
export type RetriesDue = { kind: 'retriesDue'; tasks: TaskId[] };
/** A failure that may be part of one trouble of many. Older ones than `keptFromMs` are dropped. */
export type TroubleNoted = { kind: 'troubleNoted'; signature: string; trouble: Trouble; keptFromMs: number };
/** Alike failures of unrelated tests, at once: one trouble. The failures in `evidence` give back what they spent. */
export type OutageOpened = {
  kind: 'outageOpened';
  signature: string;
  name: string;
  evidence: { task: TaskId; attempt: number; suite: string; worker: WorkerId }[];
};
/** This task looks whether the trouble is over. */
export type OutageProbed = { kind: 'outageProbed'; signature: string; task: TaskId; notBeforeMs: number };
/** What waited for it is let go. `excused` failures it had. */
export type OutageClosed = {
  kind: 'outageClosed';
  signature: string;
  name: string;
  reason: 'over' | 'expired' | 'nobodyWaits';
  excused: number;
};
