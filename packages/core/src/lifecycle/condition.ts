// Whether a worker, or one of its devices, may be given work. Orthogonal to the connection (worker.ts): a connected worker may
// be quarantined, and a quarantined one may be away.
//
//   ready        nothing speaks against it
//   suspect      something does, and is being looked into: it takes no new work until it is certified, which is soon
//   quarantined  it failed its certification, or a person set it aside. What Assay quarantined is repaired step by step and
//                comes back by itself when it is certified; what a person quarantined comes back when a person says so
//   maintenance  a person works on it
// `lost`, the fifth that people see, is not kept here: a worker that is lost has lost its devices with it.
import type { Rung } from '@assay/protocol';
import type { TransitionTable } from './transition.ts';

/** What became of a step of recovery. `unanswered`: the worker did not say in time. */
export type RungOutcome = 'done' | 'failed' | 'notApplicable' | 'unanswered';
export type TriedRung = { readonly rung: Rung; readonly outcome: RungOutcome; readonly durationMs: number };

/** What is under way for a scope that is not ready. */
export type Checkup =
  | { readonly kind: 'none' }
  | { readonly kind: 'certifying'; readonly request: number; readonly deadlineMs: number }
  | {
      readonly kind: 'recovering';
      readonly request: number;
      readonly rung: Rung;
      readonly deadlineMs: number;
      /** It was asked about attempts past their time-out, and may say that there are none. */
      readonly onlyPastTimeout?: true;
    }
  /** Every step was tried; a check that passes by itself still brings it back. */
  | { readonly kind: 'operatorNeeded' };

export type Condition =
  | { readonly kind: 'ready'; readonly sinceMs: number }
  | {
      readonly kind: 'suspect' | 'quarantined';
      readonly sinceMs: number;
      readonly reason: string;
      /** `assay`, or the person who did it. */
      readonly actor: string;
      readonly checkup: Checkup;
      readonly tried: readonly TriedRung[];
      /** The last step that was carried out and not judged by a certification yet. */
      readonly unjudged: TriedRung | null;
    }
  | { readonly kind: 'maintenance'; readonly sinceMs: number; readonly reason: string; readonly actor: string };

export const conditionTransitions = {
  ready: { suspected: 'suspect', quarantined: 'quarantined', maintained: 'maintenance' },
  suspect: { cleared: 'ready', quarantined: 'quarantined', maintained: 'maintenance' },
  quarantined: { cleared: 'ready', quarantined: 'quarantined', maintained: 'maintenance' },
  maintenance: { cleared: 'ready', quarantined: 'quarantined' },
} as const satisfies TransitionTable<Condition['kind']>;

/** Whether it comes back by being certified; what a person set aside waits for a person. */
export function returnsByItself(condition: Condition): boolean {
  return condition.kind === 'suspect' || (condition.kind === 'quarantined' && condition.actor === 'assay');
}
