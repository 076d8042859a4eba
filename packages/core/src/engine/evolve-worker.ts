// How events change workers. Part of evolve.
import type { Profile, WorkerId } from '@assay/protocol';
import { present } from '../kernel/assert.ts';
import { after, mustLead } from '../lifecycle/transition.ts';
import { workerTransitions } from '../lifecycle/worker.ts';
import type { WorkerState } from '../lifecycle/worker.ts';
import type { Condition } from '../lifecycle/condition.ts';
import { countIn, joinClass, leaveClass, recount } from '../scheduling/classes.ts';
import { withhold } from '../scheduling/withheld.ts';
import { refreshStealable, restartTerms } from '../scheduling/lanes.ts';
import type {
  LinksReset,
  ProfileChanged,
  ReportsAccepted,
  WorkerDisconnectedEvent,
  WorkerDraining,
  WorkerForgotten,
  WorkerJoined,
  WorkerLeftEvent,
  WorkerLost,
} from './events.ts';
import { isHaltedBy } from './evolve-circuit.ts';
import { endTakeBack, expectEnd } from './evolve-attempt.ts';
import { wholeWorker } from './state.ts';
import type { State, WorkerRecord } from './state.ts';

/** How many replaced incarnations are remembered: two processes with one id are told apart, and no list grows. */
const supersededMax = 8;

export function workerJoined(state: State, event: WorkerJoined, atMs: number): void {
  const trigger = event.isDraining ? 'workerJoinedDraining' : 'workerJoined';
  const next: WorkerState = { kind: event.isDraining ? 'draining' : 'connected' };
  const known = state.workers.get(event.worker);
  if (known === undefined) {
    addWorker(state, event, next, atMs);
    return;
  }
  mustLead(workerTransitions, 'worker', known.state.kind, trigger, next.kind);
  // A process that was replaced while nobody could say that it was gone may still be there.
  const wasReplaced = known.incarnation !== event.incarnation;
  if (known.state.kind === 'lost' || known.state.kind === 'left') known.superseded = [];
  else if (wasReplaced) known.superseded = [...known.superseded, known.incarnation].slice(-supersededMax);
  setState(state, known, next, atMs, () => {
    // Another process measures anew; what the last one measured is not known to hold.
    if (wasReplaced) known.health.gates.clear();
    known.health.asked.clear();
    known.session = event.session;
    if (wasReplaced) known.isProven = false;
    known.incarnation = event.incarnation;
    known.name = event.name;
    known.pool = event.pool;
    known.trust = event.trust ?? null;
    known.slots = event.slots;
    known.agentVersion = event.agentVersion;
    if (event.profileChanges !== undefined) known.profileChange = { atMs, changes: event.profileChanges };
    moveToProfile(state, known, event.profile, event.profileDigest, event.declared);
  });
  // A request made over the old link may never have arrived.
  for (const assignment of known.assignments.values()) endTakeBack(assignment);
  refreshAssignments(state, known);
}

function addWorker(state: State, event: WorkerJoined, next: WorkerState, atMs: number): void {
  const profile = useProfile(state, event.profileDigest, event.profile);
  const worker: WorkerRecord = {
    worker: event.worker,
    token: event.token,
    name: event.name,
    pool: event.pool,
    slots: event.slots,
    agentVersion: event.agentVersion,
    profileDigest: event.profileDigest,
    declared: event.declared,
    incarnation: event.incarnation,
    superseded: [],
    session: event.session,
    state: next,
    sinceMs: atMs,
    ackedSeq: event.ackedSeq,
    assignments: new Map(),
    health: {
      conditions: new Map(),
      gates: new Map(),
      checks: new Map(),
      requests: 0,
      asked: new Map(),
      deadlines: new Map(),
    },
    isProven: false,
    isHalted: false,
    isSetAside: false,
    whole: null,
    lastAssigned: 0,
    sources: [],
    trust: event.trust ?? null,
    class: joinClass(state.index, event.pool, event.profileDigest, profile, event.declared, event.trust),
    heapSlot: -1,
    deadline: { worker: event.worker, atMs: 0, heapSlot: -1 },
  };
  state.workers.set(worker.worker, worker);
  // A circuit may have outlived what it was about.
  worker.isHalted = isHaltedBy(state, worker);
  countIn(state.index, worker);
}

