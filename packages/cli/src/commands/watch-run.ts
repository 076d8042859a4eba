// Follows one run to its end on the terminal and returns the report: shared by `assay run` and `assay watch`.
import type { Client } from '@assay/client';
import type { RunReport } from '../report/model.ts';
import { readReport } from '../report/read.ts';
import { emptyProgress, follow, notice, progressView } from '../render/progress.ts';
import { paintFor } from '../render/style.ts';

export type WatchOptions = {
  /** Shows nothing while the run goes on. */
  isQuiet: boolean;
  signal: AbortSignal;
};

/** Resolves when the run has settled and its rows are stored. */
export async function watchRun(client: Client, runId: string, options: WatchOptions): Promise<RunReport> {
  const paint = paintFor(process.stderr);
  const progress = emptyProgress();
  const targets = new Map<string, string>();
  const view = options.isQuiet ? null : progressView(process.stderr, paint, Date.now);
  for (const worker of (await client.listWorkers()).workers) progress.workerNames.set(worker.worker, worker.name);
  let settledSeq: number | null = null;
  try {
    for await (const delivery of client.followFeed({ run: runId, after: 0, signal: options.signal })) {
      if (delivery.kind === 'gap') {
        const run = await client.readRun(runId);
        if (run.state === 'settled') {
          settledSeq = (await client.health()).journalSeq;
          break;
        }
        continue;
      }
      const { item, seq } = delivery.event;
      if (item.kind === 'attemptStarted') targets.set(item.task, item.target);
      follow(progress, item);
      const text = view === null ? null : notice(item, (task) => targets.get(task) || 'command', paint);
      if (text !== null) view?.print(text);
      view?.update(progress);
      if (item.kind === 'runSettled' && item.run === runId) {
        settledSeq = seq;
        break;
      }
    }
  } finally {
    view?.end();
  }
  // The feed ends without an error when it is stopped: whoever stopped it does not want the report.
  options.signal.throwIfAborted();
  return readReport(client, runId, settledSeq);
}
