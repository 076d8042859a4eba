// How many tasks one assignment carries.
//
// Sharing one runner process saves its start-up (a jsdom file of 60 ms starts in 600), so a batch should be long against
// that; a long batch given out late makes everyone wait for it, so batches shrink as the queue drains ("guided
// self-scheduling": Polychronopoulos and Kuck, 1987). The target, in predicted time:
//
//   guided = batchShare x remaining work of the lane / slots that fit
//   floor  = what makes the start-up at most startupShareMax of the whole
//   fair   = remaining work / free slots that fit and wait for nothing else: nobody takes another free slot's part
//   target = min(max(guided, floor), max(batchTargetMs, floor), fair)
//
// While no cost is known at all, tasks are counted instead: remaining / (4 x slots). At least one task, at most
// batchTasksMax. The longest come first, so that what is left for the end is short.
import { limit } from '../engine/limits.ts';
import type { EngineConfig } from '../engine/config.ts';
import type { State, TaskRecord } from '../engine/state.ts';
import type { Capacity } from './capacity.ts';
import type { Lane } from './index-types.ts';
import { predictFromSuite, startupOf } from './predict.ts';

/** Parts that the remaining tasks are cut into per slot, while nothing is known of their cost. */
const unknownParts = 2;

/** How far to look for tasks that fill a batch up: bounds the cost of one placement. */
const lookedMax = 1_000;

export type BatchItem = { readonly task: TaskRecord; readonly expectedMs: number };

/** The next batch of a lane that has tasks waiting, longest first. */
export function nextBatch(state: State, config: EngineConfig, lane: Lane, capacity: Capacity): BatchItem[] {
  const suiteMean = predictFromSuite(state, lane);
  const unknownMs = suiteMean ?? config.defaultExpectedMs;
  if (lane.run.spec.suites[lane.suite]?.batching !== 'shared') return takeInOrder(lane, unknownMs, 1, 0);
  const waiting = lane.known.size + lane.unknown.size;
  const slots = Math.max(1, capacity.slots);
  // Each request to give work back has a slot waiting for its answer.
  const free = Math.max(1, capacity.freeSlots - lane.group.asked);
  const tasksMax = Math.min(limit('batchTasksMax'), Math.ceil(waiting / free));
  if (lane.known.size === 0 && suiteMean === null) {
    const counted = Math.ceil(waiting / (unknownParts * slots));
    return takeInOrder(lane, unknownMs, Math.min(tasksMax, counted), Infinity);
  }
  return takeInOrder(
    lane,
    unknownMs,
    limit('batchTasksMax'),
    targetMs(config, lane.knownMs + lane.unknown.size * unknownMs, slots, free, startupOf(state, lane)),
  );
}

function targetMs(config: EngineConfig, remainingMs: number, slots: number, free: number, startupMs: number): number {
  const guided = (config.batchShare * remainingMs) / slots;
  const floor = startupMs * (1 / config.startupShareMax - 1);
  return Math.min(Math.max(guided, floor), Math.max(config.batchTargetMs, floor), remainingMs / free);
}

/** The longest one, whatever its cost, then the longest that still fit until the target is reached. */
function takeInOrder(lane: Lane, unknownMs: number, tasksMax: number, target: number): BatchItem[] {
  if (tasksMax <= 1) return [firstOf(lane, unknownMs)];
  const items: BatchItem[] = [];
  let sumMs = 0;
  let looked = 0;
  for (const item of longestFirst(lane, unknownMs)) {
    looked += 1;
    if (looked > lookedMax) break;
    if (items.length > 0 && sumMs + item.expectedMs > target) continue;
    items.push(item);
    sumMs += item.expectedMs;
    if (items.length >= tasksMax || sumMs >= target) break;
  }
  return items;
}

function firstOf(lane: Lane, unknownMs: number): BatchItem {
  const known = lane.known.peek();
  const unknown = lane.unknown.peek();
  const isKnownFirst = unknown === undefined || (known !== undefined && (known.predictedMs ?? 0) >= unknownMs);
  const task = (isKnownFirst ? known : unknown) as TaskRecord;
  return { task, expectedMs: task.predictedMs ?? unknownMs };
}

/** Both halves of the lane in one order: those that are only known by their suite stand where its mean is. */
function* longestFirst(lane: Lane, unknownMs: number): Generator<BatchItem, void, void> {
  let areUnknownGiven = false;
  for (const task of lane.known.inOrder()) {
    const expectedMs = task.predictedMs ?? unknownMs;
    if (!areUnknownGiven && expectedMs < unknownMs) {
      areUnknownGiven = true;
      for (const unknown of lane.unknown.inOrder()) yield { task: unknown, expectedMs: unknownMs };
    }
    yield { task, expectedMs };
  }
  if (!areUnknownGiven) for (const unknown of lane.unknown.inOrder()) yield { task: unknown, expectedMs: unknownMs };
}
