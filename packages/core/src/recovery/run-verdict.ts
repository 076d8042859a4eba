// The verdict of a run from those of its tasks. Passed only if something ran and all of it passed.
import type { Verdict } from '@assay/protocol';
import type { RunState, RunVerdict } from '../lifecycle/run.ts';

export function verdictOfRun(state: RunState, verdicts: Readonly<Partial<Record<Verdict, number>>>): RunVerdict {
  const count = (verdict: Verdict): number => verdicts[verdict] ?? 0;
  if (state.kind === 'canceling' && state.cause === 'request' && count('canceled') > 0) return 'canceled';
  if (count('failed') + count('errored') + count('timedOut') + count('lost') > 0) return 'failed';
  // Stopped by an inconclusive task (fail-fast): what it stopped is not the user's cancellation.
  if (count('inconclusive') > 0) return 'inconclusive';
  if (count('canceled') > 0) return 'canceled';
  return count('passed') > 0 ? 'passed' : 'inconclusive';
}
