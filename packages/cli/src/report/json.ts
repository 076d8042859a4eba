// The report as one JSON document: what `--json` prints. Its shape is stable: fields are added, never renamed.
import { exitCodeOf } from '../exit-codes.ts';
import { caseName, type ReportTask, type RunReport } from './model.ts';
import { historyCounts, historyOf } from './standing.ts';

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
    // How many failures that count are new and known; null where the history could not be read.
    failures: historyCounts(report),
    workers: [...report.workers].map(([worker, name]) => ({ worker, name })),
    files: tasks.map((entry) => fileOf(report, entry)),
    unplaceable: run.unplaceable,
  };
  return JSON.stringify(document, null, 2) + '\n';
}

function fileOf(report: RunReport, entry: ReportTask) {
  const { task, verdict, final, hallmark, cases } = entry;
  return {
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
    quarantined: task.quarantined ?? [],
    cases: cases.map((one) => ({
      name: caseName(one),
      ...one,
      ...(one.status === 'failed' ? { history: historyOf(report, entry, one) } : {}),
    })),
  };
}
