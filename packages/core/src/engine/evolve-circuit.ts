// How events change circuits: evidence, transitions, probes, and what is forgotten. Part of evolve; decides nothing.
import type { RunId, TaskId } from '@assay/protocol';
import { countProbeSuccess, observe, returnPermit, takePermit, tripCause } from '../circuits/breaker.ts';
import { move } from '../circuits/breaker-state.ts';
import type { Permit } from '../circuits/breaker-state.ts';
import {
  countBlocking,
  createCircuit,
  endProbes,
  indexCircuit,
  isBlocking,
  noteEvidence,
  noteMember,
  setDue,
  unindexCircuit,
} from '../circuits/registry.ts';
import type { Circuit } from '../circuits/registry.ts';
import { circuitIdOf } from '../circuits/scope.ts';
import { concerns } from '../circuits/stops.ts';
import { add, clear } from '../circuits/window.ts';
import { present } from '../kernel/assert.ts';
import { fellowsOf } from '../scheduling/gangs.ts';
import { laneOf } from '../scheduling/lanes.ts';
import { recount } from '../scheduling/classes.ts';
import type {
  AttemptSettled,
  CircuitMoved,
  CircuitProbed,
  CircuitsForgotten,
  CircuitsNoted,
  CertificationProbe,
  TasksAssigned,
} from './events.ts';
import { taskIdOf } from './ids.ts';
import type { RunRecord, State, TaskRecord, WorkerRecord } from './state.ts';

const streakTasksMax = 16;

/** A failure speaks to its circuits. */
export function circuitsNoted(state: State, event: CircuitsNoted, atMs: number): void {
  const { worker, task } = event;
  if (event.isOfMachine) add(state.fleet.failures, true, false, atMs);
  for (const { scope, member, settings } of event.marks) {
    const circuit = circuitFor(state, scope, settings, atMs);
    circuit.lastAtMs = atMs;
    // The latest to fail stand last: what is forgotten is looked for in front.
    state.circuits.delete(circuit.circuit);
    state.circuits.set(circuit.circuit, circuit);
    noteMember(circuit, member, true, atMs);
    noteEvidence(circuit, state.seq);
    const { kind } = circuit.breaker.state;
    if (kind === 'open') circuit.breaker.lateResults += 1;
    // It has to prove itself anew.
    if (circuit.breaker.state.kind === 'halfOpen') circuit.breaker.state.successes = 0;
    if (kind === 'closed' || kind === 'metricsOnly') observe(circuit.breaker, true, false, atMs);
    if (kind === 'metricsOnly' && tripCause(circuit.breaker, atMs) !== null) {
      circuit.breaker.wouldOpen += 1;
      circuit.breaker.consecutiveFailures = 0;
      clear(circuit.breaker.window);
    }
  }
  if (!event.isFast || worker === null || task === null) return;
  const streak = state.streaks.get(worker) ?? { tasks: [], hasTest: false, slowestMs: 0 };
  if (!streak.tasks.includes(task) && streak.tasks.length < streakTasksMax) streak.tasks.push(task);
  streak.slowestMs = Math.max(streak.slowestMs, event.costMs);
  streak.hasTest ||= event.failureClass === 'test' || event.failureClass === 'configuration';
  state.streaks.set(worker, streak);
}

function circuitFor(
  state: State,
  scope: CircuitsNoted['marks'][number]['scope'],
  settings: CircuitsNoted['marks'][number]['settings'],
  atMs: number,
): Circuit {
  const known = state.circuits.get(circuitIdOf(scope));
  if (known !== undefined) return known;
  const circuit = createCircuit(scope, present(settings, 'settings of a new circuit'), atMs);
  state.circuits.set(circuit.circuit, circuit);
  indexCircuit(state.index.circuits, circuit);
  return circuit;
}

