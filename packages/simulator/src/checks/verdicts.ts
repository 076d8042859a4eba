// What verdicts should be, said again in plain code from ARCHITECTURE.md, apart from the engine's own tables.
import type { AttemptSettled, Input } from '@assay/core';
import type { AttemptOutcome, AttemptRef, Verdict, WorkerId } from '@assay/protocol';
import { attemptKeyOf } from './truth.ts';

/** What a worker said of the end of an attempt in this input, or null. */
export function outcomeIn(input: Input, worker: WorkerId, ref: AttemptRef): AttemptOutcome | null {
  if (input.kind !== 'workerReported' || input.worker !== worker) return null;
  for (const report of input.reports)
    if (report.kind === 'finished' && report.task === ref.task && report.attempt === ref.attempt) return report.outcome;
  return null;
}

/** What an outcome should count as: a pass says that at least one case ran and none failed. */
export function expectedVerdict(outcome: AttemptOutcome): Verdict {
  if (outcome.verdict !== 'passed') return outcome.verdict;
  if (outcome.counts.failed > 0) return 'failed';
  if (outcome.counts.passed > 0) return 'passed';
  return outcome.counts.skipped + outcome.counts.todo > 0 ? 'skipped' : 'inconclusive';
}

/**
 * Whether an attempt may end so without its worker's word: lost, canceled, out of retries, set aside because workers went down
 * with it, or given back once too often.
 */
export function endsWithoutOutcome(event: AttemptSettled, input: Input): boolean {
  if (event.verdict === 'lost' || event.verdict === 'canceled') return true;
  if (event.failure?.code === 'RETRIES_EXHAUSTED' || event.failure?.code === 'POISON') return true;
  if (input.kind !== 'workerReported' || input.worker !== event.worker) return false;
  return input.reports.some(
    (report) => report.kind === 'returned' && report.attempts.some((ref) => attemptKeyOf(ref) === attemptKeyOf(event)),
  );
}

/** A run passes only if something ran and all of it passed; it fails, or is canceled, only if some of it did. */
export function isVerdictTrue(verdict: Verdict, tasks: readonly (Verdict | null)[]): boolean {
  const has = (...wanted: Verdict[]): boolean => tasks.some((task) => task !== null && wanted.includes(task));
  const isBad = has('failed', 'errored', 'timedOut', 'lost');
  const isGood = !isBad && !has('inconclusive', 'canceled') && has('passed');
  if (verdict === 'failed') return isBad;
  if (verdict === 'canceled') return has('canceled');
  return (verdict === 'passed') === isGood;
}
