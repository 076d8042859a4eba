// Capability classes and requirement groups: who fits what, evaluated once per pair, and the counts of ready workers and
// free slots that placement reads. Called by evolve alone.
import type { RunRecord, WorkerRecord } from '../engine/state.ts';
import { classKeyOf, factsOf } from '../hardware/facts.ts';
import type { DeclaredLabels } from '../hardware/facts.ts';
import { fit, parseRequirement } from '../hardware/requirement.ts';
import { AssertionError } from '../kernel/assert.ts';
import { compareText } from '../kernel/compare.ts';
import { IndexQueue } from '../kernel/index-queue.ts';
import { IndexedHeap } from '../kernel/indexed-heap.ts';
import type { Profile } from '@assay/protocol';
import type { Assignment, TaskRecord, WorkerDeadline } from '../engine/state.ts';
import type { CapabilityClass, Index, Lane, RequirementGroup } from './index-types.ts';

export function createIndex(): Index {
  return {
    classes: new Map(),
    groups: new Map(),
    freeClasses: new Set(),
    waitingGroups: new Set(),
    stealableGroups: new Set(),
    workerDeadlines: new IndexedHeap<WorkerDeadline>(
      (a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.worker < b.worker),
    ),
    canceling: new Map(),
    unchecked: new Set(),
  };
}

/** The class of a worker, made where it is the first. The worker is not counted yet. */
export function joinClass(
  index: Index,
  pool: string,
  profileDigest: string,
  profile: Profile,
  declared: DeclaredLabels,
): CapabilityClass {
  const key = classKeyOf(pool, profileDigest, declared);
  let known = index.classes.get(key);
  if (known === undefined) {
    known = {
      key,
      facts: factsOf(pool, profile, declared),
      members: 0,
      ready: 0,
      slots: 0,
      freeSlots: 0,
      possible: 0,
      free: new IndexedHeap<WorkerRecord>(isLessLoaded),
      wantedBy: 0,
    };
    index.classes.set(key, known);
    for (const group of index.groups.values()) match(index, group, known);
  }
  known.members += 1;
  return known;
}

export function leaveClass(index: Index, left: CapabilityClass): void {
  left.members -= 1;
  if (left.members > 0) return;
  index.classes.delete(left.key);
  for (const group of index.groups.values()) {
    group.fits.delete(left);
    group.fitting.delete(left);
  }
}

/** The least loaded first: the share of its slots in use, then the id. */
function isLessLoaded(a: WorkerRecord, b: WorkerRecord): boolean {
  const difference = a.assignments.size * b.slots - b.assignments.size * a.slots;
  return difference !== 0 ? difference < 0 : compareText(a.worker, b.worker) < 0;
}

/** Runs a change of a worker's state, class or slots, with its part in the counts taken out before and put in after. */
export function recount(index: Index, worker: WorkerRecord, change: () => void): void {
  const before = worker.class;
  const possibleBefore = before.possible;
  take(index, worker);
  change();
  put(index, worker);
  const isClassChanged = before !== worker.class || (before.possible === 0) !== (possibleBefore === 0);
  if (isClassChanged) for (const group of index.waitingGroups) index.unchecked.add(group);
}

/** Counts a new worker in. */
export function countIn(index: Index, worker: WorkerRecord): void {
  put(index, worker);
  if (worker.class.possible <= 1) for (const group of index.waitingGroups) index.unchecked.add(group);
}

/** Runs a change of the worker's open assignments: the hot half of `recount`. */
export function changeLoad(index: Index, worker: WorkerRecord, change: () => void): void {
  if (worker.state.kind !== 'connected') return change();
  const { class: capability, slots } = worker;
  const freeBefore = Math.max(0, slots - worker.assignments.size);
  change();
  const free = Math.max(0, slots - worker.assignments.size);
  capability.freeSlots += free - freeBefore;
  if (free === 0 && freeBefore > 0) {
    capability.free.remove(worker);
    if (capability.free.size === 0) index.freeClasses.delete(capability);
  } else if (free > 0 && freeBefore === 0) {
    capability.free.push(worker);
    if (capability.free.size === 1) index.freeClasses.add(capability);
  } else if (free > 0) {
    capability.free.update(worker);
  }
}

