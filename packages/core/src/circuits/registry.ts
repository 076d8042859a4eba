// The circuits of the fleet: what each has seen, and where it is found. Part of the engine's state and written by evolve alone;
// what it means is decided in judge.ts.
//
// A circuit is made by the first failure that speaks to it and forgotten when it was closed and idle for long: a fleet in which
// nothing fails has none, and pays nothing. Kept per circuit: its breaker, who failed in it lately, and where the evidence is.
import type { CircuitScope, TaskId, WorkerId } from '@assay/protocol';
import { IndexedHeap } from '../kernel/indexed-heap.ts';
import { createBreaker } from './breaker-state.ts';
import type { Breaker, Permit } from './breaker-state.ts';
import { dueAtMs, returnPermit } from './breaker.ts';
import type { BreakerSettings } from './settings.ts';
import { circuitIdOf, taskClassOf } from './scope.ts';
import type { CircuitId } from './scope.ts';

export type MemberRecord = { failures: number; successes: number; lastAtMs: number };

export type CircuitProbe = {
  readonly task: TaskId | null;
  readonly attempt: number;
  readonly permit: Permit;
  /** Of a gang: one that shares the permit ended and did not pass. */
  readonly isSpoilt?: true;
};

export type Circuit = {
  readonly circuit: CircuitId;
  readonly scope: CircuitScope;
  readonly breaker: Breaker;
  /** Who was seen in it lately, the longest unseen first. */
  readonly members: Map<string, MemberRecord>;
  /** Journal sequence numbers of the last failures. */
  readonly evidence: number[];
  /** Attempts that probe it now; a certification is one without a task. A gang is one probe: its attempts share a permit. */
  probes: CircuitProbe[];
  lastAtMs: number;
  /** Of a dependency: the coordinator looks at it itself. */
  isWatched: boolean;
  /** Derived. */
  readonly taskClass: string | null;
  dueMs: number;
  heapSlot: number;
};

/** A worker's unbroken row of failures that were far faster than expected. */
export type Streak = { tasks: string[]; hasTest: boolean; slowestMs: number };

/** Derived: circuits by what an attempt knows of itself. */
export type CircuitIndex = {
  /** Circuits that may refuse something: none is the cheap way out of placement. */
  blocking: number;
  /** Those of them that are of a class of workers, or of one with one kind of work. */
  blockingClasses: number;
  readonly byWorker: Map<WorkerId, Circuit[]>;
  /** By the id of the capability class. */
  readonly byClass: Map<string, Circuit[]>;
  readonly byTask: Map<string, Circuit[]>;
  readonly byDependency: Map<string, Circuit>;
  /** Circuits with a probing attempt, by its task. */
  readonly probing: Map<TaskId, Circuit[]>;
  readonly due: IndexedHeap<Circuit>;
};

/** Members remembered, and evidence: enough for any quorum and any reader. */
const membersMax = 64;
const evidenceMax = 20;

export function createCircuitIndex(): CircuitIndex {
  return {
    blocking: 0,
    blockingClasses: 0,
    byWorker: new Map(),
    byClass: new Map(),
    byTask: new Map(),
    byDependency: new Map(),
    probing: new Map(),
    due: new IndexedHeap<Circuit>((a, b) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.circuit < b.circuit)),
  };
}

export function createCircuit(scope: CircuitScope, settings: BreakerSettings, nowMs: number): Circuit {
  return {
    circuit: circuitIdOf(scope),
    scope,
    breaker: createBreaker(settings, nowMs),
    members: new Map(),
    evidence: [],
    probes: [],
    lastAtMs: nowMs,
    isWatched: false,
    taskClass: taskClassOf(scope),
    dueMs: 0,
    heapSlot: -1,
  };
}

/** Puts a circuit where attempts find it. */
export function indexCircuit(index: CircuitIndex, circuit: Circuit): void {
  const { scope } = circuit;
  switch (scope.kind) {
    case 'worker':
    case 'device':
    case 'workerTask':
      push(index.byWorker, scope.worker, circuit);
      break;
    case 'class':
    case 'classTask':
      push(index.byClass, scope.class, circuit);
      break;
    case 'task':
      push(index.byTask, circuit.taskClass ?? '', circuit);
      break;
    case 'dependency':
      index.byDependency.set(scope.dependency, circuit);
  }
  if (isBlocking(circuit)) countBlocking(index, circuit, 1);
  for (const { task } of circuit.probes) if (task !== null) push(index.probing, task, circuit);
  setDue(index, circuit);
}

