// One circuit breaker, pure: data in, data out, time and luck as arguments. The registry of the engine and `circuit.wrap` of the
// shell are both built on it. Its state is plain JSON, so that it can be journalled, put in a snapshot and shown as it is.
//
//   const admission = admit(breaker, nowMs);
//   if (typeof admission !== 'number') refused until admission.retryAtMs;
//   ... the call ...
//   record(breaker, admission, 'success' | 'failure' | 'ignored', durationMs, nowMs, random01);
//
// What always holds: every permit ends by being recorded, by expiring, or with its generation, so that probes cannot run out;
// each transition starts a new generation, and what was admitted under an older one is counted as late and moves nothing;
// the first open period is the base one; nothing is allocated per call while it is closed.
import { AssertionError } from '../kernel/assert.ts';
import { move, opening } from './breaker-state.ts';
import type { Breaker, Permit, Transition, TripCause } from './breaker-state.ts';
import { add, advance, clear } from './window.ts';

export type Refusal = {
  readonly kind: 'refused';
  readonly state: 'open' | 'halfOpen' | 'forcedOpen';
  /** When it is worth asking again; null where only a person knows. */
  readonly retryAtMs: number | null;
};
export type CallOutcome =
  | 'success'
  | 'failure'
  /** Says nothing about the callee (canceled, or failed by the caller's own fault): the permit comes back, nothing is counted. */
  | 'ignored';

const permitsPerGeneration = 65_536;

/** Asks for a call to be let through. A number is the permit for `record`. */
export function admit(breaker: Breaker, nowMs: number, random01 = 0.5): Permit | Refusal {
  if (breaker.state.kind === 'closed') return breaker.generation * permitsPerGeneration;
  return admitSlowly(breaker, nowMs, random01);
}

function admitSlowly(breaker: Breaker, nowMs: number, random01: number): Permit | Refusal {
  tick(breaker, nowMs, random01);
  const { state } = breaker;
  switch (state.kind) {
    case 'open':
    case 'forcedOpen':
      return { kind: 'refused', state: state.kind, retryAtMs: state.untilMs };
    case 'halfOpen':
      if (state.permits.length < breaker.settings.probes)
        return takePermit(breaker, nowMs + breaker.settings.probeExpiryMs);
      return { kind: 'refused', state: 'halfOpen', retryAtMs: state.permits[0]?.expiresAtMs ?? nowMs };
    default:
      return breaker.generation * permitsPerGeneration;
  }
}

/** Takes one of a half-open breaker's permits; the caller saw that one is left. */
export function takePermit(breaker: Breaker, expiresAtMs: number): Permit {
  const { state } = breaker;
  if (state.kind !== 'halfOpen' || state.permits.length >= breaker.settings.probes)
    throw new AssertionError('no permit is left');
  const permit = breaker.generation * permitsPerGeneration + 1 + (state.next % (permitsPerGeneration - 1));
  state.next += 1;
  state.permits.push({ permit, expiresAtMs });
  return permit;
}

/**
 * Says how an admitted call ended. Returns the transition that followed, or null. `random01` is the luck of the open period
 * that may follow.
 */
export function record(
  breaker: Breaker,
  permit: Permit,
  outcome: CallOutcome,
  durationMs: number,
  nowMs: number,
  random01 = 0.5,
): Transition | null {
  if (Math.floor(permit / permitsPerGeneration) !== breaker.generation) {
    if (outcome !== 'ignored') breaker.lateResults += 1;
    return null;
  }
  if (breaker.state.kind === 'halfOpen') return recordProbe(breaker, permit, outcome, nowMs, random01);
  if (outcome === 'ignored' || breaker.state.kind === 'disabled') return null;
  const { slowCallMs } = breaker.settings;
  const isFailure = outcome === 'failure';
  const isSlow = slowCallMs !== null && durationMs > slowCallMs;
  observe(breaker, isFailure, isSlow, nowMs);
  if (!isFailure && !isSlow) return null;
  const cause = tripCause(breaker, nowMs);
  if (cause === null) return null;
  if (breaker.state.kind === 'metricsOnly') {
    breaker.wouldOpen += 1;
    breaker.consecutiveFailures = 0;
    clear(breaker.window);
    return null;
  }
  return move(breaker, opening(breaker, cause, nowMs, random01));
}

