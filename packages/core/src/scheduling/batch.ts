// How many tasks one assignment carries.
//
// Sharing one runner process saves its start-up (a jsdom file of 60 ms starts in 600), and what is given out and not started
// can be stolen back; so a slot gets its even share of all that is to be done, at once, and what was predicted wrongly is
// evened out by stealing. Handing out ever smaller parts ("guided self-scheduling": Polychronopoulos and Kuck, 1987) paid for
// a dozen starts where two do. The target, in predicted time:
//
//   even   = (remaining work of the lane + work in hand that needs the same) / slots that fit
//   floor  = what makes the start-up at most startupShareMax of the whole
//   fair   = remaining work / free slots that fit and wait for nothing else: nobody takes another free slot's part
//   target = min(max(even, floor), max(batchTargetMs, floor), fair), and the rest too where it is worth less than a start-up
//
// While no cost is known at all every task counts the same, and batchTargetMs, which is a time, does not bind. At least one
// task, at most batchTasksMax. The longest come first, so that what is left for the end is short.
import { limit } from '../engine/limits.ts';
import type { EngineConfig } from '../engine/config.ts';
import type { State, TaskRecord } from '../engine/state.ts';
import type { Capacity } from './capacity.ts';
import type { Lane } from './index-types.ts';
import { predictFromSuite, startupOf } from './predict.ts';

/** How far to look for tasks that fill a batch up: bounds the cost of one placement. */
const lookedMax = 1_000;

export type BatchItem = { readonly task: TaskRecord; readonly expectedMs: number };

/** The next batch of a lane that has tasks waiting, longest first. */
export function nextBatch(state: State, config: EngineConfig, lane: Lane, capacity: Capacity): BatchItem[] {
  const suiteMean = predictFromSuite(state, lane);
  const unknownMs = suiteMean ?? config.defaultExpectedMs;
  if (lane.run.spec.suites[lane.suite]?.batching !== 'shared') return takeInOrder(lane, unknownMs, 1, 0);
  const slots = Math.max(1, capacity.slots);
  // Each request to give work back has a slot waiting for its answer.
  const free = Math.max(1, capacity.freeSlots - lane.group.asked);
  const isKnown = lane.known.size > 0 || suiteMean !== null;
  const remainingMs = lane.knownMs + lane.unknown.size * unknownMs;
  const even = (remainingMs + lane.group.assignedMs) / slots;
  const startupMs = isKnown ? startupOf(state, lane) : 0;
  const floor = startupMs * (1 / config.startupShareMax - 1);
  const longest = isKnown ? Math.max(config.batchTargetMs, floor) : Infinity;
  const target = Math.min(Math.max(even, floor), longest, remainingMs / free);
  const isRestTooSmall = free === 1 && remainingMs - target < startupMs;
  return takeInOrder(lane, unknownMs, limit('batchTasksMax'), isRestTooSmall ? remainingMs : target);
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
