// When a waiting task can be expected to start: what the slots that fit it have in hand, then the work before it spread over
// them; not before what it comes after is over, a key that it needs is released, or its alternative opens. A prediction as good as
// those it is made of; null where nothing that is known would ever let it start.
import type { EngineConfig } from '../engine/config.ts';
import type { Assignment, State, TaskRecord } from '../engine/state.ts';
import { dueMs } from '../engine/ops/open-alternatives.ts';
import { takesWork } from './classes.ts';
import { keyMax } from './holdings.ts';
import type { Lane, RequirementGroup } from './index-types.ts';
import { workAheadMs } from './queue-ahead.ts';
import { predict } from './predict.ts';

export function expectedStart(
  state: State,
  config: EngineConfig,
  lane: Lane,
  task: TaskRecord,
  nowMs: number,
): number | null {
  let slots = slotsFreeAt(state, lane.group, nowMs);
  let earliestMs = nowMs;
  if (slots.length === 0) {
    const later = lane.groups[lane.opened + 1];
    if (later === undefined) return null;
    slots = slotsFreeAt(state, later, nowMs);
    if (slots.length === 0) return null;
    earliestMs = Math.max(nowMs, dueMs(lane));
  }
  const needed = lane.gang?.size ?? 1;
  if (slots.length < needed) return null;
  for (const index of lane.run.after.get(task.index) ?? []) {
    const before = lane.run.tasks[index];
    if (before === undefined) continue;
    const endMs = endOf(state, config, lane, before, slots, nowMs);
    if (endMs > earliestMs) earliestMs = endMs;
  }
  const keyMs = keysFreeAt(state, lane, nowMs);
  const startMs = filledAt(slots, workAheadMs(state, config, lane, task));
  return Math.round(Math.max(earliestMs, keyMs, startMs, slots[needed - 1] ?? 0));
}

/** When each slot of the workers that fit is free, the earliest first. */
function slotsFreeAt(state: State, group: RequirementGroup, nowMs: number): number[] {
  const freeAt: number[] = [];
  for (const worker of state.workers.values()) {
    if (!group.fitting.has(worker.class) || !takesWork(worker)) continue;
    const busy = [...worker.assignments.values()].map((assignment) => endsAt(assignment, nowMs)).sort((a, b) => a - b);
    for (let slot = 0; slot < worker.slots; slot += 1) freeAt.push(slot < worker.slots - busy.length ? nowMs : 0);
    const taken = Math.min(busy.length, worker.slots);
    for (let at = 0; at < taken; at += 1) freeAt[freeAt.length - taken + at] = busy[at] ?? nowMs;
  }
  return freeAt.sort((a, b) => a - b);
}

function endsAt({ sinceMs, runningMs, unstartedMs }: Assignment, nowMs: number): number {
  // What overran its prediction is expected to end soon: nothing better is known.
  return Math.max(nowMs, sinceMs + runningMs) + unstartedMs;
}

/** The time by which the slots together have done so much work: the level that water would reach. */
function filledAt(freeAt: readonly number[], workMs: number): number {
  let level = freeAt[0] ?? 0;
  let left = workMs;
  for (let open = 1; left > 0; open += 1) {
    const next = freeAt[open] ?? Infinity;
    const room = (next - level) * open;
    if (room >= left) return level + left / open;
    left -= room;
    level = next;
  }
  return level;
}

function endOf(
  state: State,
  config: EngineConfig,
  lane: Lane,
  before: TaskRecord,
  slots: readonly number[],
  nowMs: number,
): number {
  if (before.state.kind === 'settled') return nowMs;
  const attempt = before.attempts.at(-1);
  if (before.state.kind !== 'queued' && attempt !== undefined) {
    const startedMs = attempt.state.kind === 'running' ? attempt.state.startedAtMs : nowMs;
    return Math.max(nowMs, startedMs + attempt.expectedMs);
  }
  const own = lane.run.lanes[before.suite] ?? lane;
  return (slots[0] ?? nowMs) + predict(state, config, own, before);
}

/** When every key that the lane needs has room, by the ends of those that hold it. */
function keysFreeAt(state: State, lane: Lane, nowMs: number): number {
  let atMs = nowMs;
  for (const { key, max } of lane.constraint?.keys ?? []) {
    const over = (state.index.keysHeld.get(key) ?? 0) + (lane.gang?.size ?? 1) - keyMax(state.policy, key, max);
    if (over <= 0) continue;
    const ends: number[] = [];
    for (const assignment of state.assignments.values()) {
      const holder = state.runs.get(assignment.run)?.lanes[assignment.suite];
      if (holder?.constraint?.keys.some((held) => held.key === key) === true) ends.push(endsAt(assignment, nowMs));
    }
    ends.sort((a, b) => a - b);
    atMs = Math.max(atMs, ends[over - 1] ?? nowMs);
  }
  return atMs;
}