export function unindexCircuit(index: CircuitIndex, circuit: Circuit): void {
  const { scope } = circuit;
  switch (scope.kind) {
    case 'worker':
    case 'device':
    case 'workerTask':
      pull(index.byWorker, scope.worker, circuit);
      break;
    case 'class':
    case 'classTask':
      pull(index.byClass, scope.class, circuit);
      break;
    case 'task':
      pull(index.byTask, circuit.taskClass ?? '', circuit);
      break;
    case 'dependency':
      index.byDependency.delete(scope.dependency);
  }
  if (isBlocking(circuit)) countBlocking(index, circuit, -1);
  for (const { task } of circuit.probes) if (task !== null) pull(index.probing, task, circuit);
  if (circuit.heapSlot >= 0) index.due.remove(circuit);
}

export function countBlocking(index: CircuitIndex, { scope }: Circuit, change: 1 | -1): void {
  index.blocking += change;
  if (scope.kind === 'class' || scope.kind === 'classTask') index.blockingClasses += change;
}

/** Whether it may refuse something. */
export function isBlocking({ breaker: { state } }: Circuit): boolean {
  return state.kind === 'open' || state.kind === 'halfOpen' || state.kind === 'forcedOpen';
}

/** The time at which it does something by itself, kept in the index. */
export function setDue(index: CircuitIndex, circuit: Circuit): void {
  if (circuit.heapSlot >= 0) index.due.remove(circuit);
  const dueMs = dueAtMs(circuit.breaker);
  if (dueMs === null) return;
  circuit.dueMs = dueMs;
  index.due.push(circuit);
}

export function noteMember(circuit: Circuit, member: string, isFailure: boolean, atMs: number): void {
  const known = circuit.members.get(member) ?? { failures: 0, successes: 0, lastAtMs: atMs };
  if (isFailure) known.failures += 1;
  else known.successes += 1;
  known.lastAtMs = atMs;
  circuit.members.delete(member);
  circuit.members.set(member, known);
  if (circuit.members.size <= membersMax) return;
  for (const oldest of circuit.members.keys()) {
    circuit.members.delete(oldest);
    return;
  }
}

export function noteEvidence(circuit: Circuit, seq: number): void {
  circuit.evidence.push(seq);
  if (circuit.evidence.length > evidenceMax) circuit.evidence.shift();
}

/** Members seen within the window: older ones have no voice. */
export function recentMembers({ breaker, members }: Circuit, nowMs: number): MemberRecord[] {
  const { window } = breaker.settings;
  const spanMs = window.kind === 'time' ? window.spanMs : window.ageMaxMs;
  return [...members.values()].filter(({ lastAtMs }) => lastAtMs > nowMs - spanMs);
}

/**
 * Takes an attempt's probes back, whatever became of it. Returns the circuits that it probed, and whether each is proven by it: a
 * gang is one probe, which is over with the last of it, and has gone well where all of it did.
 */
export function endProbes(
  index: CircuitIndex,
  task: TaskId,
  isWell: boolean,
): readonly { circuit: Circuit; isProven: boolean }[] {
  const probed = index.probing.get(task);
  if (probed === undefined) return [];
  index.probing.delete(task);
  return probed.map((circuit) => {
    const own = circuit.probes.find((probe) => probe.task === task);
    const isGood = isWell && own?.isSpoilt !== true;
    circuit.probes = circuit.probes.filter((probe) => probe.task !== task);
    if (!isGood)
      circuit.probes = circuit.probes.map((probe) =>
        probe.permit === own?.permit ? { ...probe, isSpoilt: true } : probe,
      );
    const isOver = own !== undefined && !circuit.probes.some((probe) => probe.permit === own.permit);
    if (isOver) returnPermit(circuit.breaker, own.permit);
    return { circuit, isProven: isOver && isGood };
  });
}

function push<Key>(map: Map<Key, Circuit[]>, key: Key, circuit: Circuit): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [circuit]);
  else known.push(circuit);
}

function pull<Key>(map: Map<Key, Circuit[]>, key: Key, circuit: Circuit): void {
  const known = map.get(key)?.filter((one) => one !== circuit);
  if (known === undefined || known.length === 0) map.delete(key);
  else map.set(key, known);
}
