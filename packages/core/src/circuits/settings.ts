// What one breaker is set to. Data, checked once: what could lock a breaker open for ever (more successes required than there
// are probes, an open period without an end) is refused with a reason before anything is made of it.
// Times are milliseconds, rates are shares from 0 to 1.

/** Over what failures are counted. Both kinds move with time: after `spanMs` (or `ageMaxMs`) without calls they are empty. */
export type WindowSettings =
  | { readonly kind: 'time'; readonly spanMs: number; readonly buckets: number }
  | { readonly kind: 'count'; readonly calls: number; readonly ageMaxMs: number };

export type BreakerSettings = {
  readonly window: WindowSettings;
  /** No rate is looked at below this many calls in the window. */
  readonly volumeMin: number;
  /** Opens at this share of failures; null never looks at it. */
  readonly failureRate: number | null;
  /** A call that takes longer is slow. */
  readonly slowCallMs: number | null;
  /** Opens at this share of slow calls; null never looks at it. */
  readonly slowRate: number | null;
  /** Opens at this many failures in a row, whatever the volume; null never does. */
  readonly consecutiveFailures: number | null;
  /** The first open period; each further one is `openFactor` times longer, up to `openMaxMs`. */
  readonly openMs: number;
  readonly openFactor: number;
  readonly openMaxMs: number;
  /** An open period is drawn from `1 - openJitter` to `1 + openJitter` times its length. */
  readonly openJitter: number;
  /** Each such time spent closed takes one step back from the longer open periods. */
  readonly openDecayMs: number;
  /** Calls let through at once while half-open. */
  readonly probes: number;
  /** Successes that close it; at most `probes`. */
  readonly probeSuccesses: number;
  /** A probe without an answer for this long has failed. */
  readonly probeExpiryMs: number;
  /** Transitions remembered. */
  readonly historyMax: number;
};

/** Defaults, each with its reason. */
export const breakerDefaults: BreakerSettings = {
  /** Long enough for a rate to mean something at a call a second, short enough that yesterday's trouble is forgotten. */
  window: { kind: 'time', spanMs: 60_000, buckets: 12 },
  /** Below ten calls one bad call is a tenth: a rate says nothing. */
  volumeMin: 10,
  /** Half of everything failing is trouble of the callee, not of the calls. */
  failureRate: 0.5,
  /** Slowness is somebody's own measure: off until it is set. */
  slowCallMs: null,
  slowRate: null,
  /** Five in a row are not chance even where a fifth of all calls fail (0.0003). */
  consecutiveFailures: 5,
  openMs: 5_000,
  openFactor: 2,
  openMaxMs: 300_000,
  /** Breakers that opened together do not probe together. */
  openJitter: 0.1,
  openDecayMs: 300_000,
  probes: 1,
  probeSuccesses: 1,
  probeExpiryMs: 60_000,
  historyMax: 20,
};

/** Why these settings cannot be used, or null. */
export function settingsProblem(settings: BreakerSettings): string | null {
  const { window, volumeMin, consecutiveFailures, slowCallMs, slowRate, probes, probeSuccesses } = settings;
  const { openMs, openFactor, openMaxMs, openJitter } = settings;
  if (window.kind === 'time') {
    if (!isWhole(window.buckets, 1, 1_000)) return 'window.buckets is a whole number from 1 to 1,000';
    if (!(window.spanMs >= window.buckets)) return 'window.spanMs is at least one millisecond a bucket';
  } else {
    if (!isWhole(window.calls, 1, 10_000)) return 'window.calls is a whole number from 1 to 10,000';
    if (!(window.ageMaxMs > 0))
      return 'window.ageMaxMs is more than 0: a window that only moves with calls never forgets';
    if (volumeMin > window.calls) return `volumeMin ${volumeMin} is never reached in a window of ${window.calls} calls`;
  }
  if (!isWhole(volumeMin, 1, 1_000_000)) return 'volumeMin is a whole number from 1 on';
  for (const name of ['failureRate', 'slowRate'] as const) {
    const rate = settings[name];
    if (rate !== null && !(rate > 0 && rate <= 1)) return `${name} is more than 0 and at most 1`;
  }
  if (slowRate !== null && slowCallMs === null) return 'slowRate needs slowCallMs, which says what slow is';
  if (slowCallMs !== null && !(slowCallMs > 0)) return 'slowCallMs is more than 0';
  if (consecutiveFailures !== null && !isWhole(consecutiveFailures, 1, 1_000_000))
    return 'consecutiveFailures is a whole number from 1 on';
  if (!(openMs > 0 && openMaxMs >= openMs && openMaxMs < Infinity))
    return 'openMs is more than 0 and at most openMaxMs';
  if (!(openFactor >= 1 && openFactor < Infinity)) return 'openFactor is at least 1';
  if (!(openJitter >= 0 && openJitter < 1)) return 'openJitter is from 0 to below 1';
  if (!(settings.openDecayMs > 0)) return 'openDecayMs is more than 0';
  if (!isWhole(probes, 1, 1_000)) return 'probes is a whole number from 1 to 1,000';
  if (!isWhole(probeSuccesses, 1, probes))
    return `probeSuccesses is a whole number from 1 to probes (${probes}): more could never be reached`;
  if (!(settings.probeExpiryMs > 0 && settings.probeExpiryMs < Infinity)) return 'probeExpiryMs is more than 0';
  return isWhole(settings.historyMax, 1, 1_000) ? null : 'historyMax is a whole number from 1 to 1,000';
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
