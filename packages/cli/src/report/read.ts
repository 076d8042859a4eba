// Reads everything a report needs through the client. Waits until the results store has what the run settled with:
// the store follows the journal, usually by a few milliseconds.
import type { Client } from '@assay/client';
import type { Case, KnownFailure, RunView, TaskView } from '@assay/protocol';
import { AssayError } from '@assay/protocol';
import { assembleReport, type RunReport } from './model.ts';

const pageSize = 1_000;
const waitMs = 60_000;

/** The report of a run, settled or not. `settledSeq` is the journal sequence of its end, where the caller saw it. */
export async function readReport(client: Client, runId: string, settledSeq: number | null): Promise<RunReport> {
  if (settledSeq !== null) await resultsReach(client, settledSeq);
  const run: RunView = await client.readRun(runId);
  const tasks: TaskView[] = [];
  for (let after: string | undefined; ;) {
    const page = await client.listTasks(runId, { limit: pageSize, ...(after === undefined ? {} : { after }) });
    tasks.push(...page.tasks);
    if (page.next === null) break;
    after = page.next;
  }
  const cases = new Map<string, Case[]>();
  for (let after: string | undefined; ;) {
    const page = await client.listCases(runId, { limit: pageSize, ...(after === undefined ? {} : { after }) });
    for (const row of page.cases) {
      if (!row.isFinal) continue;
      const known = cases.get(row.task);
      if (known) known.push(row.case);
      else cases.set(row.task, [row.case]);
    }
    if (page.next === null) break;
    after = page.next;
  }
  const hasFailures = [...cases.values()].some((list) => list.some(({ status }) => status === 'failed'));
  return assembleReport(run, tasks, cases, hasFailures ? await historyOfRun(client, run) : []);
}

/** So many of the project's newest runs are looked at for failures that were seen before. */
const historyRuns = 1_000;

async function historyOfRun(client: Client, { run, project }: RunView): Promise<KnownFailure[] | null> {
  try {
    const { ofRun } = await client.failures({ run, project, runs: historyRuns });
    // A run that fails has failures: none means that it lies before the runs that were looked at.
    return ofRun.length === 0 ? null : ofRun;
  } catch (error) {
    // A report is of the run; without a results database, or while it is busy, it goes out without its history.
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return null;
    throw error;
  }
}

async function resultsReach(client: Client, seq: number): Promise<void> {
  const until = Date.now() + waitMs;
  for (;;) {
    const health = await client.health();
    if (health.resultsSeq >= seq) return;
    if (Date.now() > until) {
      throw new AssayError(
        'RESULTS_UNAVAILABLE',
        health.resultsError ?? `The results store is at ${health.resultsSeq}, the run ended at ${seq}.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
