// Pages of runs, newest first, from two sources that overlap: live runs (in memory, always current) and the results store
// (everything journalled, a little behind). A run in both is shown once, by its live view. Runs that the store has not
// seen yet are newer than all that it has, so they come first, under a cursor of our own; then the store's pages follow.
import type { RunList, RunView } from '@assay/protocol';
import type { Coordinator } from '../ports/coordinator.ts';

const liveCursor = /^live:(\d{1,16}):([A-Za-z0-9._-]{1,80})$/;

export async function listRuns(
  { views, results }: Pick<Coordinator, 'views' | 'results'>,
  query: { limit: number; before?: string | undefined },
): Promise<RunList> {
  const after = query.before === undefined ? null : liveCursor.exec(query.before);
  if (query.before !== undefined && after === null) {
    const page = await results.listRuns({ limit: query.limit, before: query.before });
    return { runs: page.runs.map((run) => views.run(run.run) ?? run), next: page.next };
  }
  const stored = await results.listRuns({ limit: query.limit });
  const newest = stored.runs[0];
  const ahead = (await runsAhead(views.runs(), stored.runs, results))
    .filter((run) => after === null || isNewer({ submittedAtMs: Number(after[1]), run: after[2] ?? '' }, run))
    .toSorted((a, b) => (isNewer(a, b) ? -1 : 1));
  if (ahead.length >= query.limit) {
    const runs = ahead.slice(0, query.limit);
    const last = runs.at(-1);
    const isMore = ahead.length > query.limit || newest !== undefined;
    return { runs, next: isMore && last !== undefined ? `live:${last.submittedAtMs}:${last.run}` : null };
  }
  if (newest === undefined) return { runs: ahead, next: null };
  const rest = ahead.length === 0 ? stored : await results.listRuns({ limit: query.limit - ahead.length });
  const seen = new Set(ahead.map((run) => run.run));
  return {
    runs: [...ahead, ...rest.runs.filter((run) => !seen.has(run.run)).map((run) => views.run(run.run) ?? run)],
    next: rest.next,
  };
}

/** Live runs that the store does not have yet. Only those of the same millisecond as its newest leave a doubt, and are asked for. */
async function runsAhead(live: RunView[], stored: RunView[], results: Coordinator['results']): Promise<RunView[]> {
  const newest = stored[0];
  if (newest === undefined) return live;
  const known = new Set(stored.map((run) => run.run));
  const ahead: RunView[] = [];
  for (const run of live) {
    if (run.submittedAtMs < newest.submittedAtMs || known.has(run.run)) continue;
    if (run.submittedAtMs > newest.submittedAtMs || (await results.readRun(run.run)) === null) ahead.push(run);
  }
  return ahead;
}

type Place = Pick<RunView, 'submittedAtMs'> & { run: string };

function isNewer(a: Place, b: Place): boolean {
  return a.submittedAtMs === b.submittedAtMs ? a.run > b.run : a.submittedAtMs > b.submittedAtMs;
}
