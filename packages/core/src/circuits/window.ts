// The calls that a breaker looks back on, as plain JSON. What always holds: it is moved up to now before every read and every
// write, so that an idle window equals a fresh one; the totals are the sums of what is in it; nothing is allocated after it
// was made. A clock that goes back finds the window where it was.
import type { WindowSettings } from './settings.ts';

/** Buckets of equal length in a ring. `head` is the number of the newest bucket since the epoch. */
export type TimeWindow = {
  readonly kind: 'time';
  readonly bucketMs: number;
  head: number;
  readonly callsOf: number[];
  readonly failuresOf: number[];
  readonly slowOf: number[];
  calls: number;
  failures: number;
  slow: number;
};

/** The last calls in a ring, each with its time: what is too old leaves although nothing new came. */
export type CountWindow = {
  readonly kind: 'count';
  readonly ageMaxMs: number;
  next: number;
  /** 0 success, 1 failure, 2 slow success, 3 slow failure. */
  readonly marks: number[];
  readonly timesMs: number[];
  calls: number;
  failures: number;
  slow: number;
};

export type Window = TimeWindow | CountWindow;

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);

export function createWindow(settings: WindowSettings): Window {
  if (settings.kind === 'count') {
    const { calls, ageMaxMs } = settings;
    const rings = { next: 0, marks: zeros(calls), timesMs: zeros(calls) };
    return { kind: 'count', ageMaxMs, ...rings, calls: 0, failures: 0, slow: 0 };
  }
  const { spanMs, buckets } = settings;
  const rings = { callsOf: zeros(buckets), failuresOf: zeros(buckets), slowOf: zeros(buckets) };
  return { kind: 'time', bucketMs: spanMs / buckets, head: 0, ...rings, calls: 0, failures: 0, slow: 0 };
}

/** Moves the window up to now. */
export function advance(window: Window, nowMs: number): void {
  if (window.kind === 'time') advanceTime(window, nowMs);
  else expire(window, nowMs);
}

function advanceTime(window: TimeWindow, nowMs: number): void {
  const bucket = Math.floor(nowMs / window.bucketMs);
  const { head } = window;
  if (bucket <= head) return;
  window.head = bucket;
  if (window.calls === 0) return;
  const length = window.callsOf.length;
  if (bucket - head >= length) {
    clear(window);
    return;
  }
  for (let passed = head + 1; passed <= bucket; passed += 1) {
    const slot = passed % length;
    window.calls -= window.callsOf[slot] as number;
    window.failures -= window.failuresOf[slot] as number;
    window.slow -= window.slowOf[slot] as number;
    window.callsOf[slot] = 0;
    window.failuresOf[slot] = 0;
    window.slowOf[slot] = 0;
  }
}

function expire(window: CountWindow, nowMs: number): void {
  const length = window.marks.length;
  while (window.calls > 0) {
    const oldest = (window.next - window.calls + length) % length;
    if ((window.timesMs[oldest] as number) > nowMs - window.ageMaxMs) return;
    dropOldest(window, oldest);
  }
}

function dropOldest(window: CountWindow, oldest: number): void {
  const mark = window.marks[oldest] as number;
  window.calls -= 1;
  window.failures -= mark & 1;
  window.slow -= mark >> 1;
}

/** Adds a call, after moving up to now. */
export function add(window: Window, isFailure: boolean, isSlow: boolean, nowMs: number): void {
  advance(window, nowMs);
  const failure = isFailure ? 1 : 0;
  const slow = isSlow ? 1 : 0;
  if (window.kind === 'time') {
    const slot = window.head % window.callsOf.length;
    (window.callsOf[slot] as number) += 1;
    (window.failuresOf[slot] as number) += failure;
    (window.slowOf[slot] as number) += slow;
  } else {
    if (window.calls === window.marks.length) dropOldest(window, window.next);
    window.marks[window.next] = failure + 2 * slow;
    window.timesMs[window.next] = nowMs;
    window.next = (window.next + 1) % window.marks.length;
  }
  window.calls += 1;
  window.failures += failure;
  window.slow += slow;
}

/** Forgets every call. */
export function clear(window: Window): void {
  if (window.kind === 'time') {
    window.callsOf.fill(0);
    window.failuresOf.fill(0);
    window.slowOf.fill(0);
  } else {
    window.next = 0;
    window.marks.fill(0);
    window.timesMs.fill(0);
  }
  window.calls = 0;
  window.failures = 0;
  window.slow = 0;
}
