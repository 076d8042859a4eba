// A run's cases as flat rows, one after the other as pages of them arrive: for exports of runs that are too large to hold. Every
// attempt's cases are there; `final` tells those that count.
import type { Client } from '@assay/client';
import type { CaseRow } from '@assay/protocol';

/** The columns of an exported case, in their order. A value that was not measured is null. */
export const caseColumns = [
  'run',
  'task',
  'suite',
  'target',
  'attempt',
  'final',
  'ordinal',
  'path',
  'status',
  'duration_ms',
  'worker',
  'line',
  'runner_retries',
  'message',
  'stack',
  'measurements',
] as const;
export type FlatCase = Record<(typeof caseColumns)[number], string | number | boolean | null>;

const pageSize = 1_000;

export async function* caseRows(client: Client, run: string): AsyncGenerator<FlatCase> {
  for (let after: string | undefined; ;) {
    const page = await client.listCases(run, { limit: pageSize, ...(after === undefined ? {} : { after }) });
    for (const row of page.cases) yield flatten(run, row);
    if (page.next === null) return;
    after = page.next;
  }
}

function flatten(run: string, { case: one, ...row }: CaseRow): FlatCase {
  return {
    run,
    task: row.task,
    suite: row.suite,
    target: row.target,
    attempt: row.attempt,
    final: row.isFinal,
    ordinal: row.ordinal,
    path: JSON.stringify(one.path),
    status: one.status,
    duration_ms: one.durationMs,
    worker: row.worker,
    line: one.line ?? null,
    runner_retries: one.runnerRetries ?? null,
    message: one.failure?.message ?? null,
    stack: one.failure?.stack ?? null,
    measurements: one.measurements === undefined ? null : JSON.stringify(one.measurements),
  };
}