export function profileChanged(state: State, event: ProfileChanged, atMs: number): void {
  const worker = knownWorker(state, event.worker);
  if (event.changes !== undefined) worker.profileChange = { atMs, changes: event.changes };
  recount(state.index, worker, () => moveToProfile(state, worker, event.profile, event.profileDigest, worker.declared));
}

export function workerDisconnected(state: State, event: WorkerDisconnectedEvent, atMs: number): void {
  const worker = knownWorker(state, event.worker);
  mustLead(workerTransitions, 'worker', worker.state.kind, 'workerDisconnected', 'disconnected');
  disconnect(state, worker, event.graceUntilMs, atMs);
}

export function linksReset(state: State, event: LinksReset, atMs: number): void {
  state.epoch = event.epoch;
  for (const worker of state.workers.values()) {
    if (worker.state.kind === 'lost' || worker.state.kind === 'left') continue;
    mustLead(workerTransitions, 'worker', worker.state.kind, 'linksReset', 'disconnected');
    disconnect(state, worker, event.graceUntilMs, atMs);
  }
  restartTerms(state, atMs);
}

function disconnect(state: State, worker: WorkerRecord, graceUntilMs: number, atMs: number): void {
  const { state: before } = worker;
  const wasDraining = before.kind === 'draining' || (before.kind === 'disconnected' && before.wasDraining);
  setState(state, worker, { kind: 'disconnected', graceUntilMs, wasDraining }, atMs);
  setDeadline(state, worker, graceUntilMs);
  refreshAssignments(state, worker);
}

export function workerLost(state: State, event: WorkerLost, atMs: number): void {
  const worker = knownWorker(state, event.worker);
  mustLead(workerTransitions, 'worker', worker.state.kind, 'workerLost', 'lost');
  setState(state, worker, { kind: 'lost', forgetAtMs: event.forgetAtMs }, atMs);
  setDeadline(state, worker, event.forgetAtMs);
  refreshAssignments(state, worker);
}

export function workerLeft(state: State, event: WorkerLeftEvent, atMs: number): void {
  const worker = knownWorker(state, event.worker);
  mustLead(workerTransitions, 'worker', worker.state.kind, 'workerLeft', 'left');
  setState(state, worker, { kind: 'left', forgetAtMs: event.forgetAtMs }, atMs);
  setDeadline(state, worker, event.forgetAtMs);
  refreshAssignments(state, worker);
}

export function workerDraining(state: State, event: WorkerDraining, atMs: number): void {
  const worker = knownWorker(state, event.worker);
  after(workerTransitions, 'worker', worker.state.kind, 'workerDraining');
  const before = worker.state;
  setState(
    state,
    worker,
    before.kind === 'disconnected' ? { ...before, wasDraining: true } : { kind: 'draining' },
    atMs,
  );
  if (before.kind === 'disconnected') setDeadline(state, worker, before.graceUntilMs);
}

export function workerForgotten(state: State, event: WorkerForgotten): void {
  const worker = knownWorker(state, event.worker);
  mustLead(workerTransitions, 'worker', worker.state.kind, 'workerForgotten', 'end');
  setDeadline(state, worker, null);
  state.workers.delete(worker.worker);
  state.streaks.delete(worker.worker);
  refreshCheckups(state, worker);
  leaveClass(state.index, worker.class);
  if (worker.whole !== null) leaveClass(state.index, worker.whole);
  dropProfile(state, worker.profileDigest);
}

export function reportsAccepted(state: State, event: ReportsAccepted): void {
  const worker = knownWorker(state, event.worker);
  worker.ackedSeq = Math.max(worker.ackedSeq, event.seq);
}

function setState(state: State, worker: WorkerRecord, next: WorkerState, atMs: number, change?: () => void): void {
  recount(state.index, worker, () => {
    worker.state = next;
    worker.sinceMs = atMs;
    change?.();
  });
  setDeadline(state, worker, null);
  if (worker.health.conditions.size > 0) refreshCheckups(state, worker);
  for (const assignment of worker.assignments.values()) expectEnd(state, assignment, assignment.sinceMs, atMs);
}

