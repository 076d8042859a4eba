// The Common Test Report Format, checked against its own published schema by the reference library before it is written.
import { ReportBuilder, type Test, validateStrict } from 'ctrf';
import { productVersion, type Case } from '@assay/protocol';
import { caseName, hasOwnFailure, type ReportTask, type RunReport } from './model.ts';
import { historyOf, mutedBy } from './standing.ts';

const statuses = { passed: 'passed', failed: 'failed', skipped: 'skipped', todo: 'pending' } as const;

/** The report as CTRF JSON text. Throws where the result would not be valid CTRF. */
export function toCtrf(report: RunReport): string {
  const { submittedAtMs, settledAtMs } = report.run;
  const built = new ReportBuilder()
    .runId(report.run.run)
    .generatedBy('assay')
    .tool({ name: 'assay', version: productVersion })
    .addTests(report.tasks.flatMap((entry) => testsOf(report, entry)))
    .build();
  built.results.summary.start = Math.round(submittedAtMs);
  built.results.summary.stop = Math.round(settledAtMs ?? submittedAtMs);
  validateStrict(built);
  return JSON.stringify(built, null, 2) + '\n';
}

/** A failure that is in quarantine does not count; of one that does it is said whether it is new. */
function standingOf(report: RunReport, entry: ReportTask, one: Case): Pick<Test, 'status' | 'rawStatus' | 'tags'> {
  const note = mutedBy(entry, one);
  if (note !== null) return { status: 'other', rawStatus: 'failed', tags: ['quarantined'] };
  const known = one.status === 'failed' ? historyOf(report, entry, one) : null;
  return { status: statuses[one.status], ...(known === null ? {} : { tags: [`${known.seen} failure`] }) };
}

function testsOf(report: RunReport, entry: ReportTask): Test[] {
  const { task, label, cases, final, verdict } = entry;
  const filePath = task.target;
  const shared = {
    ...(filePath === '' ? {} : { filePath }),
    ...(final?.workerName ? { device: final.workerName } : {}),
    ...(task.attempts.length > 1 ? { retries: task.attempts.length - 1 } : {}),
    ...(task.diagnosis?.fault === 'flaky' ? { flaky: true } : {}),
    ...(task.diagnosis === undefined && task.variant === undefined
      ? {}
      : { extra: { assay: { ...task.diagnosis, ...(task.variant === undefined ? {} : { variant: task.variant }) } } }),
  };
  const tests = cases.map((testCase): Test => ({
    name: caseName(testCase),
    ...standingOf(report, entry, testCase),
    duration: Math.round(testCase.durationMs),
    suite: [task.suite, label],
    ...(testCase.failure
      ? { message: testCase.failure.message, ...(testCase.failure.stack ? { trace: testCase.failure.stack } : {}) }
      : {}),
    ...(testCase.line ? { line: testCase.line } : {}),
    ...shared,
  }));
  if (hasOwnFailure(entry)) {
    tests.push({
      name: label,
      status: verdict === 'failed' || verdict === 'errored' || verdict === 'timedOut' ? 'failed' : 'other',
      rawStatus: final?.failure?.code ?? verdict ?? 'unknown',
      duration: Math.round(final?.costMs ?? 0),
      suite: [task.suite, label],
      message: final?.failure?.message ?? `The task ended as ${verdict}.`,
      ...shared,
    });
  }
  return tests;
}
