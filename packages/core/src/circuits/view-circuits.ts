// Circuits in the shape of the API. Reads only: windows move with time when they are read, so what is read here is a copy.
import type { CircuitTransition, CircuitView, WorkerId, WorkerView } from '@assay/protocol';
import type { State } from '../engine/state.ts';
import { compareText } from '../kernel/compare.ts';
import { healthOf } from './breaker.ts';
import type { Breaker, TransitionRecord } from './breaker-state.ts';
import type { CircuitsConfig } from './circuits-config.ts';
import { judge } from './judge.ts';
import { isBlocking } from './registry.ts';
import type { Circuit } from './registry.ts';
import type { Window } from './window.ts';

/** Every circuit that is known, those that stop something first. */
export function viewCircuits(state: State, config: CircuitsConfig, nowMs: number): CircuitView[] {
  return [...state.circuits.values()]
    .map((circuit) => viewOf(state, config, circuit, nowMs))
    .toSorted((a, b) => rankOf(a) - rankOf(b) || compareText(a.circuit, b.circuit));
}

/** One circuit by its id, null where there is none. */
export function viewCircuit(state: State, config: CircuitsConfig, circuit: string, nowMs: number): CircuitView | null {
  const known = state.circuits.get(circuit);
  return known === undefined ? null : viewOf(state, config, known, nowMs);
}

/** Circuits of a worker itself that keep something from it now. */
export function stopsOf(state: State, worker: WorkerId): NonNullable<WorkerView['circuits']> {
  const around = state.index.circuits.byWorker.get(worker) ?? [];
  return around
    .filter(isBlocking)
    .toSorted((a, b) => compareText(a.circuit, b.circuit))
    .map(({ circuit, breaker }) => ({
      circuit,
      state: breaker.state.kind,
      cause: breaker.history.at(-1)?.cause ?? null,
    }));
}

const ranks: { readonly [State in CircuitView['state']]: number } = {
  forcedOpen: 0,
  open: 1,
  halfOpen: 2,
  metricsOnly: 3,
  disabled: 4,
  closed: 5,
};
const rankOf = ({ state }: CircuitView): number => ranks[state];

function viewOf(state: State, config: CircuitsConfig, circuit: Circuit, nowMs: number): CircuitView {
  const breaker: Breaker = { ...circuit.breaker, window: copyOf(circuit.breaker.window) };
  const health = healthOf(breaker, nowMs);
  const last = breaker.history.at(-1);
  const judgement = judge(state, config, { ...circuit, breaker }, nowMs);
  return {
    circuit: circuit.circuit,
    scope: circuit.scope,
    label: labelOf(state, circuit),
    state: breaker.state.kind,
    sinceMs: breaker.state.sinceMs,
    untilMs: 'untilMs' in breaker.state ? breaker.state.untilMs : null,
    cause: last?.cause ?? null,
    actor: last?.actor ?? null,
    reason: last?.reason ?? null,
    health,
    calls: breaker.window.calls,
    failures: breaker.window.failures,
    consecutiveFailures: breaker.consecutiveFailures,
    lateResults: breaker.lateResults,
    members: [...circuit.members].map(([member, { failures, successes }]) => ({ member, failures, successes })),
    heldBy: judgement.kind === 'held' ? judgement.why : null,
    probes: circuit.probes.map(({ task }) => task ?? 'a certification'),
    evidence: [...circuit.evidence],
    history: breaker.history.map(viewTransition),
  };
}

function viewTransition({
  from,
  to,
  atMs,
  cause,
  actor,
  reason,
  untilMs,
  ...record
}: TransitionRecord): CircuitTransition {
  return {
    from,
    to,
    atMs,
    cause,
    ...(actor === undefined ? {} : { actor }),
    ...(reason === undefined ? {} : { reason }),
    ...(untilMs === undefined ? {} : { untilMs }),
    seq: record.seq ?? null,
    evidence: [...(record.evidence ?? [])],
  };
}

function labelOf(state: State, { scope }: Circuit): string {
  const nameOf = (worker: WorkerId): string => state.workers.get(worker)?.name ?? worker;
  switch (scope.kind) {
    case 'worker':
      return `worker ${nameOf(scope.worker)}`;
    case 'device':
      return `${scope.device} of ${nameOf(scope.worker)}`;
    case 'class':
      return `workers like ${likeOf(state, scope.class)}`;
    case 'task':
      return `${scope.suite} of ${scope.project}`;
    case 'workerTask':
      return `${scope.suite} of ${scope.project} on ${nameOf(scope.worker)}`;
    case 'classTask':
      return `${scope.suite} of ${scope.project} on workers like ${likeOf(state, scope.class)}`;
    case 'dependency':
      return `dependency ${scope.dependency}`;
  }
}

/** A class is named by the first of its workers. */
function likeOf(state: State, id: string): string {
  for (const worker of state.workers.values()) if (worker.class.id === id) return worker.name;
  return id;
}

function copyOf(window: Window): Window {
  return window.kind === 'time'
    ? {
        ...window,
        callsOf: [...window.callsOf],
        failuresOf: [...window.failuresOf],
        slowOf: [...window.slowOf],
      }
    : { ...window, marks: [...window.marks], timesMs: [...window.timesMs] };
}