/** The one deadline of a worker: the end of its grace, or the time to forget it; null is none. */
export function setDeadline(state: State, worker: WorkerRecord, atMs: number | null): void {
  const { deadline } = worker;
  if (deadline.heapSlot >= 0) state.index.workerDeadlines.remove(deadline);
  if (atMs === null) return;
  deadline.atMs = atMs;
  state.index.workerDeadlines.push(deadline);
}

function refreshAssignments(state: State, worker: WorkerRecord): void {
  for (const assignment of worker.assignments.values()) refreshStealable(state.index, assignment, worker);
}

function moveToProfile(
  state: State,
  worker: WorkerRecord,
  profile: Profile,
  digest: string,
  declared: WorkerRecord['declared'],
): void {
  // Joined before left, so that what both share stays.
  const before = [worker.class, worker.whole];
  useProfile(state, digest, profile);
  const profileBefore = worker.profileDigest;
  worker.profileDigest = digest;
  worker.declared = declared;
  joinClasses(state, worker);
  for (const left of before) if (left !== null) leaveClass(state.index, left);
  dropProfile(state, profileBefore);
}

/** The class of what the worker offers now, and beside it the one that it would be of with all of its devices. */
export function joinClasses(state: State, worker: WorkerRecord): void {
  const { pool, profileDigest: digest, declared, trust } = worker;
  const { profile } = present(state.profiles.get(digest), 'profile');
  const devices = devicesSetAside(worker);
  worker.isSetAside = isWholeSetAside(worker);
  if (devices.length === 0) {
    worker.class = joinClass(state.index, pool, digest, profile, declared, trust);
    worker.whole = null;
    return;
  }
  const offer = withhold({ digest, profile, declared }, devices);
  worker.class = joinClass(state.index, pool, offer.digest, offer.profile, offer.declared, trust);
  worker.whole = joinClass(state.index, pool, digest, profile, declared, trust);
}

/** The devices of a worker that are not to be given work. */
export function devicesSetAside(worker: WorkerRecord): string[] {
  const devices = new Set<string>();
  for (const [device, condition] of worker.health.conditions)
    if (device !== wholeWorker && isSetAside(condition)) devices.add(device);
  for (const { device } of worker.health.gates.values()) if (device !== null) devices.add(device);
  return [...devices];
}

function isWholeSetAside({ health }: WorkerRecord): boolean {
  if (isSetAside(health.conditions.get(wholeWorker))) return true;
  for (const { device } of health.gates.values()) if (device === null) return true;
  return false;
}

export function isSetAside(condition: Condition | undefined): boolean {
  return condition !== undefined && condition.kind !== 'ready';
}

/** Keeps the deadlines of what is under way: a worker that is away is not waited for, it is asked again when it is back. */
export function refreshCheckups(state: State, worker: WorkerRecord): void {
  const { conditions, deadlines } = worker.health;
  const isLinked = worker.state.kind === 'connected' || worker.state.kind === 'draining';
  const heap = state.index.checkupDeadlines;
  for (const deadline of deadlines.values()) heap.remove(deadline);
  deadlines.clear();
  if (!isLinked) return;
  for (const [device, condition] of conditions) {
    if (condition.kind !== 'suspect' && condition.kind !== 'quarantined') continue;
    const { checkup } = condition;
    if (checkup.kind !== 'certifying' && checkup.kind !== 'recovering') continue;
    const deadline = { worker: worker.worker, device, atMs: checkup.deadlineMs, heapSlot: -1 };
    deadlines.set(device, deadline);
    heap.push(deadline);
  }
}

function useProfile(state: State, digest: string, profile: Profile): Profile {
  const known = state.profiles.get(digest);
  if (known === undefined) {
    state.profiles.set(digest, { profile, workers: 1 });
    return profile;
  }
  known.workers += 1;
  return known.profile;
}

function dropProfile(state: State, digest: string): void {
  const known = present(state.profiles.get(digest), 'profile');
  known.workers -= 1;
  if (known.workers === 0) state.profiles.delete(digest);
}

export function knownWorker(state: State, id: WorkerId): WorkerRecord {
  return present(state.workers.get(id), `worker ${id}`);
}
