// What a worker should have done by now and has not: answered a request, or ended an attempt at its time-out.
//
// An agent that is connected and sends heartbeats may still not look after its work. An attempt that runs longer than its time-out
// and a grace is a sign of that, because the agent itself ends it at the time-out: the worker becomes suspect and is asked to
// end it by force. It looks at its own clock first, because this one may have jumped: where nothing is past its time-out there, the
// worker is ready again at once. If that is not answered either, the attempt is lost, and its task goes to another worker.
import { present } from '../../kernel/assert.ts';
import { openAttempts } from '../lookup.ts';
import { settleAttempt } from '../settle.ts';
import type { Assignment, AttemptRecord, RunRecord, State, TaskRecord, WorkerRecord } from '../state.ts';
import { wholeWorker } from '../state.ts';
import type { Step } from '../step.ts';
import type { AttemptRef } from '@assay/protocol';
import { conditionOf, quarantine, suspect } from './change-condition.ts';
import { climb, requestRecovery } from './certify.ts';
import { concludeCertification } from './take-checks.ts';

/** Requests whose time is up. */
export function passCheckups(step: Step): void {
  const { state, nowMs } = step;
  for (;;) {
    const due = state.index.checkupDeadlines.peek();
    if (due === undefined || due.atMs > nowMs) return;
    const worker = present(state.workers.get(due.worker), 'worker of a check-up');
    unanswered(step, worker, due.device === wholeWorker ? null : due.device);
  }
}

function unanswered(step: Step, worker: WorkerRecord, device: string | null): void {
  const condition = conditionOf(worker, device);
  if (condition.kind !== 'suspect' && condition.kind !== 'quarantined') return;
  const { checkup } = condition;
  if (checkup.kind === 'certifying') {
    const message = `no answer in ${Math.round(step.config.certifyPatienceMs / 1000)} s`;
    const { request } = checkup;
    step.emit({ kind: 'workerCertified', worker: worker.worker, device, request, outcome: 'notRun', message });
    return concludeCertification(step, worker, device, 'notRun', message);
  }
  if (checkup.kind !== 'recovering') return;
  step.emit({
    kind: 'recoveryReported',
    worker: worker.worker,
    device,
    request: checkup.request,
    rung: checkup.rung,
    outcome: 'unanswered',
    evidence: {},
    durationMs: step.nowMs - condition.sinceMs,
  });
  if (condition.kind === 'suspect') quarantine(step, worker, device, condition.reason);
  if (device === null) loseOverdue(step, worker);
  climb(step, worker, device, condition.reason);
}

/** Looks for attempts that run past their time-out, when one may be. Costs a walk over assignments once in a time-out, not more. */
export function passOverdue(step: Step): void {
  const { state, config, nowMs } = step;
  if (nowMs < state.index.overdueAtMs) return;
  for (const worker of overdueWorkers(state, nowMs, config.overdueGraceMs)) {
    const overdue = overdueOf(state, worker, nowMs, config.overdueGraceMs);
    const [first] = overdue;
    if (first === undefined) continue;
    const reason = `${first.task.target || first.ref.task} runs past its time-out of ${first.timeoutMs / 1000} s, and the worker did not end it`;
    if (!suspect(step, worker, null, reason)) continue;
    requestRecovery(
      step,
      worker,
      null,
      'runner',
      reason,
      overdue.map(({ ref }) => ref),
      true,
    );
  }
  state.index.overdueAtMs = nextOverdueAtMs(state, config.overdueGraceMs, nowMs);
}

function overdueWorkers(state: State, nowMs: number, graceMs: number): Set<WorkerRecord> {
  const workers = new Set<WorkerRecord>();
  for (const assignment of state.assignments.values()) {
    if (overdueAtMs(state, assignment, graceMs) > nowMs) continue;
    const worker = present(state.workers.get(assignment.worker), 'worker of an assignment');
    const isLinked = worker.state.kind === 'connected' || worker.state.kind === 'draining';
    if (isLinked && conditionOf(worker, null).kind === 'ready') workers.add(worker);
  }
  return workers;
}

type Overdue = {
  readonly run: RunRecord;
  readonly task: TaskRecord;
  readonly attempt: AttemptRecord;
  readonly ref: AttemptRef;
  readonly timeoutMs: number;
};

function overdueOf(state: State, worker: WorkerRecord, nowMs: number, graceMs: number): Overdue[] {
  const found: Overdue[] = [];
  for (const assignment of worker.assignments.values()) {
    if (overdueAtMs(state, assignment, graceMs) > nowMs) continue;
    const run = present(state.runs.get(assignment.run), 'run of an assignment');
    for (const { task, attempt, ref } of openAttempts(state, assignment))
      if (attempt.state.kind === 'running')
        found.push({ run, task, attempt, ref, timeoutMs: timeoutOf(run, task.suite) });
  }
  return found;
}

function loseOverdue(step: Step, worker: WorkerRecord): void {
  for (const { run, task, attempt } of overdueOf(step.state, worker, step.nowMs, step.config.overdueGraceMs)) {
    // A run that stops itself at the first loss has dealt with its other attempts meanwhile.
    if (attempt.state.kind !== 'running') continue;
    const message = `${worker.name} did not end it at its time-out, and did not answer when asked to end it by force`;
    const failure = { class: 'infrastructure', code: 'WORKER_HUNG', message } as const;
    settleAttempt(step, run, task, attempt, { verdict: 'lost', counts: attempt.counts, failure });
  }
}

/**
 * When an assignment with a running attempt is overdue. `sinceMs` is the last start or end in it. What is being canceled has a
 * deadline of its own. It follows from the state alone and not from when it was looked at: looks that find nothing are not
 * journalled, and a restored engine has to suspect the same workers at the same time.
 */
export function overdueAtMs(state: State, assignment: Assignment, graceMs: number): number {
  if (assignment.open === assignment.unstarted) return Infinity;
  const run = state.runs.get(assignment.run);
  if (run === undefined || run.state.kind === 'canceling') return Infinity;
  const worker = state.workers.get(assignment.worker);
  const timeoutMs = timeoutOf(run, assignment.suite);
  // A worker that was away may have the end of it in its hands, and is given the grace to say so.
  const dueMs = Math.max(assignment.sinceMs + timeoutMs, worker?.sinceMs ?? 0) + graceMs;
  // Where the worker was found ready although it was overdue, it is not asked again before another time-out has passed.
  const condition = worker?.health.conditions.get(wholeWorker);
  return condition?.kind === 'ready' && condition.sinceMs >= dueMs ? condition.sinceMs + timeoutMs + graceMs : dueMs;
}

function timeoutOf(run: RunRecord, suite: number): number {
  return present(run.spec.suites[suite], 'suite').timeoutMs;
}

/**
 * The earliest time at which an attempt may be overdue: of what runs, of what may start at any moment, and of what is overdue
 * on a worker that is being looked into. What makes it earlier is noted where it happens: new work, and a link that changes.
 */
export function nextOverdueAtMs(state: State, graceMs: number, nowMs: number): number {
  let earliest = Infinity;
  for (const assignment of state.assignments.values()) {
    const run = state.runs.get(assignment.run);
    if (run === undefined) continue;
    const ifStartedNow = nowMs + timeoutOf(run, assignment.suite) + graceMs;
    const known = overdueAtMs(state, assignment, graceMs);
    earliest = Math.min(earliest, known > nowMs ? Math.min(known, ifStartedNow) : ifStartedNow);
  }
  return earliest;
}
