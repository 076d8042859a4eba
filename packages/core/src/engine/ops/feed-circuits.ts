// What an attempt's end means for circuits: the one place where evidence is taken, and where a circuit moves because of it.
// Called from settle with how the attempt really ended, before its task is settled or queued again.
import type { AttemptRef, WorkerId } from '@assay/protocol';
import { attribute, classThatCounts } from '../../circuits/attribute.ts';
import type { Mark } from '../../circuits/attribute.ts';
import { opening } from '../../circuits/breaker-state.ts';
import type { Transition } from '../../circuits/breaker-state.ts';
import { firstCause, isLastOfClass, isRate, judge, limited } from '../../circuits/judge.ts';
import type { Judgement } from '../../circuits/judge.ts';
import type { Circuit } from '../../circuits/registry.ts';
import { circuitIdOf, luckOf } from '../../circuits/scope.ts';
import { compareText } from '../../kernel/compare.ts';
import type { CircuitsNoted } from '../events.ts';
import { taskIdOf } from '../ids.ts';
import { limit } from '../limits.ts';
import { openAttempts } from '../lookup.ts';
import type { Ending } from '../settle.ts';
import type { AttemptRecord, RunRecord, State, TaskRecord, WorkerRecord } from '../state.ts';
import type { Step } from '../step.ts';
import { hasCheckFor, requestCertification } from './certify.ts';

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

