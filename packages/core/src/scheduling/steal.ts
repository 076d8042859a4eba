// Stealing: near the end, unstarted work behind a long file is asked back from the worker that holds it, for a worker that
// has nothing to do.
//
// The victim is the assignment that is predicted to end last. It keeps what makes both end at about the same time; the thief
// pays its runner's start-up, and nothing is asked for unless the end comes nearer by more than `stealGainMinMs` net of that.
// One request at a time an assignment, and no more requests than free slots. The victim answers with what it had not started;
// that goes back to the queue and is placed as anything else is. A task is taken back at most `stealsMax` times, so that
// nothing goes to and fro.
// What is taken costs what it costs on the quickest class with a free slot: a slow thief takes less, or nothing.
// An overrunning file is predicted to run as long again as it ran: the tail of real durations is heavy.
import type { AttemptRef } from '@assay/protocol';
import { limit } from '../engine/limits.ts';
import type { EngineConfig } from '../engine/config.ts';
import { openAttempts } from '../engine/lookup.ts';
import type { Assignment, State } from '../engine/state.ts';
import type { Step } from '../engine/step.ts';
import { present } from '../kernel/assert.ts';
import { compareText } from '../kernel/compare.ts';
import { canPlace } from './admission.ts';
import { capacityOf } from './capacity.ts';
import type { Lane, RequirementGroup } from './index-types.ts';
import { slownessOn, startupOf } from './predict.ts';

const stealsMax = 3;

/** Asks for work wherever a free slot has none. */
export function stealAll(step: Step): void {
  const { index } = step.state;
  if (index.freeClasses.size === 0 || index.stealableGroups.size === 0) return;
  for (const group of [...index.stealableGroups].sort((a, b) => compareText(a.key, b.key))) {
    while (hasIdleSlots(step.state, group)) if (!stealOne(step, group)) break;
  }
}

/** More free slots than requests under way, and nothing queued that could have them: what is held up elsewhere keeps no slot busy. */
function hasIdleSlots(state: State, group: RequirementGroup): boolean {
  if (group.stealable.size === 0 || capacityOf(group).freeSlots <= group.asked) return false;
  return group.waiting.size === 0 || group.waiting.first((lane) => canPlace(state, lane)) === undefined;
}

function stealOne(step: Step, group: RequirementGroup): boolean {
  const victim = group.stealable.peek();
  if (victim === undefined) return false;
  const refs = worthTaking(step.state, step.config, victim, step.nowMs);
  if (refs.length === 0) return false;
  step.emit({ kind: 'takeBackRequested', worker: victim.worker, assignment: victim.assignment, attempts: refs });
  return true;
}

function worthTaking(state: State, config: EngineConfig, victim: Assignment, nowMs: number): AttemptRef[] {
  const run = present(state.runs.get(victim.run), 'run of an assignment');
  const lane = present(run.lanes[victim.suite], 'lane');
  // What could not be placed again, because its key is held or its quota used up, is better off where it is.
  if (!canPlace(state, lane)) return [];
  const startupMs = startupOf(state, lane);
  const slower = thiefSlowness(state, lane, victim);
  const totalMs = runningLeftMs(victim, startupMs, nowMs) + victim.unstartedMs;
  const refs: AttemptRef[] = [];
  let takenMs = 0;
  const unstarted = openAttempts(state, victim).filter(
    ({ attempt, task }) => attempt.state.kind === 'assigned' && task.lastAttempt - task.attempts.length < stealsMax,
  );
  for (const { attempt, ref } of unstarted.reverse()) {
    const moreMs = takenMs + attempt.expectedMs;
    // One more would make the thief end later than the victim now does, or than it does with one less.
    if (
      refs.length >= limit('batchTasksMax') ||
      Math.max(totalMs - moreMs, startupMs + moreMs * slower) >=
        Math.max(totalMs - takenMs, startupMs + takenMs * slower)
    )
      break;
    takenMs = moreMs;
    refs.push(ref);
  }
  const gainMs = totalMs - Math.max(totalMs - takenMs, startupMs + takenMs * slower);
  return gainMs > config.stealGainMinMs ? refs.reverse() : [];
}

/** How much slower than on the victim the work is on the quickest class that has a free slot. */
function thiefSlowness(state: State, lane: Lane, victim: Assignment): number {
  const own = state.workers.get(victim.worker)?.class;
  let quickest = Infinity;
  for (const capability of victim.group.fitting)
    if (capability.free.size > 0) quickest = Math.min(quickest, slownessOn(state, lane.suiteKey, capability));
  return own === undefined || quickest === Infinity ? 1 : quickest / slownessOn(state, lane.suiteKey, own);
}

function runningLeftMs(assignment: Assignment, startupMs: number, nowMs: number): number {
  const elapsedMs = Math.max(0, nowMs - assignment.sinceMs);
  // Before its first file starts, the time since it was assigned is the runner's start-up.
  if (assignment.runningMs === 0)
    return assignment.open === assignment.tasks.length ? Math.max(0, startupMs - elapsedMs) : 0;
  return elapsedMs > assignment.runningMs ? elapsedMs : assignment.runningMs - elapsedMs;
}

/**
 * When the overrun of the file before it makes the work of the next victim worth taking, or null. Only times after
 * `lookedAtMs` count: what was looked at then changes only by another event.
 */
export function stealDeadline(state: State, config: EngineConfig, lookedAtMs: number): number | null {
  if (state.index.freeClasses.size === 0) return null;
  let earliest: number | null = null;
  for (const group of state.index.stealableGroups) {
    const victim = group.stealable.peek();
    if (
      victim === undefined ||
      victim.runningMs === 0 ||
      victim.unstartedMs <= config.stealGainMinMs ||
      !hasIdleSlots(state, group)
    )
      continue;
    const run = present(state.runs.get(victim.run), 'run of an assignment');
    const startupMs = startupOf(state, present(run.lanes[victim.suite], 'lane'));
    const atMs = victim.sinceMs + Math.max(victim.runningMs, startupMs + config.stealGainMinMs) + 1;
    if (atMs > lookedAtMs && (earliest === null || atMs < earliest)) earliest = atMs;
  }
  return earliest;
}
