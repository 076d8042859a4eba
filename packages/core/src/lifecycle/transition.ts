// Transition tables: which state follows which on what event. They are data, so that the state diagrams of the docs are
// generated from them and a test can walk them; what is not in a table is a bug and throws.
import { AssertionError } from '../kernel/assert.ts';

/** For each state, the state that follows on each event. `end` leaves the engine. */
export type TransitionTable<Kind extends string> = {
  readonly [From in Kind]: { readonly [event: string]: Kind | 'end' };
};

/** The state after `event` in state `from`; throws where the table has none. */
export function after<Kind extends string>(
  table: TransitionTable<Kind>,
  name: string,
  from: Kind,
  event: string,
): Kind | 'end' {
  const next = table[from][event];
  if (next === undefined) throw new AssertionError(`${name}: ${event} is not possible in state ${from}`);
  return next;
}

/** Throws unless `event` leads from `from` to `to`. */
export function mustLead<Kind extends string>(
  table: TransitionTable<Kind>,
  name: string,
  from: Kind,
  event: string,
  to: Kind | 'end',
): void {
  const next = after(table, name, from, event);
  if (next !== to) throw new AssertionError(`${name}: ${event} in state ${from} leads to ${next}, not to ${to}`);
}