/** In an order that does not depend on which was made first. */
function inOrder(circuits: readonly Circuit[]): Circuit[] {
  return [...circuits].sort((a, b) => compareText(a.circuit, b.circuit));
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

/** Emits evidence; circuits that it makes take their settings along, so that recovery needs none. */
export function noteMarks(
  step: Step,
  { marks, ...said }: Omit<CircuitsNoted, 'kind' | 'marks'> & { readonly marks: readonly Mark[] },
): void {
  step.emit({
    kind: 'circuitsNoted',
    ...said,
    marks: marks.map(({ scope, member }) => ({ scope, member, ...settingsFor(step, scope) })),
  });
}

export function settingsFor(step: Step, scope: Circuit['scope']): Pick<CircuitsNoted['marks'][number], 'settings'> {
  if (step.state.circuits.has(circuitIdOf(scope))) return {};
  return { settings: step.config.circuits.breakers[scope.kind] };
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

/** It failed where other things went well: then it is not this worker that makes it fail. */
function hasFailedElsewhere(state: State, { attempts }: TaskRecord, worker: WorkerId): boolean {
  return attempts.some(
    (earlier) =>
      earlier.worker !== null &&
      earlier.worker !== worker &&
      earlier.state.kind === 'settled' &&
      earlier.state.verdict === 'failed' &&
      state.workers.get(earlier.worker)?.isProven === true,
  );
}

function deviceNeeded(requires: string): string | null {
  return /\bgpus?\b/.test(requires) ? 'gpu' : null;
}

/** What is expected of a worker that did nothing well yet is not learned from its own failures. */
function isFastFailure(
  step: Step,
  { expectedMs }: AttemptRecord,
  { verdict, costMs }: Ending,
  isProven: boolean,
): boolean {
  if (costMs === undefined || (verdict !== 'failed' && verdict !== 'errored')) return false;
  const { circuits, defaultExpectedMs } = step.config;
  return costMs < circuits.fastShare * Math.max(expectedMs, isProven ? 0 : defaultExpectedMs);
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

/**
 * Of the other workers, the share that look like this one: those that failed fast and did nothing well either, among all that show
 * anything. One that runs a task for longer than all of these failures took shows that it does not fail so. Null without peers.
 */
function shareLikeIt(state: State, worker: WorkerId, nowMs: number): number | null {
  const slowestMs = state.streaks.get(worker)?.slowestMs ?? 0;
  let alike = 0;
  let unlike = 0;
  for (const peer of state.workers.values()) {
    if (peer.worker === worker || peer.state.kind === 'lost' || peer.state.kind === 'left') continue;
    const row = state.streaks.get(peer.worker)?.tasks.length ?? 0;
    if (row >= 2) alike += 1;
    else if (peer.isProven || isAtWorkLonger(state, peer, nowMs - slowestMs)) unlike += 1;
    else if (row > 0) alike += 1;
  }
  return unlike === 0 ? null : (alike + 1) / (alike + unlike + 2);
}

function isAtWorkLonger(state: State, { assignments }: WorkerRecord, beforeMs: number): boolean {
  for (const assignment of assignments.values())
    for (const { attempt } of openAttempts(state, assignment))
      if (attempt.state.kind === 'running' && attempt.state.startedAtMs < beforeMs) return true;
  return false;
}

function act(step: Step, circuit: Circuit, judgement: Judgement): void {
  if (judgement.kind === 'probes') {
    moveCircuit(step, circuit, { to: 'halfOpen', atMs: step.nowMs, cause: judgement.cause });
  } else if (judgement.kind === 'opens') {
    openCircuit(step, circuit, judgement.cause, judgement.isLast);
  }
}

export function openCircuit(step: Step, circuit: Circuit, cause: string, isLast = false): void {
  const { nowMs, config } = step;
  const transition = opening(circuit.breaker, cause, nowMs, luckOf(circuit.circuit, circuit.breaker.generation));
  const untilMs = transition.untilMs ?? nowMs;
  const latestMs = nowMs + config.circuits.lastOfClassOpenMaxMs;
  moveCircuit(step, circuit, isLast && untilMs > latestMs ? { ...transition, untilMs: latestMs } : transition);
}

/** Emits a transition, and does what it asks for: work in hand that did not start goes elsewhere, a probe is asked for. */
export function moveCircuit(step: Step, circuit: Circuit, transition: Transition): void {
  step.emit({
    kind: 'circuitMoved',
    circuit: circuit.circuit,
    scope: circuit.scope,
    from: circuit.breaker.state.kind,
    transition,
    evidence: [...circuit.evidence],
  });
  if (transition.to === 'halfOpen') askForCertification(step, circuit);
  if (transition.to === 'open' || transition.to === 'forcedOpen' || transition.to === 'halfOpen')
    takeBackWork(step, circuit);
}

/** A worker or a device that has a check of its own is proven by that, and not by somebody's work. */
function askForCertification(step: Step, circuit: Circuit): void {
  const { scope } = circuit;
  if (scope.kind !== 'worker' && scope.kind !== 'device') return;
  const worker = step.state.workers.get(scope.worker);
  const device = scope.kind === 'device' ? scope.device : null;
  if (worker === undefined || !hasCheckFor(worker, device)) return;
  const request = requestCertification(step, worker, device, `circuit ${circuit.circuit} is half-open`);
  if (request === null) return;
  const expiresAtMs = step.nowMs + 2 * step.config.certifyPatienceMs;
  step.emit({ kind: 'certificationProbe', circuit: circuit.circuit, request, expiresAtMs });
}

/** Half-open circuits whose certification was answered. */
export function concludeCertificationProbe(
  step: Step,
  worker: WorkerRecord,
  request: number,
  outcome: 'passed' | 'failed' | 'notRun',
): void {
  const of = step.state.index.circuits.byWorker.get(worker.worker);
  if (of === undefined) return;
  for (const circuit of inOrder(of)) {
    if (!circuit.probes.some(({ task, attempt }) => task === null && attempt === request)) continue;
    const { scope } = circuit;
    const said = outcome === 'passed' ? 'success' : outcome === 'failed' ? 'failure' : 'ignored';
    step.emit({ kind: 'circuitProbed', scope, outcome: said, durationMs: 0, detail: null, request });
    if (outcome === 'passed') moveCircuit(step, circuit, { to: 'closed', atMs: step.nowMs, cause: 'certified' });
    else if (outcome === 'failed') openCircuit(step, circuit, 'probeFailed');
  }
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

/** A probe failed. The last of its class goes on being probed where only a rate spoke against it, and is not away for long otherwise. */
function reopen(step: Step, circuit: Circuit): void {
  const isLast = isLastOfClass(step.state, circuit);
  if (isLast && isRate(firstCause(circuit))) return;
  openCircuit(step, circuit, 'probeFailed', isLast);
}

/**
 * A worker that fails one task after another, far faster than they take elsewhere. Failures of the machine need few; where
 * tests may be at fault, only so many that a peer would hardly ever have them, on a worker that never did anything well.
 */
function considerBlackHole(step: Step, config: Step['config']['circuits'], worker: WorkerRecord): void {
  const { state } = step;
  const streak = state.streaks.get(worker.worker);
  if (streak === undefined || streak.tasks.length < config.blackHoleTasksMin) return;
  if (streak.hasTest && worker.isProven) return;
  const share = shareLikeIt(state, worker.worker, step.nowMs);
  // What happens to its peers too is no black hole. Alone, only failures of the machine speak.
  if (share === null ? streak.hasTest : share ** streak.tasks.length > config.blackHoleChance) return;
  const scope = { kind: 'worker', worker: worker.worker } as const;
  if (!state.circuits.has(circuitIdOf(scope))) {
    const member = streak.tasks.at(-1) ?? '';
    noteMarks(step, {
      worker: worker.worker,
      task: null,
      attempt: 0,
      failureClass: 'infrastructure',
      code: 'BLACK_HOLE',
      isOfMachine: false,
      isFast: false,
      costMs: 0,
      marks: [{ scope, member }],
    });
  }
  const circuit = state.circuits.get(circuitIdOf(scope));
  if (circuit?.breaker.state.kind === 'closed') act(step, circuit, limited(state, config, circuit, 'blackHole'));
}

/** Asks back what a circuit now stops and did not start. */
function takeBackWork(step: Step, circuit: Circuit): void {
  for (const worker of workersOf(step.state, circuit)) {
    if (worker.state.kind !== 'connected') continue;
    for (const assignment of worker.assignments.values()) {
      if (assignment.takeBack !== null || assignment.unstarted === 0) continue;
      const lane = step.state.runs.get(assignment.run)?.lanes[assignment.suite];
      if (lane === undefined || (circuit.taskClass !== null && circuit.taskClass !== lane.suiteKey)) continue;
      const attempts: AttemptRef[] = openAttempts(step.state, assignment)
        .filter(({ attempt }) => attempt.state.kind === 'assigned')
        .map(({ ref }) => ref)
        .slice(0, limit('batchTasksMax'));
      if (attempts.length > 0)
        step.emit({ kind: 'takeBackRequested', worker: worker.worker, assignment: assignment.assignment, attempts });
    }
  }
}

function workersOf(state: State, { scope }: Circuit): WorkerRecord[] {
  if (scope.kind === 'worker' || scope.kind === 'workerTask') {
    const worker = state.workers.get(scope.worker);
    return worker === undefined ? [] : [worker];
  }
  if (scope.kind !== 'class' && scope.kind !== 'classTask') return [];
  return [...state.workers.values()].filter((worker) => worker.class.id === scope.class);
}
