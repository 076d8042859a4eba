// Which step of recovery comes next: the mildest that was not tried yet on this trouble.
//
//   page -> browser -> GPU process -> runner -> agent -> reboot hook -> power hook -> a person
// A step that was carried out many times on devices of this kind and never once helped is passed over while that is recent,
// as long as a stronger one is left: time spent on it is time that the device is away. The worker says itself which steps
// it does not have; those are skipped and count neither as taken nor as failed.
import type { Rung } from '@assay/protocol';
import type { TriedRung } from '../lifecycle/condition.ts';

/** In the order in which they are tried. */
export const ladder: readonly Rung[] = ['page', 'browser', 'gpuProcess', 'runner', 'agent', 'rebootHook', 'powerHook'];

/** What is remembered of one step on one kind of device. `taken` counts the times it was judged by a certification. */
export type RungHistory = { taken: number; cured: number; meanMs: number; lastAtMs: number };

/** Taken so often without helping once: with an even chance each time, one in 256. */
export const hopelessAfter = 8;
/** After this a step that never helped is tried again: drivers and machines change. */
export const hopelessForMs = 7 * 86_400_000;

/** The next step, or null when only a person is left. */
export function nextRung(
  tried: readonly TriedRung[],
  historyOf: (rung: Rung) => RungHistory | undefined,
  nowMs: number,
): Rung | null {
  const last = tried.reduce((at, { rung }) => Math.max(at, ladder.indexOf(rung)), -1);
  const left = ladder.slice(last + 1);
  const promising = left.find((rung) => !isHopeless(historyOf(rung), nowMs));
  return promising ?? left[0] ?? null;
}

function isHopeless(history: RungHistory | undefined, nowMs: number): boolean {
  if (history === undefined || history.cured > 0 || history.taken < hopelessAfter) return false;
  return nowMs - history.lastAtMs < hopelessForMs;
}

/** The history with one more judged step in it. */
export function withJudged(
  history: RungHistory | undefined,
  isCured: boolean,
  durationMs: number,
  nowMs: number,
): RungHistory {
  const before = history ?? { taken: 0, cured: 0, meanMs: 0, lastAtMs: 0 };
  const taken = before.taken + 1;
  return {
    taken,
    cured: before.cured + (isCured ? 1 : 0),
    meanMs: before.meanMs + (durationMs - before.meanMs) / taken,
    lastAtMs: nowMs,
  };
}
