// What the evidence of a circuit means: whether it opens, is only probed, or is held closed although it would open. Pure reading
// of the state; the verdict becomes an event.
//
//   one worker, device or pair     its breaker trips, on several different tasks; or it is an outlier among its peers
//   a class for one kind of work   its breaker trips, and a quorum of its workers failed: one bad worker opens no class
//   a class for all, a kind of work everywhere     several of the narrower ones are open
//   a dependency                   its breaker trips
// Small fleets: the last worker of its class is never stopped by a rate alone, it is probed with one task at a time instead.
// Large ones: no more than a share of a class is stopped by itself at once; more than that is not the workers' fault.
import type { WorkerId } from '@assay/protocol';
import type { State, WorkerRecord } from '../engine/state.ts';
import { tripCause } from './breaker.ts';
import type { CircuitsConfig } from './circuits-config.ts';
import { isBlocking, recentMembers } from './registry.ts';
import type { Circuit, MemberRecord } from './registry.ts';

export type Judgement =
  | { readonly kind: 'stays' }
  | { readonly kind: 'opens'; readonly cause: string; readonly isLast: boolean }
  /** Half-open at once, without an open period. */
  | { readonly kind: 'probes'; readonly cause: string }
  | { readonly kind: 'held'; readonly cause: string; readonly why: string };

const stays: Judgement = { kind: 'stays' };

/** What follows from what a closed circuit has seen. `peersFail` is how often the peers of weak evidence fail. */
export function judge(
  state: State,
  config: CircuitsConfig,
  circuit: Circuit,
  nowMs: number,
  peersFail: number | null = null,
): Judgement {
  if (circuit.breaker.state.kind !== 'closed') return stays;
  switch (circuit.scope.kind) {
    case 'worker':
    case 'device':
    case 'workerTask':
      return judgeNarrow(state, config, circuit, nowMs, peersFail);
    case 'classTask':
      return judgeClassTask(state, config, circuit, circuit.scope.class, nowMs);
    case 'class':
      return judgeClass(state, config, circuit, circuit.scope.class, nowMs);
    case 'task':
      return judgeTask(config, circuit, nowMs);
    case 'dependency': {
      const cause = tripCause(circuit.breaker, nowMs);
      return cause === null ? stays : { kind: 'opens', cause, isLast: false };
    }
  }
}

function judgeNarrow(
  state: State,
  config: CircuitsConfig,
  circuit: Circuit,
  nowMs: number,
  peersFail: number | null,
): Judgement {
  const voices = recentMembers(circuit, nowMs).filter(({ failures }) => failures > 0).length;
  if (voices < config.distinctTasksMin) return stays;
  let cause: string | null = tripCause(circuit.breaker, nowMs);
  // Weak evidence says nothing of a worker whose peers fail alike.
  if (peersFail !== null && peersFail ** circuit.breaker.consecutiveFailures > config.outlierChance) return stays;
  if (cause === null && isOutlier(state, config, circuit)) cause = 'peers';
  return cause === null ? stays : limited(state, config, circuit, cause);
}

/** Fails so much more than the fleet that chance does not explain it. */
function isOutlier(state: State, config: CircuitsConfig, { scope, breaker }: Circuit): boolean {
  const { calls, failures } = breaker.window;
  if (scope.kind === 'workerTask' || failures < config.outlierFailuresMin) return false;
  const rate = rateOfOthers(state, calls, failures);
  return rate !== null && tailOf(calls, failures, rate) < config.outlierChance;
}

/** How often machines fail, these calls left out; cautious while little is known, null where these are most of what is. */
function rateOfOthers({ fleet }: State, calls: number, failures: number): number | null {
  const others = fleet.attempts.calls - calls;
  return others < calls ? null : (Math.max(0, fleet.failures.calls - failures) + 1) / (others + 2);
}

/** The chance of `failures` or more among `calls`, each failing with `rate`: the upper tail of the binomial distribution. */
export function tailOf(calls: number, failures: number, rate: number): number {
  if (rate >= 1) return 1;
  let term = (1 - rate) ** calls;
  let below = 0;
  for (let count = 0; count < failures; count += 1) {
    below += term;
    term *= ((calls - count) / (count + 1)) * (rate / (1 - rate));
  }
  return Math.max(0, 1 - below);
}

/** The rules of small and of large fleets, for what would stop one worker. */
export function limited(state: State, config: CircuitsConfig, circuit: Circuit, cause: string): Judgement {
  const { scope } = circuit;
  const worker = 'worker' in scope ? state.workers.get(scope.worker) : undefined;
  if (worker === undefined) return stays;
  const { ready, stopped } = peersOf(state, worker, circuit);
  if (ready === 0 && isRate(cause)) return { kind: 'probes', cause };
  const all = ready + stopped + 1;
  if (all >= config.blastFleetMin && stopped + 1 > Math.floor(config.blastShareMax * all))
    return { kind: 'held', cause, why: `${stopped} of ${all} workers of its class are stopped already` };
  return { kind: 'opens', cause, isLast: ready === 0 };
}

