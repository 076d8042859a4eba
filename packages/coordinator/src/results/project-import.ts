// Rows of a run that was executed elsewhere, and what is to go with an erased project. An imported run has one attempt a task, on no
// worker; what its report does not say (when a task began, what it cost) stays null.
import { strict as assert } from 'node:assert';
import type { ProjectErased, RunImported } from '@assay/core';
import type { Case, CaseCounts } from '@assay/protocol';
import { addCase } from './project-attempt-event.ts';
import type { EntryContext, Projection } from './projection.ts';
import { recordEvent } from './projection.ts';
import type { AttemptRow, RunRow } from './rows.ts';

export function projectImport(projection: Projection, context: EntryContext, event: RunImported | ProjectErased): void {
  if (event.kind === 'runImported') return addImportedRun(projection, context, event);
  projection.batch.erased.push({ project: event.project, beforeSeq: context.entry.seq });
  return recordEvent(projection, context, event.kind, { detail: { project: event.project, actor: event.actor } });
}

function addImportedRun(projection: Projection, context: EntryContext, event: RunImported): void {
  const { input, seq, atMs } = context.entry;
  assert(input.kind === 'importRun', `entry ${seq}: a run was imported by ${input.kind}`);
  const { batch } = projection;
  const { run, verdicts } = event;
  const { suites, tasks, startedAtMs } = input.content;
  for (const [suite, { name, format }] of suites.entries())
    batch.suites.push({ run, suite, name, runner: format, directory: '', requires: '' });
  const total: CaseCounts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  const counted: RunRow['tasks']['verdicts'] = {};
  for (const [index, { suite, target, cases, variant = null }] of tasks.entries()) {
    const verdict = verdicts[index] ?? 'inconclusive';
    counted[verdict] = (counted[verdict] ?? 0) + 1;
    const counts = countsOf(cases);
    for (const status of Object.keys(counts) as (keyof CaseCounts)[]) total[status] += counts[status];
    batch.tasks.push({ run, index, suite, target, expectedMs: null, queuedAtMs: atMs });
    batch.attempts.push({ ...unplaced, run, index, settledAtMs: atMs, verdict, counts, seq, variant });
    const unjudged = { diagnosis: null, quarantined: null };
    batch.settlements.push({ run, index, attempt: 1, verdict, settledAtMs: atMs, variant, ...unjudged });
    for (const [ordinal, one] of cases.entries()) addCase(batch, { run, index, attempt: 1, ordinal, case: one });
  }
  const row: RunRow = {
    run,
    seq,
    submitter: event.submitter,
    name: input.name,
    project: event.project,
    priority: 0,
    labels: input.labels,
    state: 'settled',
    verdict: event.verdict,
    isSealed: true,
    isCanceled: false,
    submittedAtMs: atMs,
    startedAtMs,
    settledAtMs: atMs,
    tasks: { total: tasks.length, queued: 0, assigned: 0, running: 0, settled: tasks.length, verdicts: counted },
    cases: total,
    unplaceable: [],
  };
  batch.runs.set(row, false);
}

/** Of an attempt that no worker of ours had. */
const unplaced: Omit<AttemptRow, 'run' | 'index' | 'settledAtMs' | 'verdict' | 'counts' | 'seq' | 'variant'> = {
  attempt: 1,
  worker: null,
  workerName: null,
  profileDigest: null,
  assignment: null,
  expectedMs: null,
  assignedAtMs: null,
  startedAtMs: null,
  workerStartedAtMs: null,
  workerEndedAtMs: null,
  failure: null,
  costMs: null,
  startupMs: null,
  exitCode: null,
  exitSignal: null,
  blobs: [],
};

function countsOf(cases: readonly Case[]): CaseCounts {
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  for (const { status } of cases) counts[status] += 1;
  return counts;
}