function put(index: Index, worker: WorkerRecord): void {
  const { class: capability, state } = worker;
  if (state.kind === 'disconnected' && !state.wasDraining) capability.possible += 1;
  if (state.kind !== 'connected') return;
  const free = Math.max(0, worker.slots - worker.assignments.size);
  capability.possible += 1;
  capability.ready += 1;
  capability.slots += worker.slots;
  capability.freeSlots += free;
  if (free === 0) return;
  capability.free.push(worker);
  index.freeClasses.add(capability);
}

function take(index: Index, worker: WorkerRecord): void {
  const { class: capability, state } = worker;
  if (state.kind === 'disconnected' && !state.wasDraining) capability.possible -= 1;
  if (state.kind !== 'connected') return;
  const free = Math.max(0, worker.slots - worker.assignments.size);
  capability.possible -= 1;
  capability.ready -= 1;
  capability.slots -= worker.slots;
  capability.freeSlots -= free;
  if (free === 0) return;
  capability.free.remove(worker);
  if (capability.free.size === 0) index.freeClasses.delete(capability);
}

/** Makes the lanes of a run, one a suite, and the groups that they need. */
export function openLanes(index: Index, run: RunRecord): void {
  for (const [suite, { name, requires }] of run.spec.suites.entries()) {
    const group = groupOf(index, requires);
    const lane: Lane = {
      run,
      suite,
      suiteKey: suiteKeyOf(run.spec.project, name),
      group,
      known: new IndexedHeap<TaskRecord>(isLonger),
      unknown: new IndexQueue<TaskRecord>(),
      knownMs: 0,
      queued: 0,
      heapSlot: -1,
    };
    group.lanes.add(lane);
    run.lanes.push(lane);
  }
}

/** Names the history of a suite. */
export function suiteKeyOf(project: string, suite: string): string {
  return `${project}\n${suite}`;
}

/** Longest expected first, then in order of submission. */
function isLonger(a: TaskRecord, b: TaskRecord): boolean {
  const difference = (a.predictedMs ?? 0) - (b.predictedMs ?? 0);
  return difference !== 0 ? difference > 0 : a.index < b.index;
}

/** Higher priority first, then the run submitted first, then the order of its suites. */
export function isLaneBefore(a: Lane, b: Lane): boolean {
  const difference = a.run.spec.priority - b.run.spec.priority;
  if (difference !== 0) return difference > 0;
  return a.run.order !== b.run.order ? a.run.order < b.run.order : a.suite < b.suite;
}

export function closeLanes(index: Index, run: RunRecord): void {
  for (const lane of run.lanes) {
    lane.group.lanes.delete(lane);
    if (lane.group.lanes.size > 0) continue;
    index.groups.delete(lane.group.text);
    index.unchecked.delete(lane.group);
  }
}

function groupOf(index: Index, text: string): RequirementGroup {
  const known = index.groups.get(text);
  if (known !== undefined) return known;
  const parsed = parseRequirement(text);
  if (parsed.kind === 'refused') throw new AssertionError(`a requirement that was refused got in: ${parsed.reason}`);
  const group: RequirementGroup = {
    text,
    requirement: parsed.requirement,
    lanes: new Set(),
    fits: new Map(),
    fitting: new Set(),
    waiting: new IndexedHeap<Lane>(isLaneBefore),
    avoiding: new Map(),
    stealable: new IndexedHeap<Assignment>((a, b) =>
      a.endsAtMs !== b.endsAtMs ? a.endsAtMs > b.endsAtMs : a.assignment < b.assignment,
    ),
    asked: 0,
  };
  index.groups.set(text, group);
  for (const capability of index.classes.values()) match(index, group, capability);
  return group;
}

function match(index: Index, group: RequirementGroup, capability: CapabilityClass): void {
  const verdict = fit(group.requirement, capability.facts);
  group.fits.set(capability, verdict);
  if (verdict.kind === 'misfits') return;
  group.fitting.add(capability);
  if (index.waitingGroups.has(group)) capability.wantedBy += 1;
}
