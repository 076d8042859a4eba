// Rows of attempts and their cases. Two things come from the input of the same journal entry, because events do not repeat
// them: the cases of a `casesRecorded`, and the blobs, exit and times of an attempt that its worker finished.
import { strict as assert } from 'node:assert';
import type {
  AttemptSettled,
  AttemptStarted,
  CasesRecorded,
  Event,
  HedgeDropped,
  HedgeSide,
  TasksAssigned,
  TasksReturned,
} from '@assay/core';
import { runIdOf, taskIdOf, type TaskId } from '@assay/protocol';
import type { EntryContext, Pending, Projection, ReportIndex } from './projection.ts';
import { changeRun, recordEvent, setOpen } from './projection.ts';
import type { OpenAttemptRow, RunRow, StoredCaseRow } from './rows.ts';
import { taskIndexOf } from './rows.ts';

type AttemptEvent = Extract<
  Event,
  {
    kind:
      | 'tasksAssigned'
      | 'attemptStarted'
      | 'casesRecorded'
      | 'hedgeDropped'
      | 'attemptSettled'
      | 'tasksReturned'
      | 'takeBackRequested'
      | 'cancelSent'
      | 'reportsRefused';
  }
>;

export function projectAttemptEvent(projection: Projection, context: EntryContext, event: AttemptEvent): void {
  switch (event.kind) {
    case 'tasksAssigned':
      return assign(projection, context, event);
    case 'attemptStarted':
      return start(projection, context, event);
    case 'casesRecorded':
      return addCases(projection, context, event);
    case 'hedgeDropped':
      return dropHedge(projection, context, event);
    case 'attemptSettled':
      return settleAttempt(projection, context, event);
    case 'tasksReturned':
      return giveBack(projection, context, event);
    case 'takeBackRequested':
    case 'cancelSent':
      for (const { task, attempt } of event.attempts) {
        recordEvent(projection, context, event.kind, {
          task,
          attempt,
          worker: event.worker,
          detail: event.kind === 'cancelSent' ? { reason: event.reason } : { assignment: event.assignment },
        });
      }
      return;
    case 'reportsRefused':
      for (const { seq, task, attempt, reason } of event.refused) {
        recordEvent(projection, context, event.kind, {
          task,
          attempt,
          worker: event.worker,
          detail: { reportSeq: seq, reason },
        });
      }
      return;
  }
}

function assign(projection: Projection, context: EntryContext, event: TasksAssigned): void {
  const run = changeRun(projection, event.run);
  if (!run) return;
  const { assignment, suite, worker, placement } = event;
  const assignedAtMs = context.entry.atMs;
  const { rule, fittingWorkers, freeWorkers, expectedMs } = placement;
  const tasks = event.tasks.length;
  projection.batch.assignments.push({
    assignment,
    run: event.run,
    suite,
    worker,
    assignedAtMs,
    tasks,
    rule,
    fittingWorkers,
    freeWorkers,
    expectedMs,
  });
  // Of a duplicate only its cases are kept until it is over: it is the task's attempt when the other one yields.
  if (event.isHedge === true) return;
  for (const task of event.tasks) {
    setOpen(projection, taskIdOf(event.run, task.index), {
      run: event.run,
      index: task.index,
      attempt: task.attempt,
      worker,
      assignment,
      expectedMs: task.expectedMs,
      assignedAtMs,
      startedAtMs: null,
    });
  }
  run.tasks.queued -= tasks;
  run.tasks.assigned += tasks;
  if (run.unplaceable.length > 0) run.unplaceable = run.unplaceable.filter((lane) => lane.suite !== suite);
}

function start(projection: Projection, context: EntryContext, event: AttemptStarted): void {
  const run = changeRun(projection, runIdOf(event.task));
  const open = openAttempt(projection, event);
  if (!run || !open || open.startedAtMs !== null) return;
  // The coordinator's clock, as everywhere: `event.atMs` is the worker's.
  setOpen(projection, event.task, { ...open, startedAtMs: context.entry.atMs });
  run.tasks.assigned -= 1;
  run.tasks.running += 1;
  startRun(run, context);
}

function addCases(projection: Projection, context: EntryContext, event: CasesRecorded): void {
  const run = runIdOf(event.task);
  if (!projection.runs.has(run)) return;
  const report = reportsOf(context).bySeq.get(event.reportSeq);
  assert(
    report?.kind === 'cases',
    `entry ${context.entry.seq}: no report ${event.reportSeq} with the cases of ${event.task}`,
  );
  const skipped = event.from - report.from;
  const cases = report.cases.slice(skipped, skipped + event.count);
  assert(
    skipped >= 0 && cases.length === event.count,
    `entry ${context.entry.seq}: report ${event.reportSeq} lacks cases`,
  );
  const index = taskIndexOf(event.task);
  for (const [offset, one] of cases.entries()) {
    addCase(projection.batch, { run, index, attempt: event.attempt, ordinal: event.from + offset, case: one });
  }
}

/** A case and what it measured, which has rows of its own. */
export function addCase(batch: Pending, row: StoredCaseRow): void {
  const { measurements, ...rest } = row.case;
  batch.cases.push(measurements === undefined ? row : { ...row, case: rest });
  if (measurements === undefined) return;
  const { run, index, attempt, ordinal } = row;
  for (const [sample, measurement] of measurements.entries())
    batch.measurements.push({ run, index, attempt, ordinal, sample, measurement });
}

