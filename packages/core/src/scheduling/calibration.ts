// How good predictions are: predicted against actual, per suite. Kept as counts by log ratio in steps of a fifth of a
// doubling, so that a suite costs a few hundred bytes however much it ran; what is old fades, by halving all counts.
import type { State } from '../engine/state.ts';
import type { SuiteHistory } from './durations.ts';

/** Steps a doubling, and how many doublings either way are told apart. */
const steps = 5;
const doublings = 10;
const cells = 2 * steps * doublings + 1;
const countMax = 1_000;

export type SuiteCalibration = {
  readonly project: string;
  readonly suite: string;
  /** Predictions that the numbers rest on, older ones weighing less. */
  readonly count: number;
  /** Median of actual over predicted: above 1, things take longer than said. */
  readonly medianRatio: number;
  /** Nine of ten predictions are off by at most this factor, either way. */
  readonly p90Factor: number;
};

/** Notes a prediction that came true, or not. Called by evolve alone. */
export function noteOutcome(suite: SuiteHistory, predictedMs: number, actualMs: number): void {
  const { calibration } = suite;
  if (calibration.length === 0) for (let cell = 0; cell <= cells; cell += 1) calibration.push(0);
  const ratio = Math.log2(Math.max(1, actualMs) / Math.max(1, predictedMs));
  const cell = Math.round(Math.max(-doublings, Math.min(doublings, ratio)) * steps) + steps * doublings;
  calibration[cell] = (calibration[cell] ?? 0) + 1;
  const total = totalOf(calibration) + 1;
  calibration[cells] = total;
  if (total <= countMax) return;
  calibration[cells] = 0;
  for (let at = 0; at < cells; at += 1) {
    calibration[at] = Math.floor((calibration[at] ?? 0) / 2);
    calibration[cells] += calibration[at] ?? 0;
  }
}

/** By how much an actual cost exceeds its prediction at most in `share` of the cases, at least 1; 1 where nothing is known. */
export function overrunFactor(suite: SuiteHistory | undefined, share: number): number {
  if (suite === undefined || suite.calibration.length === 0) return 1;
  return Math.max(1, ratioOf(quantile(suite.calibration.slice(0, cells), totalOf(suite.calibration), share)));
}

export function viewCalibration(state: State): SuiteCalibration[] {
  const views: SuiteCalibration[] = [];
  for (const [key, { calibration }] of state.suites.entries()) {
    const count = totalOf(calibration);
    if (count === 0) continue;
    const at = key.indexOf('\n');
    const off = Array.from({ length: steps * doublings + 1 }, (_, distance) =>
      distance === 0
        ? (calibration[steps * doublings] ?? 0)
        : (calibration[steps * doublings - distance] ?? 0) + (calibration[steps * doublings + distance] ?? 0),
    );
    views.push({
      project: key.slice(0, at),
      suite: key.slice(at + 1),
      count,
      medianRatio: ratioOf(quantile(calibration.slice(0, cells), count, 0.5)),
      p90Factor: 2 ** (quantile(off, count, 0.9) / steps),
    });
  }
  return views;
}

/** It stands behind the cells: summing them for every attempt would cost more than the rest of learning. */
function totalOf(calibration: readonly number[]): number {
  return calibration[cells] ?? 0;
}

function quantile(counts: readonly number[], total: number, share: number): number {
  const wanted = share * total;
  let seen = 0;
  for (const [cell, count] of counts.entries()) {
    seen += count;
    if (count > 0 && seen >= wanted) return cell;
  }
  return counts.length - 1;
}

function ratioOf(cell: number): number {
  return 2 ** (cell / steps - doublings);
}
