// An attempt as a row of a snapshot, and back. Placements are shared by the attempts of a batch: a row holds the number of its own.
import type { CaseCounts } from '@assay/protocol';
import { present } from '../kernel/assert.ts';
import type { AttemptState } from '../lifecycle/attempt.ts';
import type { Placement } from './events.ts';
import type { Tally } from './ops/mute-failures.ts';
import type { AttemptRecord } from './state.ts';

export type AttemptRow = [
  number,
  AttemptRecord['worker'],
  AttemptRecord['assignment'],
  number,
  number,
  number | null,
  number,
  number,
  CaseCounts,
  AttemptState,
  /** Of tests in quarantine; absent where there are none. */
  Tally[]?,
];
export function attemptRow(attempt: AttemptRecord, placements: Map<Placement, number>): AttemptRow {
  const { placement } = attempt;
  let number: number | null = null;
  if (placement !== null) {
    number = placements.get(placement) ?? placements.size;
    placements.set(placement, number);
  }
  const { attempt: fence, worker, assignment, assignedAtMs, expectedMs, batch, recorded, counts, state } = attempt;
  const row: AttemptRow = [fence, worker, assignment, assignedAtMs, expectedMs, number, batch, recorded, counts, state];
  if (attempt.quarantined !== undefined) row.push(attempt.quarantined);
  return row;
}

export function restoreAttempt(row: AttemptRow, placements: readonly Placement[]): AttemptRecord {
  const [
    attempt,
    worker,
    assignment,
    assignedAtMs,
    expectedMs,
    placement,
    batch,
    recorded,
    counts,
    state,
    quarantined,
  ] = row;
  return {
    attempt,
    worker,
    assignment,
    assignedAtMs,
    expectedMs,
    placement: placement === null ? null : present(placements[placement], 'placement'),
    batch,
    recorded,
    counts,
    ...(quarantined === undefined ? {} : { quarantined }),
    state,
  };
}
