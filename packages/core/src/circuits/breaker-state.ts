// The state of one breaker as plain JSON, which state may follow which, and the one way to change it: `move` applies a
// transition that was decided elsewhere (breaker.ts, orders.ts, the registry of the engine) and decides nothing itself.
import { AssertionError } from '../kernel/assert.ts';
import { after } from '../lifecycle/transition.ts';
import type { TransitionTable } from '../lifecycle/transition.ts';
import { settingsProblem } from './settings.ts';
import type { BreakerSettings } from './settings.ts';
import { clear, createWindow } from './window.ts';
import type { Window } from './window.ts';

/** Names the admission of one call. Later than its generation it is worth nothing. */
export type Permit = number;

export type BreakerState =
  | { readonly kind: 'closed'; readonly sinceMs: number }
  | { readonly kind: 'open'; readonly sinceMs: number; readonly untilMs: number }
  | {
      readonly kind: 'halfOpen';
      readonly sinceMs: number;
      /** Probes under way. */
      readonly permits: { readonly permit: Permit; readonly expiresAtMs: number }[];
      /** Number of the next permit in this generation. */
      next: number;
      successes: number;
    }
  /** By hand. Without `untilMs` only another hand ends it. */
  | { readonly kind: 'forcedOpen'; readonly sinceMs: number; readonly untilMs: number | null }
  /** Admits everything and counts nothing. */
  | { readonly kind: 'disabled'; readonly sinceMs: number }
  /** Admits everything and counts, so that one can see what it would have done. */
  | { readonly kind: 'metricsOnly'; readonly sinceMs: number };

export type BreakerStateName = BreakerState['kind'];

/** Why a breaker opens by itself. */
export type TripCause = 'failureRate' | 'slowRate' | 'consecutiveFailures';

/** Everything that a transition is: enough to apply it again without deciding. */
export type Transition = {
  readonly to: BreakerStateName;
  readonly atMs: number;
  readonly cause: string;
  /** Who did it by hand. */
  readonly actor?: string;
  readonly reason?: string;
  readonly untilMs?: number | null;
};

export type TransitionRecord = Transition & {
  readonly from: BreakerStateName;
  readonly generation: number;
  /** Of a circuit of the engine: the journal's sequence number of the transition, and of the failures it was judged by. */
  readonly seq?: number;
  readonly evidence?: readonly number[];
};

export type Breaker = {
  readonly settings: BreakerSettings;
  readonly window: Window;
  state: BreakerState;
  /** Counts the transitions. */
  generation: number;
  consecutiveFailures: number;
  /** How many open periods in a row made the next one longer; falls while it is closed. */
  level: number;
  levelAtMs: number;
  /** Results that came after their generation. */
  lateResults: number;
  /** Times that `metricsOnly` would have opened it. */
  wouldOpen: number;
  lastFailureAtMs: number | null;
  /** The latest transitions, oldest first. */
  readonly history: TransitionRecord[];
};

const byHand = { forced: 'forcedOpen', disabled: 'disabled', watched: 'metricsOnly', reset: 'closed' } as const;

/** Which state follows on what. Every state can be left, by hand at least. */
export const breakerTransitions = {
  closed: { ...byHand, tripped: 'open', probing: 'halfOpen' },
  open: { ...byHand, due: 'halfOpen' },
  halfOpen: { ...byHand, proven: 'closed', failed: 'open' },
  forcedOpen: { ...byHand, due: 'halfOpen', released: 'halfOpen' },
  disabled: byHand,
  metricsOnly: byHand,
} as const satisfies TransitionTable<BreakerStateName>;

export function createBreaker(settings: BreakerSettings, nowMs = 0): Breaker {
  const problem = settingsProblem(settings);
  if (problem !== null) throw new AssertionError(problem);
  return {
    settings,
    window: createWindow(settings.window),
    state: { kind: 'closed', sinceMs: nowMs },
    generation: 1,
    consecutiveFailures: 0,
    level: 0,
    levelAtMs: nowMs,
    lateResults: 0,
    wouldOpen: 0,
    lastFailureAtMs: null,
    history: [],
  };
}

/** The transition to open, with the period that follows from how often it opened lately. */
export function opening(breaker: Breaker, cause: string, nowMs: number, random01: number): Transition {
  const { openMs, openFactor, openMaxMs, openJitter } = breaker.settings;
  const lengthMs = Math.min(openMaxMs, openMs * openFactor ** levelAt(breaker, nowMs));
  const periodMs = Math.max(1, Math.round(lengthMs * (1 - openJitter + 2 * openJitter * random01)));
  return { to: 'open', atMs: nowMs, cause, untilMs: nowMs + periodMs };
}

/** How many steps longer than the base the next open period is. */
export function levelAt({ level, levelAtMs, settings, state }: Breaker, nowMs: number): number {
  if (state.kind !== 'closed') return level;
  return Math.max(0, level - Math.floor(Math.max(0, nowMs - levelAtMs) / settings.openDecayMs));
}

/** Applies a transition: the only way in which `state` changes. Throws where the table has none. */
export function move(
  breaker: Breaker,
  transition: Transition,
  journal: Pick<TransitionRecord, 'seq' | 'evidence'> = {},
): Transition {
  const { to, atMs } = transition;
  const from = breaker.state.kind;
  after(breakerTransitions, 'circuit', from, triggerOf(from, transition));
  const record: TransitionRecord = { ...transition, from, generation: breaker.generation + 1, ...journal };
  if (to === 'open') breaker.level = Math.min(60, levelAt(breaker, atMs) + 1);
  else if (from === 'closed') breaker.level = levelAt(breaker, atMs);
  breaker.levelAtMs = atMs;
  breaker.state = stateAfter(transition);
  breaker.generation += 1;
  if (to === 'closed' && transition.cause === 'reset') breaker.level = 0;
  if (to === 'closed' || to === 'metricsOnly' || to === 'disabled') {
    clear(breaker.window);
    breaker.consecutiveFailures = 0;
  }
  breaker.history.push(record);
  if (breaker.history.length > breaker.settings.historyMax) breaker.history.shift();
  return transition;
}

function stateAfter({ to, atMs, untilMs }: Transition): BreakerState {
  switch (to) {
    case 'open':
      return { kind: to, sinceMs: atMs, untilMs: untilMs ?? atMs };
    case 'halfOpen':
      return { kind: to, sinceMs: atMs, permits: [], next: 0, successes: 0 };
    case 'forcedOpen':
      return { kind: to, sinceMs: atMs, untilMs: untilMs ?? null };
    default:
      return { kind: to, sinceMs: atMs };
  }
}

function triggerOf(from: BreakerStateName, { to, cause }: Transition): string {
  switch (to) {
    case 'open':
      return from === 'halfOpen' ? 'failed' : 'tripped';
    case 'halfOpen':
      if (from === 'closed') return 'probing';
      return from === 'forcedOpen' && cause === 'released' ? 'released' : 'due';
    case 'closed':
      return cause === 'reset' ? 'reset' : 'proven';
    case 'forcedOpen':
      return 'forced';
    case 'disabled':
      return 'disabled';
    case 'metricsOnly':
      return 'watched';
  }
}
