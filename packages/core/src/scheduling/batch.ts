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
import type { TaskRecord } from '../engine/state.ts';
import type { Step } from '../engine/step.ts';
import type { Capacity } from './capacity.ts';
import type { Lane } from './index-types.ts';
import { laneAdvantage, placeOf } from './plan.ts';
import type { Candidate } from './policy/policy.ts';
import { costOn, predictFromSuite, slownessOn, startupOf } from './predict.ts';

/** How far to look for tasks that fill a batch up: bounds the cost of one placement. */
const lookedMax = 1_000;

export type BatchItem = { readonly task: TaskRecord; readonly expectedMs: number };

/** The next batch of a lane that has tasks waiting: the candidate's task first, then the longest that its class is good for. */
export function nextBatch(step: Step, candidate: Candidate, capacity: Capacity): BatchItem[] {
  const { state, config } = step;
  const { lane, capability } = candidate;
  const first = { task: candidate.task, expectedMs: candidate.costMs };
  if (lane.run.spec.suites[lane.suite]?.batching !== 'shared') return [first];
  const suiteMean = predictFromSuite(state, lane);
  const unknownMs = suiteMean ?? config.defaultExpectedMs;
  const slots = Math.max(1, capacity.slots);
  // Each request to give work back has a slot waiting for its answer.
  const free = Math.max(1, capacity.freeSlots - lane.group.asked);
  const isKnown = lane.known.size + lane.peculiar.size > 0 || suiteMean !== null;
  const remainingMs = lane.knownMs + lane.unknown.size * unknownMs;
  const even = (remainingMs + lane.group.assignedMs) / slots;
  const startupMs = isKnown ? startupOf(state, lane) : 0;
  const floor = startupMs * (1 / config.startupShareMax - 1);
  const longest = isKnown ? Math.max(config.batchTargetMs, floor) : Infinity;
  const target = Math.min(Math.max(even, floor), longest, remainingMs / free);
  const isRestTooSmall = free === 1 && remainingMs - target < startupMs;
  // What a class does in a time is what its speed makes of it: batches are alike in time, and not in work.
  const costs: Costs = {
    unknownMs,
    slowness: slownessOn(state, lane.suiteKey, capability),
    machine: state.machines.numberOf(capability),
  };
  const tasksMax = limit('batchTasksMax');
  return takeInOrder(candidate, first, costs, tasksMax, isRestTooSmall ? Infinity : target);
}

type Costs = { readonly unknownMs: number; readonly slowness: number; readonly machine: number };

/** The first one, whatever its cost, then the longest that still fit until the target is reached. */
function takeInOrder(
  candidate: Candidate,
  first: BatchItem,
  { unknownMs, slowness, machine }: Costs,
  tasksMax: number,
  target: number,
): BatchItem[] {
  const items = [first];
  let sumMs = first.expectedMs;
  let looked = 0;
  if (tasksMax <= 1 || sumMs >= target) return items;
  for (const task of inOrder(candidate, unknownMs)) {
    if (task === first.task) continue;
    looked += 1;
    if (looked > lookedMax) break;
    const expectedMs = costOn(task, unknownMs, slowness, machine);
    if (sumMs + expectedMs > target) continue;
    items.push({ task, expectedMs });
    sumMs += expectedMs;
    if (items.length >= tasksMax || sumMs >= target) break;
  }
  return items;
}

/** By the run's plan what the class is good for, else all of the lane, the longest first. */
function* inOrder({ lane, capability, advantage }: Candidate, unknownMs: number): Generator<TaskRecord, void, void> {
  const { plan } = lane.run;
  const place = plan === null ? -1 : placeOf(plan, capability);
  if (plan === null || place < 0) return yield* longestFirst(lane, unknownMs);
  for (const entry of plan.queues[place]?.inOrder() ?? []) {
    if (entry.advantage < Math.min(0, advantage)) break;
    if (entry.lane === lane) yield entry.task;
  }
  if (laneAdvantage(plan, lane.suite, place) < Math.min(0, advantage)) return;
  yield* lane.known.inOrder();
  yield* lane.unknown.inOrder();
}

/** All that is known in one order, and where their suite's mean is those of which no more is known. */
function* longestFirst(lane: Lane, unknownMs: number): Generator<TaskRecord, void, void> {
  let areUnknownGiven = false;
  for (const task of bothInOrder(lane)) {
    if (!areUnknownGiven && (task.predictedMs ?? unknownMs) < unknownMs) {
      areUnknownGiven = true;
      yield* lane.unknown.inOrder();
    }
    yield task;
  }
  if (!areUnknownGiven) yield* lane.unknown.inOrder();
}

function* bothInOrder({ known, peculiar }: Lane): Generator<TaskRecord, void, void> {
  if (peculiar.size === 0) return yield* known.inOrder();
  const odd = peculiar.inOrder();
  let next = odd.next();
  for (const task of known.inOrder()) {
    for (; !next.done && (next.value.predictedMs ?? 0) > (task.predictedMs ?? 0); next = odd.next()) yield next.value;
    yield task;
  }
  for (; !next.done; next = odd.next()) yield next.value;
}