function recordProbe(
  breaker: Breaker,
  permit: Permit,
  outcome: CallOutcome,
  nowMs: number,
  random01: number,
): Transition | null {
  if (!returnPermit(breaker, permit)) {
    if (outcome !== 'ignored') breaker.lateResults += 1;
    return null;
  }
  if (outcome === 'ignored') return null;
  if (outcome === 'failure') return move(breaker, opening(breaker, 'probeFailed', nowMs, random01));
  return countProbeSuccess(breaker) ? move(breaker, { to: 'closed', atMs: nowMs, cause: 'probesSucceeded' }) : null;
}

/** Gives a half-open permit back; false where it was not out. */
export function returnPermit(breaker: Breaker, permit: Permit): boolean {
  const { state } = breaker;
  if (state.kind !== 'halfOpen') return false;
  const at = state.permits.findIndex((out) => out.permit === permit);
  if (at >= 0) state.permits.splice(at, 1);
  return at >= 0;
}

/** Counts one successful probe; true when there are enough to close. */
export function countProbeSuccess(breaker: Breaker): boolean {
  const { state } = breaker;
  if (state.kind !== 'halfOpen') return false;
  state.successes += 1;
  return state.successes >= breaker.settings.probeSuccesses;
}

/** Acts on what time alone changes: an open period that ended, a probe that never answered. */
export function tick(breaker: Breaker, nowMs: number, random01 = 0.5): Transition | null {
  const { state } = breaker;
  if (state.kind === 'open' || state.kind === 'forcedOpen') {
    if (state.untilMs === null || nowMs < state.untilMs) return null;
    return move(breaker, { to: 'halfOpen', atMs: nowMs, cause: 'openPeriodEnded' });
  }
  if (state.kind !== 'halfOpen' || !state.permits.some(({ expiresAtMs }) => expiresAtMs <= nowMs)) return null;
  return move(breaker, opening(breaker, 'probeExpired', nowMs, random01));
}

/** When `tick` would do something, or null. */
export function dueAtMs({ state }: Breaker): number | null {
  if (state.kind === 'open' || state.kind === 'forcedOpen') return state.untilMs;
  if (state.kind !== 'halfOpen') return null;
  let earliest: number | null = null;
  for (const { expiresAtMs } of state.permits) if (earliest === null || expiresAtMs < earliest) earliest = expiresAtMs;
  return earliest;
}

/** Counts a call in the window, deciding nothing. */
export function observe(breaker: Breaker, isFailure: boolean, isSlow: boolean, nowMs: number): void {
  const { window } = breaker;
  add(window, isFailure, isSlow, nowMs);
  if (isFailure) {
    // Alone in the window: those before it are too old to stand in a row with it.
    breaker.consecutiveFailures = window.calls === 1 ? 1 : breaker.consecutiveFailures + 1;
    breaker.lastFailureAtMs = nowMs;
  } else breaker.consecutiveFailures = 0;
}

/** Why the breaker should open now by what it has seen, or null. */
export function tripCause(breaker: Breaker, nowMs: number): TripCause | null {
  const { settings, window } = breaker;
  advance(window, nowMs);
  const { calls } = window;
  if (calls === 0) return null;
  if (settings.consecutiveFailures !== null && breaker.consecutiveFailures >= settings.consecutiveFailures)
    return 'consecutiveFailures';
  if (calls < settings.volumeMin) return null;
  if (settings.failureRate !== null && window.failures >= settings.failureRate * calls) return 'failureRate';
  return settings.slowRate !== null && window.slow >= settings.slowRate * calls ? 'slowRate' : null;
}

/** The share of calls in the window that were well; null where nothing was measured. */
export function healthOf(breaker: Breaker, nowMs: number): number | null {
  const { window, state } = breaker;
  if (state.kind === 'disabled') return null;
  advance(window, nowMs);
  return window.calls === 0 ? null : 1 - window.failures / window.calls;
}
