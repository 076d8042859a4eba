// Hedging: near the end an idle worker runs a duplicate of an attempt that is late. The first result counts, the other attempt
// is stopped and leaves only its number: nothing of it is ever counted. How long it ran is learned from as the least that it takes
// there (engine/settle-hedge.ts).
//
// An attempt is late when it runs for longer than nine of ten of its suite's attempts would, by the suite's calibration, and at
// least `hedgeAfterMs`. The duplicate is worth it where its worker is expected to be done before the late one, which is
// predicted to run as long again as it ran (the tail of real durations is heavy). Bounds: one duplicate a task, never on the
// same worker; at most `hedgeShare` of the slots that fit; only while nothing waits for such a slot; never where the suite
// says so, where its tasks hold devices or keys, or come in gangs.
// Decided when time passes, and not at every report: with nothing late it costs nothing.
import type { AssignmentId } from '@assay/protocol';
import type { EngineConfig } from '../engine/config.ts';
import { openAttempts } from '../engine/lookup.ts';
import type { Assignment, AttemptRecord, RunRecord, State, TaskRecord, WorkerRecord } from '../engine/state.ts';
import type { Step } from '../engine/step.ts';
import { variantOf } from '../recovery/variant-of.ts';
import { firstAdmitted, isUnconstrained } from './admission.ts';
import { overrunFactor } from './calibration.ts';
import { capacityOf } from './capacity.ts';
import type { Lane } from './index-types.ts';
import { predictOn, startupOf } from './predict.ts';

/** Assignments that are looked at, the oldest first: bounds the cost. */
const lookedMax = 512;
/** What is late and finds no worker is looked at again after this. */
const againMs = 1_000;
/** The share of attempts that are over sooner than what is called late, and the least factor of their prediction. */
const lateQuantile = 0.9;
const lateFactorMin = 1.5;

type Late = {
  readonly run: RunRecord;
  readonly lane: Lane;
  readonly task: TaskRecord;
  readonly attempt: AttemptRecord;
};

/** Gives duplicates of what is late to idle workers. */
export function hedgeAll(step: Step): void {
  const { state, config, nowMs } = step;
  if (!isPossible(state, config)) return;
  const late: Late[] = [];
  for (const one of candidates(state, config, nowMs)) if (lateAtMs(state, config, one) <= nowMs) late.push(one);
  for (const one of late) hedge(step, one);
}

/** When a running attempt will be late enough, or null. Only times after `lookedAtMs` count. */
export function hedgeDeadline(state: State, config: EngineConfig, lookedAtMs: number): number | null {
  if (!isPossible(state, config)) return null;
  let earliest: number | null = null;
  for (const one of candidates(state, config, Infinity)) {
    const due = lateAtMs(state, config, one);
    const atMs = due > lookedAtMs ? due : lookedAtMs + againMs;
    if (earliest === null || atMs < earliest) earliest = atMs;
  }
  return earliest;
}

function isPossible({ index }: State, { hedgeShare }: EngineConfig): boolean {
  return hedgeShare > 0 && index.freeClasses.size > 0;
}

/** Running attempts of which a duplicate is allowed, given out long enough before `nowMs`; the oldest assignments first. */
function* candidates(state: State, config: EngineConfig, nowMs: number): Generator<Late, void, void> {
  let looked = 0;
  for (const assignment of state.assignments.values()) {
    looked += 1;
    if (looked > lookedMax || assignment.atMs + config.hedgeAfterMs > nowMs) return;
    const one = candidateOf(state, assignment);
    if (one !== null) yield one;
  }
}

function candidateOf(state: State, assignment: Assignment): Late | null {
  if (assignment.runningMs === 0) return null;
  const run = state.runs.get(assignment.run);
  const lane = run?.lanes[assignment.suite];
  if (run === undefined || lane === undefined || !isAllowed(state, run, lane)) return null;
  for (const { task, attempt } of openAttempts(state, assignment))
    if (attempt.state.kind === 'running' && task.hedge === null && mayRunTwice(task))
      return { run, lane, task, attempt };
  return null;
}

/** Not what runs in another configuration, and not what a worker went down with: a second one would go down with it. */
function mayRunTwice(task: TaskRecord): boolean {
  if (task.attempts.length < 2) return true;
  const hasLost = task.attempts.some(({ state }) => state.kind === 'settled' && state.verdict === 'lost');
  return !hasLost && variantOf(task) === null;
}

/** In the tail only: nothing waits that the slot would do for, in any lane of the same requirement. */
function isAllowed(state: State, run: RunRecord, lane: Lane): boolean {
  if (run.state.kind !== 'open' && run.state.kind !== 'sealed') return false;
  if (lane.gang !== null || lane.group.claims.length > 0 || !isUnconstrained(state, lane)) return false;
  if (run.spec.suites[lane.suite]?.hedge === 'never') return false;
  return lane.group.waiting.size === 0 && lane.group.avoiding.size === 0;
}

function lateAtMs(state: State, config: EngineConfig, { lane, attempt }: Late): number {
  if (attempt.state.kind !== 'running') return Infinity;
  const factor = Math.max(lateFactorMin, overrunFactor(state.suites.get(lane.suiteKey), lateQuantile));
  return Math.ceil(attempt.state.startedAtMs + Math.max(config.hedgeAfterMs, attempt.expectedMs * factor)) + 1;
}

function hedge(step: Step, { run, lane, task, attempt }: Late): void {
  const { state, config, nowMs } = step;
  if (attempt.state.kind !== 'running' || task.hedge !== null) return;
  const { ready, slots, freeWorkers, freeSlots } = capacityOf(lane.group);
  if (freeSlots === 0 || run.hedges >= Math.max(1, Math.floor(slots * config.hedgeShare))) return;
  const elapsedMs = nowMs - attempt.state.startedAtMs;
  const best = quickest(step, lane, task, attempt);
  if (best === null || best.costMs + startupOf(state, lane) >= elapsedMs) return;
  const rule = `a duplicate of attempt ${attempt.attempt}, which runs for ${elapsedMs} ms and was expected to take ${attempt.expectedMs}`;
  step.emit({
    kind: 'tasksAssigned',
    run: run.run,
    suite: lane.suite,
    assignment: `a-${state.assignmentOrder + 1}` as AssignmentId,
    worker: best.worker.worker,
    session: best.worker.session,
    tasks: [{ index: task.index, attempt: task.lastAttempt + 1, expectedMs: best.costMs }],
    placement: { rule, fittingWorkers: ready, freeWorkers, expectedMs: best.costMs },
    isHedge: true,
  });
}

/** The fitting idle worker that is expected to be done first. */
function quickest(
  step: Step,
  lane: Lane,
  task: TaskRecord,
  attempt: AttemptRecord,
): { readonly worker: WorkerRecord; readonly costMs: number } | null {
  let best: { worker: WorkerRecord; costMs: number } | null = null;
  for (const capability of lane.group.fitting) {
    const worker = firstAdmitted(step.state, lane, capability, (one) => one.worker === attempt.worker);
    if (worker === undefined) continue;
    const { ms: costMs } = predictOn(step.state, step.config, lane, task, capability);
    const isBetter =
      best === null || costMs < best.costMs || (costMs === best.costMs && worker.worker < best.worker.worker);
    if (isBetter) best = { worker, costMs };
  }
  return best;
}
