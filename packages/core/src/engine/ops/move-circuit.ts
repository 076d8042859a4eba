// How circuits move: evidence is written down, a transition becomes an event, and what it asks for is done: work in hand that did
// not start goes elsewhere, a check is asked for where one can be the probe.
import type { AttemptRef } from '@assay/protocol';
import type { Mark } from '../../circuits/attribute.ts';
import { opening } from '../../circuits/breaker-state.ts';
import type { Transition } from '../../circuits/breaker-state.ts';
import { firstCause, isLastOfClass, isRate } from '../../circuits/judge.ts';
import type { Judgement } from '../../circuits/judge.ts';
import type { Circuit } from '../../circuits/registry.ts';
import { circuitIdOf, luckOf } from '../../circuits/scope.ts';
import { compareText } from '../../kernel/compare.ts';
import type { CircuitsNoted } from '../events.ts';
import { limit } from '../limits.ts';
import { openAttempts } from '../lookup.ts';
import type { State, WorkerRecord } from '../state.ts';
import type { Step } from '../step.ts';
import { hasCheckFor, requestCertification } from './certify.ts';

export function openCircuit(step: Step, circuit: Circuit, cause: string, isLast = false): void {
  const { nowMs, config } = step;
  const transition = opening(circuit.breaker, cause, nowMs, luckOf(circuit.circuit, circuit.breaker.generation));
  const untilMs = transition.untilMs ?? nowMs;
  const latestMs = nowMs + config.circuits.lastOfClassOpenMaxMs;
  moveCircuit(step, circuit, isLast && untilMs > latestMs ? { ...transition, untilMs: latestMs } : transition);
}

/** A probe failed. The last of its class goes on being probed where only a rate spoke against it, and is not away for long otherwise. */
export function reopen(step: Step, circuit: Circuit): void {
  const isLast = isLastOfClass(step.state, circuit);
  if (isLast && isRate(firstCause(circuit))) return;
  openCircuit(step, circuit, 'probeFailed', isLast);
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

export function act(step: Step, circuit: Circuit, judgement: Judgement): void {
  if (judgement.kind === 'probes') {
    moveCircuit(step, circuit, { to: 'halfOpen', atMs: step.nowMs, cause: judgement.cause });
  } else if (judgement.kind === 'opens') {
    openCircuit(step, circuit, judgement.cause, judgement.isLast);
  }
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

export function settingsFor(step: Step, scope: Circuit['scope']): Pick<CircuitsNoted['marks'][number], 'settings'> {
  if (step.state.circuits.has(circuitIdOf(scope))) return {};
  return { settings: step.config.circuits.breakers[scope.kind] };
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

/** In an order that does not depend on which was made first. */
export function inOrder(circuits: readonly Circuit[]): Circuit[] {
  return [...circuits].sort((a, b) => compareText(a.circuit, b.circuit));
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