/** Whether nobody else of its class takes this work now. */
export function isLastOfClass(state: State, circuit: Circuit): boolean {
  const worker = 'worker' in circuit.scope ? state.workers.get(circuit.scope.worker) : undefined;
  return worker !== undefined && peersOf(state, worker, circuit).ready === 0;
}

/** Why a circuit is not closed: the cause of its first transition since it last was. */
export function firstCause({ breaker }: Circuit): string | null {
  let cause: string | null = null;
  for (const move of breaker.history) cause = move.to === 'closed' ? null : (cause ?? move.cause);
  return cause;
}

export function isRate(cause: string | null): boolean {
  return cause === 'failureRate' || cause === 'slowRate' || cause === 'peers';
}

/** Other workers of the class: those that take this work, and those that a circuit keeps from it. */
function peersOf(state: State, worker: WorkerRecord, circuit: Circuit): { ready: number; stopped: number } {
  const stoppedWorkers = new Set<WorkerId>();
  for (const [id, circuits] of state.index.circuits.byWorker) {
    if (id === worker.worker) continue;
    if (circuits.some((other) => isBlocking(other) && concerns(other, circuit))) stoppedWorkers.add(id);
  }
  let stopped = 0;
  for (const id of stoppedWorkers) {
    const other = state.workers.get(id);
    if (other !== undefined && other.class === worker.class && isHere(other)) stopped += 1;
  }
  const { ready, halted } = worker.class;
  const own = isHere(worker) ? 1 : 0;
  return { ready: Math.max(0, ready + halted - own - stopped), stopped };
}

/** Whether what one circuit stops is among what the other would. */
function concerns(other: Circuit, circuit: Circuit): boolean {
  if (other.scope.kind === 'worker') return true;
  return other.scope.kind === circuit.scope.kind && other.taskClass === circuit.taskClass;
}

function isHere(worker: WorkerRecord): boolean {
  return worker.state.kind === 'connected' && !worker.isSetAside;
}

/** Fails often enough to have a voice in what is wider than itself. */
function isFailing({ failures, successes }: MemberRecord): boolean {
  return failures > 0 && failures * 2 >= successes;
}

function judgeClassTask(
  state: State,
  config: CircuitsConfig,
  circuit: Circuit,
  classId: string,
  nowMs: number,
): Judgement {
  const cause = tripCause(circuit.breaker, nowMs);
  if (cause === null) return stays;
  const size = sizeOf(state, classId);
  const members = recentMembers(circuit, nowMs);
  const failing = members.filter(isFailing).length;
  if (failing < Math.max(2, Math.min(config.quorumWorkers, size))) return stays;
  if (failing < config.quorumShare * members.length) return stays;
  // One task that failed on several of them, and passes elsewhere, is one voice: it may be a flaky one.
  if (new Set(circuit.evidence).size < config.distinctTasksMin) return stays;
  // Flaky tests fail everywhere a little: that two workers had one each is no evidence against what they have in common.
  const { calls, failures } = circuit.breaker.window;
  const rate = rateOfOthers(state, calls, failures);
  if (rate !== null && tailOf(calls, failures, rate) > config.quorumChance) return stays;
  return { kind: 'opens', cause: 'quorum', isLast: false };
}

function judgeClass(state: State, config: CircuitsConfig, circuit: Circuit, classId: string, nowMs: number): Judgement {
  if (tripCause(circuit.breaker, nowMs) === null) return stays;
  const around = state.index.circuits.byClass.get(classId) ?? [];
  const kinds = around.filter((one) => one.scope.kind === 'classTask' && isBlocking(one)).length;
  const opens: Judgement = { kind: 'opens', cause: 'quorum', isLast: false };
  if (kinds > config.quorumGroups) return opens;
  let failing = 0;
  for (const [member, seen] of circuit.members) if (!member.includes('/') && isFailing(seen)) failing += 1;
  const size = sizeOf(state, classId);
  return failing >= Math.max(config.quorumWorkers, config.quorumShare * size) ? opens : stays;
}

function judgeTask(config: CircuitsConfig, circuit: Circuit, nowMs: number): Judgement {
  if (tripCause(circuit.breaker, nowMs) === null) return stays;
  const members = recentMembers(circuit, nowMs);
  const failing = members.filter(isFailing).length;
  const isQuorum = failing >= config.quorumGroups && failing > config.quorumShare * members.length;
  return isQuorum ? { kind: 'opens', cause: 'quorum', isLast: false } : stays;
}

/** Workers of a class that take work, or would without their circuits. */
export function sizeOf(state: State, classId: string): number {
  const known = state.index.classById.get(classId);
  return known === undefined ? 0 : known.ready + known.halted;
}
