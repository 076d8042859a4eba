// Alternatives whose time has come: what waits in a lane may from now on run wherever any of its choices so far is met. What was
// asked for first stays open and is preferred; nothing is ever run where none of them is met.
import type { Alternative } from '@assay/protocol';
import { isKeptByCircuits, mayKeepLanes } from '../../circuits/stops.ts';
import { compareText } from '../../kernel/compare.ts';
import type { Lane } from '../../scheduling/index-types.ts';
import type { State } from '../state.ts';
import type { Step } from '../step.ts';

export function openAlternatives(step: Step): void {
  const { expiring } = step.state.index;
  if (expiring.size === 0) return;
  const { state, nowMs } = step;
  const isKeptSomewhere = mayKeepLanes(state);
  if (!isKeptSomewhere && nowMs < state.index.alternativesDueMs) return;
  const due: Lane[] = [];
  state.index.alternativesDueMs = Infinity;
  for (const lane of expiring) {
    const atMs = dueMs(lane);
    if (atMs <= nowMs || (isKeptSomewhere && isKeptByCircuits(state, lane))) due.push(lane);
    state.index.alternativesDueMs = Math.min(state.index.alternativesDueMs, atMs);
  }
  if (due.length > 0) state.index.alternativesDueMs = -Infinity;
  due.sort((a, b) => compareText(a.run.run, b.run.run) || a.suite - b.suite);
  for (const lane of due) {
    const { run, suite, waitsSinceMs } = lane;
    const waitedMs = step.nowMs - (waitsSinceMs ?? step.nowMs);
    // What circuits alone keep from running goes on to the next choice at once.
    let opened = lane.opened + (dueMs(lane) > step.nowMs ? 1 : 0);
    for (let next = nextOf(lane, opened); next !== undefined && next.afterMs <= waitedMs; next = nextOf(lane, opened))
      opened += 1;
    const requires = lane.groups[opened]?.text ?? '';
    const tasks = lane.queued - lane.held.size;
    step.emit({ kind: 'alternativeOpened', run: run.run, suite, opened, requires, waitedMs, tasks });
  }
}

/** The next alternative that is not open yet. */
export function nextOf({ run, suite }: Lane, opened: number): Alternative | undefined {
  return run.spec.suites[suite]?.alternatives?.[opened];
}

/** When the next alternative of a lane opens; Infinity where there is none. */
export function dueMs(lane: Lane): number {
  const next = nextOf(lane, lane.opened);
  return next === undefined || lane.waitsSinceMs === null ? Infinity : lane.waitsSinceMs + next.afterMs;
}

/** The earliest such time of all lanes that wait, or null. */
export function alternativeDeadline({ index }: State): number | null {
  let earliest: number | null = null;
  for (const lane of index.expiring) {
    const atMs = dueMs(lane);
    if (earliest === null || atMs < earliest) earliest = atMs;
  }
  return earliest;
}
