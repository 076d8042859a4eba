// Black holes: workers that finish far faster than their peers by failing, and so draw more and more of the queue.
import type { WorkerId } from '@assay/protocol';
import { limited } from '../../circuits/judge.ts';
import { circuitIdOf } from '../../circuits/scope.ts';
import { openAttempts } from '../lookup.ts';
import type { Ending } from '../settle.ts';
import type { AttemptRecord, State, TaskRecord, WorkerRecord } from '../state.ts';
import type { Step } from '../step.ts';
import { act, noteMarks } from './move-circuit.ts';

/** So many rows of fast failures at once, and their share alone may tell. */
const alikeMany = 16;

/**
 * A worker that fails one task after another, far faster than they take elsewhere. Failures of the machine need few; where
 * tests may be at fault, only so many that a peer would hardly ever have them, on a worker that never did anything well.
 */
export function considerBlackHole(step: Step, config: Step['config']['circuits'], worker: WorkerRecord): void {
  const { state } = step;
  const streak = state.streaks.get(worker.worker);
  if (streak === undefined || streak.tasks.length < config.blackHoleTasksMin) return;
  if (streak.hasTest && worker.isProven) return;
  // Where many fail so, it is no black hole: said before every worker is looked at.
  const alike = state.streaks.size / (state.workers.size + 2);
  if (state.streaks.size >= alikeMany && alike ** streak.tasks.length > config.blackHoleChance) return;
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

/** What is expected of a worker that did nothing well yet is not learned from its own failures. */
export function isFastFailure(
  step: Step,
  { expectedMs }: AttemptRecord,
  { verdict, costMs }: Ending,
  isProven: boolean,
): boolean {
  if (costMs === undefined || (verdict !== 'failed' && verdict !== 'errored')) return false;
  const { circuits, defaultExpectedMs } = step.config;
  return costMs < circuits.fastShare * Math.max(expectedMs, isProven ? 0 : defaultExpectedMs);
}

/** It failed where other things went well: then it is not this worker that makes it fail. */
export function hasFailedElsewhere(state: State, { attempts }: TaskRecord, worker: WorkerId): boolean {
  return attempts.some(
    (earlier) =>
      earlier.worker !== null &&
      earlier.worker !== worker &&
      earlier.state.kind === 'settled' &&
      earlier.state.verdict === 'failed' &&
      state.workers.get(earlier.worker)?.isProven === true,
  );
}
