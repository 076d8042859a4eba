// What people order of a breaker, with who and why in the record of its transition.
import { move } from './breaker-state.ts';
import type { Breaker, Transition } from './breaker-state.ts';

/** What a person may put a breaker in, and for how long. */
export type Order =
  | { readonly kind: 'forceOpen'; readonly untilMs: number | null }
  | { readonly kind: 'disable' }
  | { readonly kind: 'watch' }
  /** Ends what a person ordered: an open one is probed, others are closed. */
  | { readonly kind: 'release' }
  /** Closed, with everything forgotten. */
  | { readonly kind: 'reset' };

/** Does as a person says; the record has who and why. Null where nothing is to be released. */
export function order(
  breaker: Breaker,
  what: Order,
  by: { actor: string; reason: string },
  nowMs: number,
): Transition | null {
  const transition = orderedTransition(breaker, what, by, nowMs);
  return transition === null ? null : move(breaker, transition);
}

/** The transition that an order asks for, not yet applied. */
export function orderedTransition(
  breaker: Breaker | null,
  what: Order,
  { actor, reason }: { actor: string; reason: string },
  nowMs: number,
): Transition | null {
  const said = { atMs: nowMs, actor, reason };
  switch (what.kind) {
    case 'forceOpen':
      return { ...said, to: 'forcedOpen', cause: 'forced', untilMs: what.untilMs };
    case 'disable':
      return { ...said, to: 'disabled', cause: 'disabled' };
    case 'watch':
      return { ...said, to: 'metricsOnly', cause: 'watched' };
    case 'reset':
      return { ...said, to: 'closed', cause: 'reset' };
    case 'release': {
      const kind = breaker?.state.kind ?? 'closed';
      if (kind === 'forcedOpen') return { ...said, to: 'halfOpen', cause: 'released' };
      if (kind === 'open') return { ...said, to: 'halfOpen', cause: 'released' };
      return kind === 'disabled' || kind === 'metricsOnly' ? { ...said, to: 'closed', cause: 'reset' } : null;
    }
  }
}
