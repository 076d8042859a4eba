// What an attempt's end means for circuits: the one place where evidence is taken, and where a circuit moves because of it.
// Called from settle with how the attempt really ended, before its task is settled or queued again.
import type { WorkerId } from '@assay/protocol';
import { attribute, classThatCounts } from '../../circuits/attribute.ts';
import type { Mark } from '../../circuits/attribute.ts';
import { firstCause, judge } from '../../circuits/judge.ts';
import type { Circuit } from '../../circuits/registry.ts';
import { circuitIdOf } from '../../circuits/scope.ts';
import { taskIdOf } from '../ids.ts';
import type { Ending } from '../settle.ts';
import type { AttemptRecord, RunRecord, State, TaskRecord, WorkerRecord } from '../state.ts';
import type { Step } from '../step.ts';
import { considerBlackHole, hasFailedElsewhere, isFastFailure } from './black-hole.ts';
import { act, inOrder, moveCircuit, noteMarks, reopen } from './move-circuit.ts';

/** Tells the circuits how an attempt ended. `probed` are those that it was a probe of; `isExcused`: part of an outage of the fleet. */
export function feedCircuits(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
  attempt: AttemptRecord,
  ending: Ending,
  probed: readonly Circuit[],
  isExcused: boolean,
): void {
  const worker = attempt.worker === null ? undefined : step.state.workers.get(attempt.worker);
  const isOver = ending.verdict === 'passed' || ending.verdict === 'canceled' || ending.verdict === 'skipped';
  // A trouble that the whole fleet has is nobody's own.
  if (worker !== undefined && !isOver && !isExcused) noteFailure(step, run, task, attempt, worker, ending);
  if (worker !== undefined && ending.verdict === 'passed' && task.attempts.length > 1)
    blameEarlier(step, run, task, worker);
  const hasFailed = !isOver && !isExcused && ending.verdict !== 'inconclusive';
  for (const circuit of probed) concludeProbe(step, circuit, hasFailed);
}

/** What an attempt probes, asked before it is settled. */
export function probedBy(state: State, run: RunRecord, task: TaskRecord): readonly Circuit[] {
  const { probing } = state.index.circuits;
  return probing.size === 0 ? [] : inOrder(probing.get(taskIdOf(run.run, task.index)) ?? []);
}

function noteFailure(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
  attempt: AttemptRecord,
  worker: WorkerRecord,
  ending: Ending,
): void {
  const { state } = step;
  const config = step.config.circuits;
  const suite = run.spec.suites[task.suite];
  const id = taskIdOf(run.run, task.index);
  const { verdict, failure } = ending;
  const marks = attribute(verdict, failure, {
    worker: worker.worker,
    class: worker.class.id,
    project: run.spec.project,
    suite: suite?.name ?? '',
    task: id,
    uses: suite?.uses ?? [],
    device: deviceNeeded(suite?.requires ?? ''),
  }).filter((mark) => !isRepeatedLoss(state, mark, ending) && !isPoison(task, worker.worker, verdict));
  const named = classThatCounts(verdict, failure);
  // Where the test may be at fault, only a worker that never did anything well is suspected.
  // A driver, a browser or a device that fails fast is stopped as such, and takes nothing else along.
  const mayBeWorker =
    named === null
      ? !worker.isProven && !hasFailedElsewhere(state, task, worker.worker)
      : named === 'unknown' || marks.some(({ scope }) => scope.kind === 'worker');
  const isFast = mayBeWorker && isFastFailure(step, attempt, ending, worker.isProven);
  if (marks.length === 0 && !isFast) return;
  noteMarks(step, {
    worker: worker.worker,
    task: id,
    attempt: attempt.attempt,
    failureClass: named ?? failure?.class ?? 'test',
    code: failure?.code ?? verdict,
    isOfMachine: named !== null && named !== 'timeout' && named !== 'unknown',
    isFast,
    costMs: ending.costMs ?? 0,
    marks,
  });
  for (const mark of marks) consider(step, mark, run, worker.worker);
  if (isFast) considerBlackHole(step, config, worker);
}

/**
 * A task passed that failed elsewhere: what it failed on is under suspicion. One such task may be a flaky one; it takes several
 * different ones, and that nothing much passes there.
 */
