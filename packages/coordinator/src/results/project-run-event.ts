// Rows of runs and of their tasks' verdicts. The counts kept here are the ones that the live engine shows, so that a run
// reads the same before and after it left the engine.
import type { Event, RunSubmitted, TasksQueued, TaskSettled } from '@assay/core';
import { runIdOf, type CaseCounts, type Verdict } from '@assay/protocol';
import type { EntryContext, Projection } from './projection.ts';
import { changeRun, recordEvent } from './projection.ts';
import type { RunRow } from './rows.ts';
import { taskIndexOf } from './rows.ts';

type RunEvent = Extract<
  Event,
  {
    kind:
      | 'runSubmitted'
      | 'tasksQueued'
      | 'runUnplaceable'
      | 'runCancelRequested'
      | 'runSettled'
      | 'runRetired'
      | 'taskSettled'
      | 'diagnosisRevised';
  }
>;

export function projectRunEvent(projection: Projection, context: EntryContext, event: RunEvent): void {
  const { atMs } = context.entry;
  switch (event.kind) {
    case 'runSubmitted':
      return addRun(projection, context, event);
    case 'tasksQueued':
      return addTasks(projection, context, event);
    case 'taskSettled':
      return settleTask(projection, context, event);
    case 'diagnosisRevised': {
      const run = runIdOf(event.task);
      if (!projection.runs.has(run)) return;
      const { diagnosis } = event;
      projection.batch.revisions.push({ run, index: taskIndexOf(event.task), seq: context.entry.seq, diagnosis });
      return;
    }
    case 'runUnplaceable': {
      const run = changeRun(projection, event.run);
      if (!run) return;
      const { suite, requires, tasks, reasons } = event;
      run.unplaceable = run.unplaceable.filter((lane) => lane.suite !== suite || lane.requires !== requires);
      if (tasks > 0) run.unplaceable.push({ suite, requires, tasks, reasons });
      return recordEvent(projection, context, event.kind, {
        run: event.run,
        detail: { suite, requires, tasks, reasons },
      });
    }
    case 'runCancelRequested': {
      const run = changeRun(projection, event.run);
      if (!run) return;
      if (event.tasks === 'all') {
        run.isCanceled ||= event.cause === 'request';
        run.isSealed = false;
      }
      const tasks = event.tasks === 'all' ? 'all' : event.tasks.length;
      return recordEvent(projection, context, event.kind, {
        run: event.run,
        detail: { actor: event.actor, reason: event.reason, cause: event.cause, tasks },
      });
    }
    case 'runSettled': {
      const run = changeRun(projection, event.run);
      if (!run) return;
      run.state = 'settled';
      run.verdict = event.verdict;
      run.settledAtMs = atMs;
      run.unplaceable = [];
      return;
    }
    case 'runRetired':
      return;
  }
}

function addRun(projection: Projection, context: EntryContext, event: RunSubmitted): void {
  const { spec, run } = event;
  const row: RunRow = {
    run,
    seq: context.entry.seq,
    submitter: event.submitter,
    name: spec.name,
    project: spec.project,
    priority: spec.priority,
    labels: spec.labels ?? {},
    state: 'queued',
    verdict: null,
    isSealed: false,
    isCanceled: false,
    submittedAtMs: context.entry.atMs,
    startedAtMs: null,
    settledAtMs: null,
    tasks: { total: 0, queued: 0, assigned: 0, running: 0, settled: 0, verdicts: {} },
    cases: { passed: 0, failed: 0, skipped: 0, todo: 0 },
    unplaceable: [],
  };
  projection.runs.set(run, row);
  projection.batch.runs.set(row, false);
  for (const [suite, { name, runner, directory, requires }] of spec.suites.entries()) {
    projection.batch.suites.push({ run, suite, name, runner, directory, requires });
  }
}

function addTasks(projection: Projection, context: EntryContext, event: TasksQueued): void {
  const run = changeRun(projection, event.run);
  if (!run) return;
  let index = event.first;
  for (const task of event.tasks) {
    projection.batch.tasks.push({
      run: event.run,
      index,
      suite: task.suite,
      target: task.target,
      expectedMs: task.expectedMs ?? null,
      queuedAtMs: context.entry.atMs,
    });
    index += 1;
  }
  run.tasks.total += event.tasks.length;
  run.tasks.queued += event.tasks.length;
  run.isSealed ||= event.sealed;
}

function settleTask(projection: Projection, context: EntryContext, event: TaskSettled): void {
  const runId = runIdOf(event.task);
  const run = changeRun(projection, runId);
  if (!run) return;
  const settling = context.settling.get(event.task);
  // A task that an attempt settles left the queue when it was assigned; one that is canceled there is still in it.
  if (!settling) leaveQueue(projection, run, event);
  const last = settling ?? projection.requeued.get(event.task) ?? null;
  projection.requeued.delete(event.task);
  if (last) addCounts(run.cases, last.counts);
  run.tasks.settled += 1;
  countVerdict(run, event.verdict);
  projection.batch.settlements.push({
    run: runId,
    index: taskIndexOf(event.task),
    attempt: last?.attempt ?? null,
    verdict: event.verdict,
    settledAtMs: context.entry.atMs,
    variant: event.variant ?? null,
    diagnosis: event.diagnosis ?? null,
    quarantined: event.quarantined ?? null,
  });
}

/** A task may be settled over the head of an attempt that still runs: it then counts where the attempt is. */
function leaveQueue(projection: Projection, run: RunRow, event: TaskSettled): void {
  const open = projection.open.get(event.task);
  if (!open) run.tasks.queued -= 1;
  else if (open.startedAtMs === null) run.tasks.assigned -= 1;
  else run.tasks.running -= 1;
}

function countVerdict(run: RunRow, verdict: Verdict): void {
  run.tasks.verdicts[verdict] = (run.tasks.verdicts[verdict] ?? 0) + 1;
}

function addCounts(to: CaseCounts, counts: CaseCounts): void {
  to.passed += counts.passed;
  to.failed += counts.failed;
  to.skipped += counts.skipped;
  to.todo += counts.todo;
}