function settleAttempt(projection: Projection, context: EntryContext, event: AttemptSettled): void {
  const run = changeRun(projection, runIdOf(event.task));
  if (!run) return;
  const open = openAttempt(projection, event);
  // Only what the worker itself reported has one: an attempt that was lost has none.
  const outcome = reportsOf(context).outcomes.get(`${event.task}#${event.attempt}`);
  const worker = event.worker ?? open?.worker ?? null;
  const known = worker === null ? undefined : projection.workers.get(worker);
  projection.batch.attempts.push({
    run: run.run,
    index: taskIndexOf(event.task),
    attempt: event.attempt,
    worker,
    workerName: known?.name ?? null,
    profileDigest: known?.profileDigest ?? null,
    assignment: open?.assignment ?? null,
    expectedMs: open?.expectedMs ?? 0,
    assignedAtMs: open?.assignedAtMs ?? context.entry.atMs,
    startedAtMs: open?.startedAtMs ?? null,
    settledAtMs: context.entry.atMs,
    workerStartedAtMs: outcome?.startedAtMs ?? null,
    workerEndedAtMs: outcome?.endedAtMs ?? null,
    verdict: event.verdict,
    failure: event.failure ?? null,
    counts: event.counts,
    costMs: event.costMs ?? null,
    startupMs: event.startupMs ?? null,
    exitCode: outcome?.exit?.code ?? null,
    exitSignal: outcome?.exit?.signal ?? null,
    blobs: event.blobs ?? outcome?.blobs ?? [],
    seq: context.entry.seq,
    variant: event.variant ?? null,
  });
  // Without an assignment the attempt is only the evidence of why a queued task is settled.
  if (open) close(projection, run, event.task, open);
  else run.tasks.queued -= 1;
  // A start that was told together with the end.
  if (event.costMs !== undefined) startRun(run, context);
  if (event.next.kind === 'yield') return takeOver(projection, run, event.task, event.next.to);
  if (event.next.kind === 'requeue') {
    run.tasks.queued += 1;
    const { attempt, counts } = event;
    projection.requeued.set(event.task, { run: run.run, index: taskIndexOf(event.task), attempt, counts });
  } else {
    context.settling.set(event.task, event);
  }
}

/** The duplicate goes on as the task's attempt. */
function takeOver(projection: Projection, run: RunRow, task: TaskId, to: HedgeSide): void {
  setOpen(projection, task, { run: run.run, index: taskIndexOf(task), ...to });
  if (to.startedAtMs === null) run.tasks.assigned += 1;
  else run.tasks.running += 1;
}

/** Nothing of it was counted, and nothing of it is kept but that it was there. */
function dropHedge(projection: Projection, context: EntryContext, event: HedgeDropped): void {
  const { task, attempt, worker, reason } = event;
  const run = runIdOf(task);
  const index = taskIndexOf(task);
  if (!projection.runs.has(run)) return;
  const { batch } = projection;
  const isOther = (row: { run: string; index: number; attempt: number }): boolean =>
    row.run !== run || row.index !== index || row.attempt !== attempt;
  batch.cases = batch.cases.filter(isOther);
  batch.measurements = batch.measurements.filter(isOther);
  batch.dropped.push({ run, index, attempt });
  recordEvent(projection, context, event.kind, { task, attempt, worker, detail: { reason } });
}

function startRun(run: RunRow, context: EntryContext): void {
  run.startedAtMs ??= context.entry.atMs;
  run.state = 'running';
}

function giveBack(projection: Projection, context: EntryContext, event: TasksReturned): void {
  for (const ref of event.attempts) {
    const open = openAttempt(projection, ref);
    const run = open && changeRun(projection, open.run);
    if (!run) continue;
    close(projection, run, ref.task, open);
    run.tasks.queued += 1;
    recordEvent(projection, context, event.kind, {
      task: ref.task,
      attempt: ref.attempt,
      worker: event.worker,
      detail: { reason: event.reason },
    });
  }
}

function openAttempt(projection: Projection, ref: { task: TaskId; attempt: number }): OpenAttemptRow | null {
  const open = projection.open.get(ref.task);
  return open?.attempt === ref.attempt ? open : null;
}

function close(projection: Projection, run: RunRow, task: TaskId, open: OpenAttemptRow): void {
  setOpen(projection, task, null);
  if (open.startedAtMs === null) run.tasks.assigned -= 1;
  else run.tasks.running -= 1;
}

/** Built once an entry, because a frame may carry thousands of reports and each attempt looks for its own. */
function reportsOf(context: EntryContext): ReportIndex {
  if (context.reports) return context.reports;
  const index: ReportIndex = { bySeq: new Map(), outcomes: new Map() };
  const { input } = context.entry;
  for (const report of input.kind === 'workerReported' ? input.reports : []) {
    index.bySeq.set(report.seq, report);
    if (report.kind === 'finished') index.outcomes.set(`${report.task}#${report.attempt}`, report.outcome);
  }
  context.reports = index;
  return index;
}