function blameEarlier(step: Step, run: RunRecord, task: TaskRecord, passedOn: WorkerRecord): void {
  const suite = run.spec.suites[task.suite];
  const device = deviceNeeded(suite?.requires ?? '');
  for (const { state, worker, attempt } of task.attempts) {
    if (worker === null || worker === passedOn.worker || state.kind !== 'settled' || state.verdict !== 'failed')
      continue;
    if (state.failure?.class !== 'test') continue;
    const known = step.state.workers.get(worker);
    if (known === undefined) continue;
    const member = taskIdOf(run.run, task.index);
    const failure = { class: 'device', code: 'PASSES_ELSEWHERE', message: '' } as const;
    const marks = attribute('failed', failure, {
      worker,
      class: known.class.id,
      project: run.spec.project,
      suite: suite?.name ?? '',
      task: member,
      uses: [],
      device,
      // What passes on another unit of the same class is not the fault of what they have in common.
    }).filter(({ scope }) => scope.kind !== 'classTask' || known.class !== passedOn.class);
    noteMarks(step, {
      worker,
      task: member,
      attempt,
      failureClass: failure.class,
      code: failure.code,
      isOfMachine: true,
      isFast: false,
      costMs: 0,
      marks,
    });
    for (const mark of marks) {
      const circuit = step.state.circuits.get(circuitIdOf(mark.scope));
      const now = circuit?.breaker.state;
      // It probed the circuit, and only another machine told that it was not the test.
      if (circuit !== undefined && now?.kind === 'halfOpen' && state.atMs >= now.sinceMs) reopen(step, circuit);
      else consider(step, mark, run, worker);
    }
  }
}

/** A worker that is lost loses all that it runs at once: that is one failure. */
function isRepeatedLoss(state: State, mark: Mark, { verdict }: Ending): boolean {
  if (verdict !== 'lost') return false;
  return state.circuits.get(circuitIdOf(mark.scope))?.evidence.at(-1) === state.seq;
}

/** A task that took down another worker before is not evidence against the next one. */
function isPoison({ attempts }: TaskRecord, worker: WorkerId, verdict: Ending['verdict']): boolean {
  if (verdict !== 'lost') return false;
  return attempts.some(
    ({ state, worker: other }) => other !== worker && state.kind === 'settled' && state.verdict === 'lost',
  );
}

function deviceNeeded(requires: string): string | null {
  return /\bgpus?\b/.test(requires) ? 'gpu' : null;
}

function consider(step: Step, mark: Mark, run: RunRecord, worker: WorkerId): void {
  const circuit = step.state.circuits.get(circuitIdOf(mark.scope));
  if (circuit === undefined) return;
  if (circuit.breaker.state.kind === 'halfOpen') return;
  const peersFail = mark.isWeak === true ? failureShare(step.state, run, worker) : null;
  act(step, circuit, judge(step.state, step.config.circuits, circuit, step.nowMs, peersFail));
}

/** How often what settled of a run did not pass, leaving this worker's row of failures out; cautious while little is known. */
function failureShare(state: State, { verdicts }: RunRecord, worker: WorkerId): number {
  const own = state.streaks.get(worker)?.tasks.length ?? 0;
  const bad = (verdicts.failed ?? 0) + (verdicts.errored ?? 0) + (verdicts.timedOut ?? 0);
  const others = Math.max(0, bad - own);
  return (others + 1) / ((verdicts.passed ?? 0) + others + 2);
}

/** An attempt that was a probe is over: the circuit closes, opens again, or waits for the next one. */
function concludeProbe(step: Step, circuit: Circuit, isFailed: boolean): void {
  const { breaker } = circuit;
  if (breaker.state.kind !== 'halfOpen') return;
  const isMarked = circuit.evidence.at(-1) === step.state.seq && circuit.lastAtMs === step.nowMs;
  // What swallows tasks whatever they are is not proven by one that only failed.
  const hasFailed = isMarked || (isFailed && isBlackHole(circuit));
  if (hasFailed) reopen(step, circuit);
  else if (breaker.state.successes >= breaker.settings.probeSuccesses)
    moveCircuit(step, circuit, { to: 'closed', atMs: step.nowMs, cause: 'probesSucceeded' });
}

function isBlackHole(circuit: Circuit): boolean {
  return firstCause(circuit) === 'blackHole';
}
