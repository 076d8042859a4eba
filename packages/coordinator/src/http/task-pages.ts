// Pages of one run's tasks: from the engine while the run is live, from the results store afterwards. A run that leaves
// the engine between two pages goes on at the same place, because both cursors are the index of the last task seen.
// A filter may match few of a million tasks, so one request looks at a bounded number and hands back where it stopped.
import { AssayError, type TaskList, type TaskView } from '@assay/protocol';
import type { Coordinator } from '../ports/coordinator.ts';
import type { TaskQuery } from '../ports/result-store.ts';
import { notFoundFault } from './route-parts.ts';

const examinedMax = 20_000;
const chunkTasks = 1_000;

type Query = {
  run: string;
  state?: string | undefined;
  verdict?: string | undefined;
  limit: number;
  after?: string | undefined;
};

export async function listTasks(
  { views, results }: Pick<Coordinator, 'views' | 'results'>,
  query: Query,
): Promise<TaskList> {
  if (views.run(query.run) !== null) return liveTasks(views, query);
  const page = await results.listTasks(withoutAbsent(query));
  if (page.tasks.length === 0 && (await results.readRun(query.run)) === null) throw notFoundFault('run', query.run);
  return page;
}

function liveTasks(views: Coordinator['views'], query: Query): TaskList {
  let afterIndex = query.after === undefined ? -1 : indexOf(query.after);
  const tasks: TaskView[] = [];
  for (let examined = 0; examined < examinedMax;) {
    const max = Math.min(chunkTasks, examinedMax - examined);
    const chunk = views.tasks(query.run, afterIndex, max);
    for (const task of chunk) {
      afterIndex = Number(task.task.slice(task.task.lastIndexOf('.') + 1));
      if (query.state !== undefined && task.state !== query.state) continue;
      if (query.verdict !== undefined && task.verdict !== query.verdict) continue;
      tasks.push(task);
      if (tasks.length === query.limit) return { tasks, next: String(afterIndex) };
    }
    if (chunk.length < max) return { tasks, next: null };
    examined += chunk.length;
  }
  return { tasks, next: String(afterIndex) };
}

function indexOf(cursor: string): number {
  if (!/^\d{1,9}$/.test(cursor)) throw new AssayError('BAD_REQUEST', 'after: not a page cursor of this list');
  return Number(cursor);
}

function withoutAbsent(query: Query): TaskQuery {
  const { run, state, verdict, limit, after } = query;
  return {
    run,
    limit,
    ...(state === undefined ? {} : { state }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(after === undefined ? {} : { after }),
  };
}
