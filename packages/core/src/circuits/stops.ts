// What open circuits keep from being placed, asked by placement and by those who explain it. An open circuit makes work wait or
// go elsewhere; it never fails it.
//
// What always holds: an open circuit admits nothing, and a half-open one nothing but its probes: single tasks, or a gang as one, as
// many at once as it has permits, none while a certification is its probe. Nothing here costs anything while no circuit is open.
import type { State, WorkerRecord } from '../engine/state.ts';
import { compareText } from '../kernel/compare.ts';
import type { CapabilityClass, Lane } from '../scheduling/index-types.ts';
import { isBlocking } from './registry.ts';
import type { Circuit } from './registry.ts';

/** Whether any circuit may refuse anything: false is the fast way out. */
export function areAllClosed(state: State): boolean {
  return state.index.circuits.blocking === 0;
}

/** The circuit that keeps the whole lane, whatever the worker, or null: of its kind of work, of a dependency. */
export function laneStop(state: State, lane: Lane): Circuit | null {
  const { blocking, byTask, byDependency } = state.index.circuits;
  if (blocking === 0) return null;
  for (const circuit of byTask.get(lane.suiteKey) ?? []) if (refusesAll(circuit)) return circuit;
  if (byDependency.size === 0) return null;
  for (const dependency of usesOf(lane)) {
    const circuit = byDependency.get(dependency);
    if (circuit !== undefined && refusesAll(circuit)) return circuit;
  }
  return null;
}

/** The circuit that keeps a lane from a class of workers, or null. */
export function classStop(state: State, lane: Lane, capability: CapabilityClass): Circuit | null {
  const { blocking, byClass } = state.index.circuits;
  if (blocking === 0) return null;
  for (const circuit of byClass.get(capability.id) ?? [])
    if (concerns(circuit, lane) && refusesAll(circuit)) return circuit;
  return null;
}

/** The circuit that keeps a lane from one worker, or null. */
export function workerStop(state: State, lane: Lane, worker: WorkerRecord): Circuit | null {
  const { blocking, byWorker } = state.index.circuits;
  if (blocking === 0) return null;
  for (const circuit of byWorker.get(worker.worker) ?? [])
    if (concerns(circuit, lane) && refusesAll(circuit)) return circuit;
  return null;
}

/** Whether no circuit keeps the lane from the worker; where it would be a probe, that is allowed too. */
export function circuitAllows(state: State, lane: Lane, worker: WorkerRecord): boolean {
  return stopOf(state, lane, worker) === null;
}

/** The widest circuit that keeps a lane from a worker, or null. */
export function stopOf(state: State, lane: Lane, worker: WorkerRecord): Circuit | null {
  if (areAllClosed(state)) return null;
  return laneStop(state, lane) ?? classStop(state, lane, worker.class) ?? workerStop(state, lane, worker);
}

/** The half-open circuits that a task of the lane would probe on this worker, in the order of their ids. */
export function probesFor(state: State, lane: Lane, worker: WorkerRecord): string[] {
  const { blocking, byTask, byDependency, byClass, byWorker } = state.index.circuits;
  if (blocking === 0) return [];
  const probes: string[] = [];
  const look = (circuit: Circuit | undefined): void => {
    if (circuit?.breaker.state.kind === 'halfOpen' && concerns(circuit, lane)) probes.push(circuit.circuit);
  };
  for (const circuit of byTask.get(lane.suiteKey) ?? []) look(circuit);
  for (const circuit of byClass.get(worker.class.id) ?? []) look(circuit);
  for (const circuit of byWorker.get(worker.worker) ?? []) look(circuit);
  if (byDependency.size > 0) for (const dependency of usesOf(lane)) look(byDependency.get(dependency));
  return probes.sort(compareText);
}

/** Every circuit over a lane on a worker that may refuse something. */
export function circuitsOver(state: State, lane: Lane, worker: WorkerRecord): Circuit[] {
  const own = (state.index.circuits.byWorker.get(worker.worker) ?? []).filter((one) => concerns(one, lane));
  return [...circuitsOfLane(state, lane), ...circuitsOfClass(state, lane, worker.class), ...own].filter(isBlocking);
}

