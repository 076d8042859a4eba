// How long a task will take: its own recent mean, else the submitter's estimate, else its suite's mean, else a default.
// Whole milliseconds, at least 1, so that sums kept step by step are exact.
import type { EngineConfig } from '../engine/config.ts';
import type { Duration, State, SuiteHistory, TaskRecord } from '../engine/state.ts';
import type { Lane } from './index-types.ts';

/** Least weight of the newest observation: the last handful of runs decide, as code changes (exponentially weighted mean). */
const newestWeightMin = 0.3;
/** For a suite's mean over many tasks and for start-up, one observation weighs less. */
const suiteWeightMin = 0.05;
const startupWeightMin = 0.2;

export function durationKeyOf(suiteKey: string, target: string): string {
  return `${suiteKey}\n${target}`;
}

/** The prediction that belongs to the task itself, or null. */
export function predictOwn(state: State, suiteKey: string, task: TaskRecord): number | null {
  const remembered = state.durations.size === 0 ? undefined : state.durations.get(durationKeyOf(suiteKey, task.target));
  if (remembered !== undefined) return wholeMs(remembered.meanMs);
  return task.submittedMs === null ? null : wholeMs(task.submittedMs);
}

/** The mean of the lane's suite, or null while none of its tasks ever ran. */
export function predictFromSuite(state: State, lane: Lane): number | null {
  const history = state.suites.get(lane.suiteKey);
  return history === undefined || history.count === 0 ? null : wholeMs(history.meanMs);
}

/** The prediction of a queued task, whatever it rests on. */
export function predict(state: State, config: EngineConfig, lane: Lane, task: TaskRecord): number {
  return task.predictedMs ?? predictFromSuite(state, lane) ?? config.defaultExpectedMs;
}

/** Measured cost of starting the suite's runner, 0 while unknown. */
export function startupOf(state: State, lane: Lane): number {
  const history = state.suites.get(lane.suiteKey);
  return history === undefined ? 0 : Math.round(history.startupMs);
}

/** Learns from an attempt that really ran. */
export function learn(
  state: State,
  suiteKey: string,
  target: string,
  costMs: number,
  startupMs: number | undefined,
  atMs: number,
): void {
  const key = durationKeyOf(suiteKey, target);
  const earlier: Duration = state.durations.get(key) ?? { meanMs: 0, count: 0, lastAtMs: atMs };
  const count = earlier.count + 1;
  state.durations.set(key, { meanMs: moved(earlier.meanMs, costMs, count, newestWeightMin), count, lastAtMs: atMs });

  const suite: SuiteHistory = state.suites.get(suiteKey) ?? { meanMs: 0, count: 0, startupMs: 0, startups: 0 };
  const tasks = suite.count + 1;
  const meanMs = moved(suite.meanMs, costMs, tasks, suiteWeightMin);
  if (startupMs === undefined) {
    state.suites.set(suiteKey, { ...suite, meanMs, count: tasks });
  } else {
    const startups = suite.startups + 1;
    state.suites.set(suiteKey, {
      meanMs,
      count: tasks,
      startupMs: moved(suite.startupMs, startupMs, startups, startupWeightMin),
      startups,
    });
  }
}

function moved(mean: number, observed: number, count: number, weightMin: number): number {
  return mean + (observed - mean) * Math.max(1 / count, weightMin);
}

function wholeMs(value: number): number {
  return Math.max(1, Math.round(value));
}
