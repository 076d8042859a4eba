// The results store has everything up to a journal sequence: runs that settled by then leave the engine.
import type { Reply } from '../events.ts';
import type { ResultsAcknowledged } from '../inputs.ts';
import { accepted } from '../step.ts';
import type { Step } from '../step.ts';

export function acknowledgeResults(step: Step, input: ResultsAcknowledged): Reply {
  const leaving = [...step.state.runs.values()].filter(
    ({ state }) => state.kind === 'settled' && state.settledSeq <= input.seq,
  );
  for (const { run } of leaving) step.emit({ kind: 'runRetired', run });
  return accepted;
}
