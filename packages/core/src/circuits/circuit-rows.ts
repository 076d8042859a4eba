// Circuits in a snapshot and back, without loss; what finds them is built again.
import type { State } from '../engine/state.ts';
import { indexCircuit, createCircuit } from './registry.ts';
import type { Circuit, MemberRecord, Streak } from './registry.ts';
import type { WorkerId } from '@assay/protocol';

export type CircuitRow = Pick<Circuit, 'scope' | 'breaker' | 'evidence' | 'probes' | 'lastAtMs' | 'isWatched'> & {
  members: [string, MemberRecord][];
};
export type CircuitRows = { circuits: CircuitRow[]; fleet: State['fleet']; streaks: [WorkerId, Streak][] };

export function circuitRows(state: State): CircuitRows {
  const circuits = [...state.circuits.values()].map(
    ({ scope, breaker, evidence, probes, lastAtMs, isWatched, members }) => ({
      scope,
      breaker,
      evidence,
      probes,
      lastAtMs,
      isWatched,
      members: [...members],
    }),
  );
  return { circuits, fleet: state.fleet, streaks: [...state.streaks] };
}

/** Before the workers are counted: what stops them is known then. */
export function restoreCircuits(state: State, { circuits, fleet, streaks }: CircuitRows): void {
  state.fleet.attempts = fleet.attempts;
  state.fleet.failures = fleet.failures;
  for (const [worker, streak] of streaks) state.streaks.set(worker, streak);
  for (const { members, breaker, scope, ...row } of circuits) {
    const circuit: Circuit = {
      ...createCircuit(scope, breaker.settings, 0),
      ...row,
      breaker,
      members: new Map(members),
    };
    state.circuits.set(circuit.circuit, circuit);
    indexCircuit(state.index.circuits, circuit);
  }
}
