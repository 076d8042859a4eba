// The report as one JSON document: what `--json` prints. Its shape is stable: fields are added, never renamed.
import { exitCodeOf } from '../exit-codes.ts';
import { caseName, type RunReport } from './model.ts';

export function toJson(report: RunReport): string {
  const { run, tasks, cases, durationMs } = report;
  const document = {
    run: run.run,
    name: run.name,
    verdict: run.verdict ?? null,
    exitCode: exitCodeOf(run.verdict),
    durationMs,
    tasks: run.tasks,
    cases,
    workers: [...report.workers].map(([worker, name]) => ({ worker, name })),
    files: tasks.map(({ task, verdict, final, hallmark, cases: taskCases }) => ({
      task: task.task,
      suite: task.suite,
      target: task.target,
      verdict,
      attempts: task.attempts.length,
      startedAtMs: final?.startedAtMs ?? null,
      worker: final?.workerName ?? null,
      costMs: final?.costMs ?? null,
      failure: final?.failure ?? null,
      hallmark,
      variant: task.variant ?? null,
      diagnosis: task.diagnosis ?? null,
      cases: taskCases.map((testCase) => ({ name: caseName(testCase), ...testCase })),
    })),
    unplaceable: run.unplaceable,
  };
  return JSON.stringify(document, null, 2) + '\n';
}
