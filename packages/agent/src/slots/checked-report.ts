// The last look at a report before it gets its number. One that broke the contract would be refused by the coordinator, sent
// again after the reconnect, and refused again for ever: so it is replaced here by what can be said in its place.
import { AssayError, Report } from '@assay/protocol';
import type { ReportBody } from '../spool/spool.ts';
import { ownOutcome } from './outcomes.ts';

/**
 * The report, or for an outcome that breaks the contract an errored one. Cases that break it throw REPORT_CORRUPT, by
 * which their attempt is ended; anything else is our own bug and throws as such.
 */
export function checkedReport(body: ReportBody): ReportBody {
  const parsed = Report.safeParse({ ...body, seq: 0 });
  if (parsed.success) return body;
  const issue = parsed.error.issues[0];
  const message = `a report of this attempt breaks the contract at ${issue?.path.join('.') ?? '?'}: ${issue?.message ?? '?'}`;
  if (body.kind === 'cases') throw new AssayError('REPORT_CORRUPT', message);
  if (body.kind !== 'finished') throw new Error(`${body.kind}: ${message}`);
  const { startedAtMs, endedAtMs, casesReported } = body.outcome;
  const outcome = ownOutcome({
    verdict: 'errored',
    class: 'infrastructure',
    code: 'INTERNAL',
    message,
    casesReported: Number.isInteger(casesReported) && casesReported >= 0 ? casesReported : 0,
    startedAtMs: timeOf(startedAtMs),
    endedAtMs: timeOf(endedAtMs),
  });
  return { kind: 'finished', task: body.task, attempt: body.attempt, outcome };
}

function timeOf(ms: number): number {
  return Number.isFinite(ms) && ms >= 0 ? ms : 0;
}
