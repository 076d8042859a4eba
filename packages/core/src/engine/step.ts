// One step while it is being taken: what the verbs under ops/ see. An emitted event is applied at once, so that the next
// decision of the same step sees its effect.
import type { EngineConfig } from './config.ts';
import type { Event, Reply } from './events.ts';
import { evolve } from './evolve.ts';
import type { State } from './state.ts';

export type Step = {
  readonly state: State;
  readonly config: EngineConfig;
  readonly nowMs: number;
  readonly events: readonly Event[];
  readonly emit: (event: Event) => void;
  /** When work that was kept for a faster worker is to be looked at again; no part of the state. */
  reconsiderAtMs: number;
};

export function beginStep(state: State, config: EngineConfig, nowMs: number): Step {
  const events: Event[] = [];
  const emit = (event: Event): void => {
    // The entry's sequence is known from its first event on, as it is in replay.
    if (events.length === 0) state.seq += 1;
    events.push(event);
    evolve(state, event, nowMs);
  };
  return { state, config, nowMs, events, emit, reconsiderAtMs: Infinity };
}

export const accepted: Reply = { kind: 'accepted' };

export function refused(code: string, reason: string): Reply {
  return { kind: 'refused', code, reason };
}
