// Reports of a worker: each is accepted once (its sequence), and only for an attempt that this worker holds now (the fence).
// What is refused is kept as evidence and never sent again: the step always ends by accepting the whole frame.
import type { AttemptOutcome, AttemptRef, Case, CaseCounts, Report } from '@assay/protocol';
import { limit } from '../limits.ts';
import type { Reply, ReportsRefused } from '../events.ts';
import type { WorkerReported } from '../inputs.ts';
import { heldAttempt } from '../lookup.ts';
import { settleAttempt } from '../settle.ts';
import type { WorkerRecord } from '../state.ts';
import { accepted } from '../step.ts';
import type { Step } from '../step.ts';
import { judge } from './judge-outcome.ts';
import { tallyOf } from './mute-failures.ts';
import { linked, notItsLink } from './part-with-worker.ts';
import { profileChangesOf } from './profile-changes.ts';
import { takeCertified, takeChecked, takeRecovered } from './take-checks.ts';
import { takeReturned } from './take-returned.ts';

type Refused = ReportsRefused['refused'];
/** A refusal's reason, or null where the report was accepted. */
type Outcome = string | null;

export function acceptReports(step: Step, input: WorkerReported): Reply {
  const worker = linked(step, input);
  if (worker === null) return notItsLink(input);
  const refused: Refused = [];
  let seq = worker.ackedSeq;
  for (const report of input.reports) {
    if (report.seq <= seq) continue;
    seq = report.seq;
    accept(step, worker, report, refused);
  }
  if (refused.length > 0) step.emit({ kind: 'reportsRefused', worker: worker.worker, refused });
  step.emit({ kind: 'reportsAccepted', worker: worker.worker, session: input.session, seq });
  return accepted;
}

function accept(step: Step, worker: WorkerRecord, report: Report, refused: Refused): void {
  switch (report.kind) {
    case 'started':
      return note(refused, report, started(step, worker, report));
    case 'cases':
      return note(refused, report, recordCases(step, worker, report));
    case 'finished':
      return note(refused, report, finished(step, worker, report));
    case 'returned':
      return takeReturned(step, worker, report, refused);
    case 'profileChanged':
      if (report.profileDigest === worker.profileDigest) return;
      return step.emit({
        kind: 'profileChanged',
        worker: worker.worker,
        profile: report.profile,
        profileDigest: report.profileDigest,
        previousDigest: worker.profileDigest,
        changes: profileChangesOf(step.state, worker, report.profile),
      });
    case 'checked': {
      const reason = takeChecked(step, worker, report);
      if (reason !== null) refused.push({ seq: report.seq, task: null, attempt: 0, reason });
      return;
    }
    case 'certified':
      return takeCertified(step, worker, report);
    case 'recovered':
      return takeRecovered(step, worker, report);
    case 'draining':
      if (worker.state.kind === 'draining') return;
      return step.emit({ kind: 'workerDraining', worker: worker.worker, actor: 'agent', reason: report.reason });
  }
}

function note(refused: Refused, report: AttemptRef & { readonly seq: number }, reason: Outcome): void {
  if (reason !== null) refused.push({ seq: report.seq, task: report.task, attempt: report.attempt, reason });
}

export const fenced = "the attempt is not this worker's now";

function started(step: Step, worker: WorkerRecord, report: AttemptRef & { readonly atMs: number }): Outcome {
  const held = heldAttempt(step.state, worker.worker, report);
  if (held === null) return fenced;
  const { state } = held.attempt;
  const hasStarted = state.kind === 'running' || (state.kind === 'canceling' && state.startedAtMs !== null);
  if (hasStarted) return 'it was said to have started before';
  step.emit({
    kind: 'attemptStarted',
    task: report.task,
    attempt: report.attempt,
    worker: worker.worker,
    atMs: report.atMs,
  });
  return null;
}

function recordCases(step: Step, worker: WorkerRecord, report: Extract<Report, { kind: 'cases' }>): Outcome {
  const held = heldAttempt(step.state, worker.worker, report);
  if (held === null) return fenced;
  const { task, attempt: number, from, cases } = report;
  const { recorded } = held.attempt;
  if (from < recorded) return `cases from ${from} were recorded before: ${recorded} are`;
  if (from > recorded) return `cases ${recorded} to ${from - 1} are missing`;
  if (recorded + cases.length > limit('casesPerAttempt')) return `more than ${limit('casesPerAttempt')} cases`;
  // The start was coalesced away: an attempt with cases is not to be taken for one that never started.
  if (held.attempt.state.kind === 'assigned')
    step.emit({ kind: 'attemptStarted', task, attempt: number, worker: worker.worker, atMs: step.nowMs });
  const quarantined = tallyOf(step, held.run, held.task, cases);
  step.emit({
    kind: 'casesRecorded',
    task,
    attempt: number,
    worker: worker.worker,
    reportSeq: report.seq,
    from,
    count: cases.length,
    counts: countCases(cases),
    ...(quarantined.length === 0 ? {} : { quarantined }),
  });
  return null;
}

function countCases(cases: readonly Case[]): CaseCounts {
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  for (const { status } of cases) counts[status] += 1;
  return counts;
}

function finished(
  step: Step,
  worker: WorkerRecord,
  report: AttemptRef & { readonly outcome: AttemptOutcome },
): Outcome {
  const held = heldAttempt(step.state, worker.worker, report);
  if (held === null) return fenced;
  settleAttempt(step, held.run, held.task, held.attempt, judge(report.outcome, held.attempt.recorded));
  return null;
}