/** The circuits over a lane wherever it goes: of its kind of work, and of what it uses. */
export function circuitsOfLane({ index }: State, lane: Lane): Circuit[] {
  const { byTask, byDependency } = index.circuits;
  const over = [...(byTask.get(lane.suiteKey) ?? [])];
  for (const dependency of usesOf(lane)) {
    const circuit = byDependency.get(dependency);
    if (circuit !== undefined) over.push(circuit);
  }
  return over;
}

/** The circuits over a lane on a class of workers, and on single workers. */
export function circuitsOfClass({ index }: State, lane: Lane, capability: CapabilityClass): Circuit[] {
  return (index.circuits.byClass.get(capability.id) ?? []).filter((one) => concerns(one, lane));
}

export function* circuitsOfWorkers({ index, workers }: State, lane: Lane): Iterable<[WorkerRecord, Circuit[]]> {
  for (const [id, circuits] of index.circuits.byWorker) {
    const worker = workers.get(id);
    if (worker !== undefined) yield [worker, circuits.filter((one) => concerns(one, lane))];
  }
}

/** Whether circuits alone keep a lane from every class that fits it: then its next alternative need not wait. */
export function isKeptByCircuits(state: State, lane: Lane): boolean {
  if (areAllClosed(state)) return false;
  let stopped = 0;
  for (const capability of lane.group.fitting) {
    if (capability.possible === 0) continue;
    if (capability.ready > 0 && classStop(state, lane, capability) === null) return false;
    if (capability.ready === 0 && capability.halted < capability.possible) return false;
    stopped += 1;
  }
  return stopped > 0;
}

/** Whether there is a class that circuits may keep from a lane altogether: where there is none, no lane need be looked at. */
export function mayKeepLanes(state: State): boolean {
  if (areAllClosed(state)) return false;
  if (state.index.circuits.blockingClasses > 0) return true;
  for (const { possible, ready, halted } of state.index.classes.values())
    if (possible > 0 && ready === 0 && halted >= possible) return true;
  return false;
}

/** Why a circuit keeps work, in words, with the time at which it is looked at again. */
export function reasonOf(circuit: Circuit, nowMs: number): string {
  const { state, history } = circuit.breaker;
  const last = history.at(-1);
  const why = last?.reason ?? causeInWords[last?.cause ?? ''] ?? last?.cause ?? 'it failed';
  const what = `circuit ${circuit.circuit}`;
  switch (state.kind) {
    case 'open':
      return `${what} is open (${why}), probed again in ${inWords(state.untilMs - nowMs)}`;
    case 'forcedOpen':
      return state.untilMs === null
        ? `${what} was opened by ${last?.actor ?? 'an operator'} (${why}), until it is released`
        : `${what} was opened by ${last?.actor ?? 'an operator'} (${why}), for ${inWords(state.untilMs - nowMs)} more`;
    default:
      return `${what} is being probed (${why})`;
  }
}

const causeInWords: { readonly [cause: string]: string } = {
  failureRate: 'too much failed',
  slowRate: 'too much was slow',
  consecutiveFailures: 'one failure after another',
  probeFailed: 'its probe failed',
  probeExpired: 'its probe never answered',
  peers: 'it fails far more than its peers',
  quorum: 'several of its members failed alike',
  blackHole: 'it fails everything far faster than it takes elsewhere',
  openPeriodEnded: 'its time is over',
  answered: 'it answers again',
};

function inWords(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

export function refusesAll({ breaker: { state, settings }, probes, isWatched }: Circuit): boolean {
  if (state.kind === 'open' || state.kind === 'forcedOpen') return true;
  if (state.kind !== 'halfOpen') return false;
  // What the coordinator itself looks at needs nobody's work as its canary.
  return isWatched || state.permits.length >= settings.probes || probes.some(({ task }) => task === null);
}

/** Whether a circuit of a worker or class speaks of the work of this lane. */
export function concerns({ scope, taskClass }: Circuit, lane: Lane): boolean {
  if (taskClass !== null) return taskClass === lane.suiteKey;
  return scope.kind !== 'device' || needsDevice(lane, scope.device);
}

/** Whether the lane needs a device of the kind, by what it claims or by what its requirement names. */
function needsDevice({ group }: Lane, device: string): boolean {
  const colon = device.indexOf(':');
  const kind = colon < 0 ? device : device.slice(0, colon);
  return group.text.includes(kind) || group.key.includes(`"${kind}"`);
}

const nothing: readonly string[] = [];

function usesOf({ run, suite }: Lane): readonly string[] {
  return run.spec.suites[suite]?.uses ?? nothing;
}