/** An attempt is over: its probes come back, and where it went well every circuit that it passed by knows. */
export function attemptOver(
  state: State,
  event: AttemptSettled,
  run: RunRecord,
  task: TaskRecord,
  worker: WorkerRecord | undefined,
  atMs: number,
): void {
  const { circuits } = state.index;
  if (event.verdict !== 'canceled' && worker !== undefined) add(state.fleet.attempts, false, false, atMs);
  const isWell = event.verdict === 'passed';
  if (isWell && worker !== undefined) {
    worker.isProven = true;
    if (state.streaks.size > 0) state.streaks.delete(worker.worker);
  }
  if (state.circuits.size === 0) return;
  const probed = circuits.probing.size === 0 ? [] : endProbes(circuits, event.task, isWell);
  for (const { circuit, isProven } of probed) {
    if (isProven) countProbeSuccess(circuit.breaker);
    setDue(circuits, circuit);
    refreshStop(state, circuit);
  }
  if (isWell && worker !== undefined) observeSuccess(state, run, task, worker, event.task, atMs);
}

function observeSuccess(
  state: State,
  run: RunRecord,
  task: TaskRecord,
  worker: WorkerRecord,
  id: TaskId,
  atMs: number,
): void {
  const { circuits } = state.index;
  const lane = laneOf(run, task.suite);
  const { suiteKey } = lane;
  const note = (circuit: Circuit, member: string): void => {
    // What did not use the device says nothing of it.
    if (!concerns(circuit, lane)) return;
    const { kind } = circuit.breaker.state;
    if (kind !== 'closed' && kind !== 'metricsOnly') {
      if (kind === 'open') circuit.breaker.lateResults += 1;
      return;
    }
    observe(circuit.breaker, false, false, atMs);
    circuit.lastAtMs = atMs;
    if (circuit.scope.kind === 'class') noteMember(circuit, worker.worker, false, atMs);
    if (circuit.members.has(member)) noteMember(circuit, member, false, atMs);
    else if (circuit.scope.kind === 'classTask' || circuit.scope.kind === 'task')
      noteMember(circuit, member, false, atMs);
  };
  for (const circuit of circuits.byWorker.get(worker.worker) ?? []) note(circuit, id);
  for (const circuit of circuits.byClass.get(worker.class.id) ?? []) note(circuit, worker.worker);
  for (const circuit of circuits.byTask.get(suiteKey) ?? []) note(circuit, worker.class.id);
  if (circuits.byDependency.size === 0) return;
  for (const dependency of run.spec.suites[task.suite]?.uses ?? []) {
    const circuit = circuits.byDependency.get(dependency);
    if (circuit !== undefined) note(circuit, worker.worker);
  }
}

/** An assignment goes out as the probe of these circuits. */
export function probesTaken(state: State, event: TasksAssigned): void {
  const [first] = event.tasks;
  if (event.probes === undefined || first === undefined) return;
  const { circuits } = state.index;
  const task = taskIdOf(event.run, first.index);
  const fellows = fellowIdsOf(state, event.run, first.index);
  for (const id of event.probes) {
    const circuit = present(state.circuits.get(id), `circuit ${id}`);
    // A probe that is an attempt has limits of its own and always ends.
    const permit = permitOf(circuit, fellows) ?? takePermit(circuit.breaker, Number.MAX_SAFE_INTEGER);
    circuit.probes.push({ task, attempt: first.attempt, permit });
    const known = circuits.probing.get(task);
    if (known === undefined) circuits.probing.set(task, [circuit]);
    else known.push(circuit);
    setDue(circuits, circuit);
    refreshStop(state, circuit);
  }
}

/** The permit that others of the same gang have taken: all of it is one probe. */
function permitOf({ probes }: Circuit, fellows: ReadonlySet<TaskId>): Permit | undefined {
  return probes.find(({ task }) => task !== null && fellows.has(task))?.permit;
}

function fellowIdsOf(state: State, id: RunId, index: number): ReadonlySet<TaskId> {
  const run = present(state.runs.get(id), `run ${id}`);
  const task = present(run.tasks[index], `task ${index} of ${id}`);
  const { gang } = laneOf(run, task.suite);
  return new Set(gang === null ? [] : fellowsOf(gang, task).map((one) => taskIdOf(id, one.index)));
}

