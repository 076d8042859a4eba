// Answers to questions that take statistics: the rows of the results store, handed to the pure analysis of the core. Runs in the
// results thread, so that nothing of it holds up the loop. What always holds: the same rows give the same answer (luck is
// seeded by what it is for), and rows that were cut are said.
import { AssayError, limit, type AnalysisScope } from '@assay/protocol';
import type { Analysis, AnalysisRows, RowsQuery } from '../ports/analysis.ts';
import { changeReportOf } from './change-report.ts';
import { culpritReportOf } from './culprit-report.ts';
import { failureReportOf } from './failure-report.ts';
import { flakeReportOf } from './flake-report.ts';

export function analysisOver(rows: AnalysisRows, rowsMax: number = limit('analysisRows')): Analysis {
  const queryOf = ({ project, runs }: AnalysisScope): RowsQuery => ({
    project: project ?? null,
    runs,
    // One more tells that there were more.
    limit: rowsMax + 1,
  });
  const cut = <Row>(found: readonly Row[]): { rows: readonly Row[]; isCut: boolean } => ({
    rows: found.slice(0, rowsMax),
    isCut: found.length > rowsMax,
  });
  return {
    async flakes(scope) {
      const { rows: executions, isCut } = cut(await rows.executions(queryOf(scope)));
      return flakeReportOf(executions, await rows.profiles(), isCut);
    },
    async failures({ run, ...scope }) {
      const { rows: failures, isCut } = cut(await rows.failures(queryOf(scope)));
      return failureReportOf(failures, run ?? null, await rows.profiles(), isCut);
    },
    async changes(scope) {
      const { rows: samples, isCut } = cut(await rows.samples(queryOf(scope)));
      return changeReportOf(samples, isCut);
    },
    async culprit(request) {
      const { rows: executions } = cut(await rows.executions(queryOf(request)));
      return culpritReportOf(executions, request);
    },
  };
}

/** Where there is no results database, nothing can be said of the past. */
const refuse = (): Promise<never> =>
  Promise.reject(new AssayError('RESULTS_UNAVAILABLE', 'this coordinator has no results database to analyse'));
export const noAnalysis: Analysis = { flakes: refuse, failures: refuse, changes: refuse, culprit: refuse };
