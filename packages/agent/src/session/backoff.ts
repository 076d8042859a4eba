// How long to wait before the next try: doubling from the shortest pause to the longest, of which the upper half is random,
// so that a fleet that lost its coordinator at one moment does not come back at one moment.
// The jitter is "equal jitter" of M. Brooker, "Exponential Backoff And Jitter"; the stream is mulberry32, seeded by the caller.

export type Backoff = { readonly backoffMinMs: number; readonly backoffMaxMs: number };

/** The pause after `failures` failures in a row, and the random stream's next state. */
export function backoffMs(config: Backoff, failures: number, random: number): { delayMs: number; random: number } {
  const next = (random + 0x6d2b79f5) >>> 0;
  const ceiling = Math.min(config.backoffMaxMs, config.backoffMinMs * 2 ** Math.min(failures, 30));
  return { delayMs: ceiling / 2 + (ceiling / 2) * unit(next), random: next };
}

/** A number in [0, 1) from one state of mulberry32. */
function unit(state: number): number {
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}
