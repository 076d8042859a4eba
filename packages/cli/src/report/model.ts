// A run as its reports tell it: read from the API once, written in several forms (terminal, JSON, JUnit, CTRF, Markdown).
// What always holds: every settled task is there exactly once with its last attempt's cases; a task without cases keeps its own
// failure, so that a file that did not load is as visible as a failing test; nothing that was not measured gets a value.
import { softwareAdapter } from '@assay/protocol';
import type { AttemptView, Case, CaseCounts, KnownFailure, RunView, TaskView, Verdict } from '@assay/protocol';

/** One task with the cases of the attempt that settled it. */
export type ReportTask = {
  task: TaskView;
  /** How the task's place is shown: its target, with its suite where the run has several; the suite where it is one command. */
  label: string;
  verdict: Verdict | null;
  /** The attempt that settled the task, where there was one. */
  final: AttemptView | null;
  /** What the evidence of that attempt says it ran on; null where it has none. */
  hallmark: string | null;
  cases: Case[];
};

export type RunReport = {
  run: RunView;
  tasks: ReportTask[];
  cases: CaseCounts;
  /** From submission to the last verdict. */
  durationMs: number | null;
  /** Workers that settled at least one task, by id, with their names. */
  workers: Map<string, string>;
  /** Whether its failures are new or known; null where that could not be read. */
  history: KnownFailure[] | null;
};

export const noCases: CaseCounts = { passed: 0, failed: 0, skipped: 0, todo: 0 };

/** Puts a report together from what the API gave. `cases` may come in any order of tasks. */
export function assembleReport(
  run: RunView,
  tasks: TaskView[],
  casesByTask: Map<string, Case[]>,
  history: KnownFailure[] | null = null,
): RunReport {
  const workers = new Map<string, string>();
  const counts = { ...noCases };
  const hasManySuites = new Set(tasks.map(({ suite }) => suite)).size > 1;
  const reportTasks = tasks.map((task): ReportTask => {
    const final = task.verdict === undefined ? null : (task.attempts.at(-1) ?? null);
    if (final?.worker) workers.set(final.worker, final.workerName ?? final.worker);
    const cases = casesByTask.get(task.task) ?? [];
    for (const { status } of cases) counts[status]++;
    const place = task.target === '' ? task.suite : hasManySuites ? `${task.suite}: ${task.target}` : task.target;
    // Another configuration than the one that was asked for never goes under the same name.
    const label = task.variant === undefined ? place : `${place} [${task.variant}]`;
    const hallmark = final?.blobs.find(({ says }) => says !== undefined)?.says ?? null;
    // What a CPU imitated is never told as if a GPU had done it.
    const shown = hallmark?.includes(softwareAdapter) === true ? `${label} [${softwareAdapter}]` : label;
    return { task, label: shown, verdict: task.verdict ?? null, final, hallmark, cases };
  });
  const durationMs = run.settledAtMs === undefined ? null : run.settledAtMs - run.submittedAtMs;
  return { run, tasks: reportTasks, cases: counts, durationMs, workers, history };
}

/** A task that did not pass and whose cases do not say why. */
export function hasOwnFailure({ verdict, cases }: ReportTask): boolean {
  return (
    verdict !== null &&
    verdict !== 'passed' &&
    verdict !== 'skipped' &&
    !cases.some(({ status }) => status === 'failed')
  );
}

/** A case's full name: its titles, outermost first. */
export function caseName(testCase: Case): string {
  return testCase.path.join(' > ');
}
