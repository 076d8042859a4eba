// What of an attempt is in quarantine: what its cases failed and passed of it, whether all that failed is muted, and how near the
// tests are to coming back. What always holds: a verdict changes only where everything that failed is muted, and it is "passed"
// only where something else passed: zero tests that count is never a pass.
import type { Case, QuarantineNote } from '@assay/protocol';
import { stepQuarantine } from '../../analysis/quarantine.ts';
import { findQuarantine, quarantineKeyOf } from '../quarantines.ts';
import type { QuarantineRecord } from '../quarantines.ts';
import { taskIdOf } from '../ids.ts';
import type { Ending } from '../settle.ts';
import type { AttemptRecord, RunRecord, TaskRecord } from '../state.ts';
import type { Step } from '../step.ts';

/** `repeated`: passes that the runner itself had to repeat for. */
export type Tally = { quarantine: string; failed: number; passed: number; repeated: number };

/** Of reported cases, those of tests that are set aside. */
export function tallyOf(step: Step, run: RunRecord, task: TaskRecord, cases: readonly Case[]): Tally[] {
  const { quarantines } = step.state;
  if (quarantines.byTest.size === 0) return [];
  const place = placeOf(run, task);
  const tallies = new Map<string, Tally>();
  for (const { path, status, runnerRetries } of cases) {
    const record = quarantines.byTest.get(quarantineKeyOf({ ...place, path }));
    if (record === undefined || (status !== 'failed' && status !== 'passed')) continue;
    const tally = tallies.get(record.quarantine) ?? {
      quarantine: record.quarantine,
      failed: 0,
      passed: 0,
      repeated: 0,
    };
    tally[status] += 1;
    if (status === 'passed' && (runnerRetries ?? 0) > 0) tally.repeated += 1;
    tallies.set(record.quarantine, tally);
  }
  return [...tallies.values()];
}

/** What is said of the quarantines that an attempt met, and whether all that failed in it is muted by them. */
export type Muting = { readonly notes: QuarantineNote[]; readonly isMuted: boolean };
export const nothingMuted: Muting = { notes: [], isMuted: false };

export function mutingOf(step: Step, run: RunRecord, task: TaskRecord, attempt: AttemptRecord, ending: Ending): Muting {
  if (step.state.quarantines.byTest.size === 0 || attempt.state.kind === 'canceling') return nothingMuted;
  const file = fileQuarantine(step, run, task, 'mute');
  // What broke the machine or the infrastructure is none of the test's, and is not hidden by its quarantine.
  const isOfTest = ending.verdict === 'failed' || ending.failure?.class === 'test';
  if (file !== null && ending.verdict !== 'passed' && isOfTest)
    return { notes: [noteOf(file, Math.max(1, ending.counts.failed))], isMuted: true };
  const notes = (attempt.quarantined ?? []).flatMap(({ quarantine, failed }) => {
    const record = findQuarantine(step.state.quarantines, quarantine);
    return record === null || failed === 0 ? [] : [noteOf(record, failed)];
  });
  const muted = notes.reduce((sum, { failures }) => sum + failures, 0);
  const isOnlyCases = ending.verdict === 'failed' && (ending.failure?.code ?? 'TESTS_FAILED') === 'TESTS_FAILED';
  return { notes, isMuted: isOnlyCases && muted > 0 && muted === ending.counts.failed };
}

export const mutedVerdictOf = ({ counts }: Ending): 'passed' | 'skipped' => (counts.passed > 0 ? 'passed' : 'skipped');

export type PassCount = { quarantine: string; passesInRow: number };

/** One execution of each test in quarantine is over: their passes in a row, and which of them were enough. */
export function countExecutions(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
  attempt: AttemptRecord,
  { verdict, failure }: Ending,
): { counted: PassCount[]; released: PassCount[] } {
  const counted: PassCount[] = [];
  const released: PassCount[] = [];
  if (step.state.quarantines.byTest.size === 0) return { counted, released };
  const file = fileQuarantine(step, run, task, 'mute');
  const isWhole = verdict === 'passed' || verdict === 'failed' || failure?.class === 'test';
  const executed = [
    // A pass that had to be repeated for is a failure of the test: retries do not blind it.
    ...(attempt.quarantined ?? []).map(({ quarantine, failed, repeated }) => ({
      quarantine,
      isFailed: failed + repeated > 0,
    })),
    ...(file === null || !isWhole ? [] : [{ quarantine: file.quarantine, isFailed: verdict !== 'passed' }]),
  ];
  for (const { quarantine, isFailed } of executed) {
    const record = findQuarantine(step.state.quarantines, quarantine);
    if (record === null) continue;
    const next = stepQuarantine(record.state, { kind: 'executed', isFailed }, step.nowMs);
    const passesInRow = record.state.passesInRow + 1;
    if (next.kind === 'released' && next.because === 'passes') released.push({ quarantine, passesInRow });
    else if (next.kind === 'counted' && next.state.kind === 'quarantined')
      counted.push({ quarantine, passesInRow: next.state.passesInRow });
  }
  return { counted, released };
}

export function releasePassed(step: Step, run: RunRecord, task: TaskRecord, released: readonly PassCount[]): void {
  for (const { quarantine, passesInRow } of released) {
    const reason = `${passesInRow} passes in a row, the last in ${taskIdOf(run.run, task.index)}`;
    step.emit({ kind: 'testReleased', quarantine, because: 'passes', actor: 'assay', reason });
  }
}

function placeOf(run: RunRecord, task: TaskRecord): { project: string; suite: string; target: string } {
  return { project: run.spec.project, suite: run.spec.suites[task.suite]?.name ?? '', target: task.target };
}

export function fileQuarantine(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
  mode: 'mute' | 'skip',
): QuarantineRecord | null {
  const record = step.state.quarantines.byTest.get(quarantineKeyOf({ ...placeOf(run, task), path: [] }));
  return record?.state.mode === mode && record.state.expiresAtMs > step.nowMs ? record : null;
}

export function noteOf({ quarantine, path, state }: QuarantineRecord, failures: number): QuarantineNote {
  const { mode, owner, reason, expiresAtMs } = state;
  return { quarantine, path: [...path], mode, owner, reason, expiresAtMs, failures };
}
