// How much work an input is, in units of about one report: by it a turn is kept short and what waits is bounded. One frame of
// a worker may carry two thousand reports, so counting inputs would bound nothing.
import type { Input } from '@assay/core';

/** Tasks to be queued cost about an eighth of a report each; so does a recorded case. */
const perUnit = 8;

export function workOf(input: Input): number {
  if (input.kind === 'workerReported') {
    let units = 1;
    for (const report of input.reports) units += report.kind === 'cases' ? 1 + report.cases.length / perUnit : 1;
    return units;
  }
  if (input.kind === 'submitRun' || input.kind === 'addTasks') return 1 + input.tasks.length / perUnit;
  return 1;
}
