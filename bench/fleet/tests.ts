// The fleet of bench/fleet and its suite: recorded times of networkx's test files (bench/makespan/recorded), slowed by the
// declared kind of the machine; some files need an accelerator, and will do with any machine after a while, at a price.
import { randomOf } from '../../packages/simulator/src/sim/random.ts';
import { readRecordings } from '../makespan/recorded.ts';

export const kinds = ['quick', 'slow', 'accelerated'] as const;
export type Kind = (typeof kinds)[number];
/** In the order of their names; the labels are declared, and so is what they cost. */
export const fleet: readonly Kind[] = ['quick', 'quick', 'slow', 'slow', 'slow', 'accelerated', 'accelerated'];

export type FleetTest = {
  readonly target: string;
  readonly needs: 'nothing' | 'accelerator';
  /** Milliseconds by kind. */
  readonly ms: Readonly<Record<Kind, number>>;
};

/** Every second recorded file, made longer, so that starting a process for each counts for little. */
const stretch = 1.5;
const shortestMs = 100;
const longestMs = 6_000;
/** What is too slow without an accelerator is given up for this long at most. */
const longestWithoutMs = 60_000;
/** A slow machine takes so many times as long. */
const slowness = 5;
/** How long a test that wants an accelerator waits for one. */
export const fallbackAfterMs = 15_000;

export function drawTests(seed: number): FleetTest[] {
  const random = randomOf(seed, 'fleet');
  const recording = readRecordings().find(({ name }) => name === 'networkx');
  if (recording === undefined) throw new Error('bench/makespan/recorded/networkx.json is gone');
  return recording.tests
    .filter((_, index) => index % 2 === 0)
    .map(([target, recordedMs]): FleetTest => {
      const usualMs = Math.round(Math.min(longestMs, Math.max(shortestMs, recordedMs * stretch)));
      const needs = random.chance(0.15) ? 'accelerator' : 'nothing';
      // Without an accelerator the same computation takes up to a thousand times as long, as on a software renderer.
      const without = needs === 'accelerator' ? random.skewed(5, 1_000) : 1;
      const elsewhere = (times: number): number =>
        without === 1 ? usualMs * times : Math.min(longestWithoutMs, usualMs * times * without);
      return { target, needs, ms: { quick: elsewhere(1), slow: elsewhere(slowness), accelerated: usualMs } };
    });
}
