// Looks at each external dependency again and again, and tells the engine what was seen: the engine decides what waits
// (`dependencyProbed`). Every look goes through a circuit of the prober's own, which makes looks rarer while there is no
// answer, allows one at a time, and gives it up after its time-out.
// What always holds: the engine is told of looks that were made, never of those that were not; at most one timer or one look
// for each dependency; after `stop` there is neither.
import { breakerDefaults, type BreakerSettings, type DependencyProbed } from '@assay/core';
import type { Clock } from '../ports/clock.ts';
import type { DependencySetting } from '../settings.ts';
import { Circuit, type Reason } from './circuit.ts';
import { probeOf, type Probe } from './probe.ts';

export type ProberOptions = {
  dependencies: readonly DependencySetting[];
  clock: Clock;
  post: (input: DependencyProbed) => void;
  probeOf?: (setting: DependencySetting) => Probe;
  random?: () => number;
};

export type Prober = {
  /** In how long a dependency is looked at next, null while that is under way or where it is not known. */
  nextProbeInMs(name: string): number | null;
  /** Ends every look. */
  stop(): void;
};

/** Rare looks at what is down for long are at most this far apart, unless its interval is longer. */
const apartMaxMs = 30_000;

export function startProber(options: ProberOptions): Prober {
  const watches = new Map(options.dependencies.map((setting) => [setting.name, watchOf(setting, options)]));
  return {
    nextProbeInMs: (name) => {
      const nextAtMs = watches.get(name)?.nextAtMs() ?? null;
      return nextAtMs === null ? null : Math.max(0, nextAtMs - options.clock.nowMs());
    },
    stop: () => {
      for (const watch of watches.values()) watch.stop();
    },
  };
}

type Look = { kind: 'well' } | { kind: 'unwell'; detail: string } | { kind: 'notMade'; retryAtMs: number | null };

function watchOf(setting: DependencySetting, options: ProberOptions): { nextAtMs(): number | null; stop(): void } {
  const { clock, post, random = Math.random } = options;
  const { name, intervalMs, timeoutMs } = setting;
  const circuit = new Circuit({ clock, settings: settingsFor(intervalMs), random });
  const probe = (options.probeOf ?? probeOf)(setting);
  const look = circuit.wrap(async (signal): Promise<Look> => (await probe(signal), { kind: 'well' }), {
    timeoutMs,
    bulkhead: 1,
    fallback: lookInstead,
  });
  const stopping = new AbortController();
  let nextAtMs: number | null = null;
  let cancel: (() => void) | null = null;

  const lookOnce = async (): Promise<void> => {
    nextAtMs = null;
    const startMs = clock.nowMs();
    const seen = await look(stopping.signal);
    const nowMs = clock.nowMs();
    if (seen.kind !== 'notMade') {
      const outcome = seen.kind === 'well' ? 'success' : 'failure';
      const detail = seen.kind === 'well' ? null : seen.detail;
      post({ kind: 'dependencyProbed', dependency: name, outcome, durationMs: nowMs - startMs, detail });
    }
    const { state } = circuit.breaker;
    const waitMs = state.kind === 'open' ? state.untilMs - nowMs : intervalMs;
    lookAfter(seen.kind === 'notMade' && seen.retryAtMs !== null ? seen.retryAtMs - nowMs : waitMs);
  };
  const lookAfter = (delayMs: number): void => {
    if (stopping.signal.aborted) return;
    nextAtMs = clock.nowMs() + Math.max(0, delayMs);
    // A look that was stopped rejects with the reason, and nobody waits for it.
    cancel = clock.after(delayMs, () => void lookOnce().catch(() => undefined));
  };
  lookAfter(0);
  return {
    nextAtMs: () => nextAtMs,
    stop: () => {
      cancel?.();
      nextAtMs = null;
      stopping.abort(new Error('the coordinator is stopping'));
    },
  };
}

function lookInstead(reason: Reason): Look {
  switch (reason.kind) {
    case 'refused':
      return { kind: 'notMade', retryAtMs: reason.retryAtMs };
    case 'full':
      return { kind: 'notMade', retryAtMs: null };
    case 'timedOut':
      return { kind: 'unwell', detail: `no answer within ${reason.timeoutMs} ms` };
    case 'failed':
      return { kind: 'unwell', detail: reason.error instanceof Error ? reason.error.message : String(reason.error) };
  }
}

/** Three looks in a row say that it is down; then they come at up to `apartMaxMs` from each other. */
function settingsFor(intervalMs: number): BreakerSettings {
  const openMs = intervalMs;
  return {
    ...breakerDefaults,
    failureRate: null,
    consecutiveFailures: 3,
    openMs,
    openMaxMs: Math.max(openMs, apartMaxMs),
    // Looks are far apart by themselves: those of before must still stand in a row.
    window: { kind: 'count', calls: 20, ageMaxMs: Math.max(600_000, intervalMs * 20) },
  };
}
