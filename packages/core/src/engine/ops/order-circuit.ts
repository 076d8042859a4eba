// What people order of circuits, what the coordinator sees of dependencies, what time alone does to them, and what is forgotten.
import type { CircuitScope } from '@assay/protocol';
import { levelAt } from '../../circuits/breaker-state.ts';
import type { Transition } from '../../circuits/breaker-state.ts';
import { judge } from '../../circuits/judge.ts';
import { orderedTransition } from '../../circuits/orders.ts';
import type { Order } from '../../circuits/orders.ts';
import type { Circuit } from '../../circuits/registry.ts';
import { circuitIdOf } from '../../circuits/scope.ts';
import { present } from '../../kernel/assert.ts';
import type { Reply } from '../events.ts';
import type { DependencyProbed, ForceCircuit, ReleaseCircuit, ResetCircuit } from '../inputs.ts';
import { accepted, refused } from '../step.ts';
import type { Step } from '../step.ts';
import { moveCircuit, openCircuit, settingsFor } from './move-circuit.ts';

/** How many circuits each step looks at for being forgotten: the oldest ones stand in front. */
const lookedMax = 8;

export function forceCircuit(step: Step, input: ForceCircuit): Reply {
  const { scope, to, untilMs } = input;
  const refusal = unknownMember(step, scope);
  if (refusal !== null) return refusal;
  if (untilMs !== null && untilMs <= step.nowMs) return refused('BAD_REQUEST', 'the time to force it until is over');
  const what: Order =
    to === 'open' ? { kind: 'forceOpen', untilMs } : { kind: to === 'disabled' ? 'disable' : 'watch' };
  const known = step.state.circuits.get(circuitIdOf(scope));
  const transition = orderedTransition(known?.breaker ?? null, what, input, step.nowMs);
  return transition === null ? accepted : orderMove(step, scope, transition);
}

export function releaseCircuit(step: Step, input: ReleaseCircuit): Reply {
  return orderKnown(step, input, { kind: 'release' });
}

export function resetCircuit(step: Step, input: ResetCircuit): Reply {
  return orderKnown(step, input, { kind: 'reset' });
}

function orderKnown(step: Step, input: ReleaseCircuit | ResetCircuit, what: Order): Reply {
  const circuit = step.state.circuits.get(input.circuit);
  if (circuit === undefined) return refused('NOT_FOUND', `no circuit ${input.circuit} is known`);
  const transition = orderedTransition(circuit.breaker, what, input, step.nowMs);
  if (transition === null) return accepted;
  moveCircuit(step, circuit, transition);
  return accepted;
}

function orderMove(step: Step, scope: CircuitScope, transition: Transition): Reply {
  const circuit = step.state.circuits.get(circuitIdOf(scope));
  if (circuit !== undefined) moveCircuit(step, circuit, transition);
  else
    step.emit({
      kind: 'circuitMoved',
      circuit: circuitIdOf(scope),
      scope,
      ...settingsFor(step, scope),
      from: 'closed',
      transition,
      evidence: [],
    });
  return accepted;
}

function unknownMember({ state }: Step, scope: CircuitScope): Reply | null {
  if ('worker' in scope && !state.workers.has(scope.worker))
    return refused('NOT_FOUND', `no worker ${scope.worker} is known`);
  if ('class' in scope && !state.index.classById.has(scope.class))
    return refused('NOT_FOUND', `no capability class ${scope.class} is known`);
  return null;
}

/**
 * The coordinator looked at a dependency. A good look at one that is open is its probe: it closes as soon as it has enough of
 * them, since nobody's work was needed to find out.
 */
export function takeDependencyProbe(step: Step, { dependency, outcome, durationMs, detail }: DependencyProbed): Reply {
  const scope: CircuitScope = { kind: 'dependency', dependency };
  const known = step.state.circuits.get(circuitIdOf(scope));
  // Well as ever: nothing to write down.
  if (known !== undefined && known.isWatched && outcome === 'success' && isSettledWell(known, step.nowMs))
    return accepted;
  step.emit({ kind: 'circuitProbed', scope, ...settingsFor(step, scope), outcome, durationMs, detail });
  const circuit = present(step.state.circuits.get(circuitIdOf(scope)), 'the circuit just probed');
  const { nowMs } = step;
  if (circuit.breaker.state.kind === 'closed') {
    const judgement = judge(step.state, step.config.circuits, circuit, nowMs);
    if (judgement.kind === 'opens') openCircuit(step, circuit, judgement.cause);
    return accepted;
  }
  if (outcome === 'failure') {
    if (circuit.breaker.state.kind === 'halfOpen') openCircuit(step, circuit, 'probeFailed');
    return accepted;
  }
  if (circuit.breaker.state.kind === 'open')
    moveCircuit(step, circuit, { to: 'halfOpen', atMs: nowMs, cause: 'answered' });
  if (circuit.breaker.state.kind !== 'halfOpen') return accepted;
  // Looks are rare and certain, and cost nobody's work: one good one is enough.
  moveCircuit(step, circuit, { to: 'closed', atMs: nowMs, cause: 'answered' });
  return accepted;
}

/** A row of good looks only is remembered by its first: nothing in it could move the circuit. */
function isSettledWell({ breaker }: Circuit, nowMs: number): boolean {
  const { state, lastFailureAtMs, settings, window } = breaker;
  const spanMs = settings.window.kind === 'time' ? settings.window.spanMs : settings.window.ageMaxMs;
  const isQuiet = lastFailureAtMs === null || lastFailureAtMs < nowMs - spanMs;
  return state.kind === 'closed' && isQuiet && window.calls > 0 && breaker.consecutiveFailures === 0;
}

/** Open periods that ended, certifications that never answered. */
export function passTimeOfCircuits(step: Step): void {
  const { due } = step.state.index.circuits;
  for (;;) {
    const circuit = due.peek();
    if (circuit === undefined || circuit.dueMs > step.nowMs) return;
    if (circuit.breaker.state.kind === 'halfOpen') openCircuit(step, circuit, 'probeExpired');
    else moveCircuit(step, circuit, { to: 'halfOpen', atMs: step.nowMs, cause: 'openPeriodEnded' });
  }
}

/** Forgets what is closed and did not fail for long, and what is of workers that are gone. */
export function forgetCircuits(step: Step): void {
  const { state, nowMs } = step;
  if (state.circuits.size === 0) return;
  const { idleMs, circuitsMax } = step.config.circuits;
  const forgotten: string[] = [];
  let looked = 0;
  for (const circuit of state.circuits.values()) {
    const isFull = state.circuits.size - forgotten.length > circuitsMax;
    if (looked >= lookedMax && !isFull) break;
    looked += 1;
    if (circuit.isWatched || circuit.probes.length > 0) continue;
    const isOrphan = 'worker' in circuit.scope && !state.workers.has(circuit.scope.worker);
    const { breaker } = circuit;
    const isIdle =
      breaker.state.kind === 'closed' &&
      circuit.lastAtMs < nowMs &&
      (breaker.lastFailureAtMs ?? 0) < nowMs - idleMs &&
      breaker.state.sinceMs < nowMs - idleMs &&
      levelAt(breaker, nowMs) === 0;
    if (isOrphan || isIdle || (isFull && breaker.state.kind === 'closed')) forgotten.push(circuit.circuit);
  }
  if (forgotten.length > 0) step.emit({ kind: 'circuitsForgotten', circuits: forgotten });
}
