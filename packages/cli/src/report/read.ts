// Reads everything a report needs through the client. Waits until the results store has what the run settled with:
// the store follows the journal, usually by a few milliseconds.
import type { Client } from '@assay/client';
import type { Case, RunView, TaskView } from '@assay/protocol';
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
  return assembleReport(run, tasks, cases);
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