/** Attempts that came back unstarted proved nothing. */
export function probeReturned(state: State, task: TaskId): void {
  if (state.index.circuits.probing.size === 0) return;
  for (const { circuit } of endProbes(state.index.circuits, task, false)) {
    setDue(state.index.circuits, circuit);
    refreshStop(state, circuit);
  }
}

export function circuitMoved(state: State, event: CircuitMoved, atMs: number): void {
  const { circuits } = state.index;
  const circuit = circuitFor(state, event.scope, event.settings, atMs);
  for (const { task } of circuit.probes) {
    if (task === null) continue;
    const left = circuits.probing.get(task)?.filter((one) => one !== circuit) ?? [];
    if (left.length === 0) circuits.probing.delete(task);
    else circuits.probing.set(task, left);
  }
  circuit.probes = [];
  const wasBlocking = isBlocking(circuit);
  move(circuit.breaker, event.transition, { seq: state.seq, evidence: event.evidence });
  const isNow = isBlocking(circuit);
  if (isNow !== wasBlocking) countBlocking(circuits, circuit, isNow ? 1 : -1);
  circuit.lastAtMs = atMs;
  if (event.transition.to === 'closed') circuit.members.clear();
  if ('worker' in circuit.scope) state.streaks.delete(circuit.scope.worker);
  setDue(circuits, circuit);
  refreshStop(state, circuit);
}

export function certificationProbe(state: State, event: CertificationProbe): void {
  const circuit = present(state.circuits.get(event.circuit), `circuit ${event.circuit}`);
  const permit = takePermit(circuit.breaker, event.expiresAtMs);
  circuit.probes.push({ task: null, attempt: event.request, permit });
  setDue(state.index.circuits, circuit);
  refreshStop(state, circuit);
}

/** A look of the coordinator at a dependency, or the answer of a certification. */
export function circuitProbed(state: State, event: CircuitProbed, atMs: number): void {
  const circuit = circuitFor(state, event.scope, event.settings, atMs);
  const { breaker } = circuit;
  circuit.lastAtMs = atMs;
  if (event.request !== undefined) {
    for (const { task, attempt, permit } of circuit.probes)
      if (task === null && attempt === event.request) returnPermit(breaker, permit);
    circuit.probes = circuit.probes.filter(({ task, attempt }) => task !== null || attempt !== event.request);
  } else {
    circuit.isWatched = true;
    const { kind } = breaker.state;
    if (kind === 'closed' || kind === 'metricsOnly') observe(breaker, event.outcome === 'failure', false, atMs);
  }
  if (event.outcome === 'failure') noteEvidence(circuit, state.seq);
  setDue(state.index.circuits, circuit);
  refreshStop(state, circuit);
}

export function circuitsForgotten(state: State, event: CircuitsForgotten): void {
  for (const id of event.circuits) {
    const circuit = present(state.circuits.get(id), `circuit ${id}`);
    unindexCircuit(state.index.circuits, circuit);
    state.circuits.delete(id);
    refreshStop(state, circuit);
  }
}

/** Takes a worker out of the free ones while its own circuit admits nothing, and puts it back when it admits a probe. */
export function refreshStop(state: State, { scope }: Circuit): void {
  if (scope.kind !== 'worker') return;
  const worker = state.workers.get(scope.worker);
  if (worker === undefined) return;
  const isHalted = isHaltedBy(state, worker);
  if (isHalted !== worker.isHalted) recount(state.index, worker, () => (worker.isHalted = isHalted));
}

export function isHaltedBy(state: State, { worker }: WorkerRecord): boolean {
  for (const { scope, breaker, probes } of state.index.circuits.byWorker.get(worker) ?? []) {
    if (scope.kind !== 'worker') continue;
    const { state: now, settings } = breaker;
    if (now.kind === 'open' || now.kind === 'forcedOpen') return true;
    if (now.kind !== 'halfOpen') continue;
    if (now.permits.length >= settings.probes || probes.some(({ task }) => task === null)) return true;
  }
  return false;
}
