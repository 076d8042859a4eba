// What an agent says of a finished attempt, held against what was recorded. A pass means that something ran and none of it
// failed, and that every case it reported is in the journal.
import type { AttemptOutcome } from '@assay/protocol';
import { limit } from '../limits.ts';
import type { Ending } from '../settle.ts';

export function judge(outcome: AttemptOutcome, recorded: number): Ending {
  const { verdict, failure, counts, casesReported, costMs, startupMs, blobs } = outcome;
  const ending: Ending = {
    verdict,
    counts,
    costMs,
    ...(failure === undefined ? {} : { failure }),
    ...(startupMs === undefined ? {} : { startupMs }),
    ...(blobs === undefined || blobs.length === 0 ? {} : { blobs }),
  };
  if (casesReported > limit('casesPerAttempt')) {
    const message = `${casesReported} cases were reported, at most ${limit('casesPerAttempt')} are kept`;
    return { ...ending, verdict: 'errored', failure: { class: 'configuration', code: 'TOO_MANY_CASES', message } };
  }
  // What was canceled or killed may have died in the middle of its report.
  if (casesReported !== recorded && verdict !== 'canceled') {
    const message = `the worker reported ${casesReported} cases, ${recorded} arrived`;
    return { ...ending, verdict: 'errored', failure: { class: 'infrastructure', code: 'REPORT_CORRUPT', message } };
  }
  if (verdict !== 'passed') return ending;
  if (counts.failed > 0) {
    const message = `${counts.failed} ${counts.failed === 1 ? 'case' : 'cases'} failed`;
    return { ...ending, verdict: 'failed', failure: { class: 'test', code: 'TESTS_FAILED', message } };
  }
  if (counts.passed > 0) return ending;
  if (counts.skipped + counts.todo > 0) return { ...ending, verdict: 'skipped' };
  return {
    ...ending,
    verdict: 'inconclusive',
    failure: { class: 'test', code: 'NO_TESTS_RAN', message: 'no test ran' },
  };
}
