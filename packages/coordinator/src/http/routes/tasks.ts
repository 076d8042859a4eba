// Tasks: the pages of a run's tasks, one task, and why it waits or was placed where it was.
import { Explanation, TaskList, TaskState, TaskView, Verdict } from '@assay/protocol';
import { z } from 'zod';
import type { App, HttpContext } from '../context.ts';
import { cursor, failures, notFoundFault, pageLimit, runParams, taskParams } from '../route-parts.ts';
import { listTasks } from '../task-pages.ts';

const tags = ['tasks'];
const taskQuery = z.strictObject({
  state: TaskState.optional(),
  verdict: Verdict.optional(),
  limit: pageLimit,
  after: cursor.optional(),
});

export function taskRoutes(app: App, { coordinator }: HttpContext): void {
  const readTask = async (task: string): Promise<TaskView> => {
    const view = coordinator.views.task(task) ?? (await coordinator.results.readTask(task));
    if (view === null) throw notFoundFault('task', task);
    return view;
  };

  app.get(
    '/runs/:run/tasks',
    {
      config: { scope: 'read' },
      schema: {
        summary: "A run's tasks in the order of submission; a page may be short while `next` is not null",
        tags,
        params: runParams,
        querystring: taskQuery,
        response: { 200: TaskList, ...failures() },
      },
    },
    (request) => listTasks(coordinator, { run: request.params.run, ...request.query }),
  );

  app.get(
    '/tasks/:task',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'One task with its attempts',
        tags,
        params: taskParams,
        response: { 200: TaskView, ...failures() },
      },
    },
    (request) => readTask(request.params.task),
  );

  app.get(
    '/tasks/:task/explain',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Why a task waits, or was placed where it was',
        tags,
        params: taskParams,
        response: { 200: Explanation, ...failures() },
      },
    },
    async (request) =>
      coordinator.views.explain(request.params.task) ?? explainSettled(await readTask(request.params.task)),
  );
}

/** A task that has left the engine waits for nothing; its last attempt says where it ran, and why there. */
function explainSettled(task: TaskView): Explanation {
  const last = task.attempts.at(-1);
  const where =
    last === undefined
      ? 'without an attempt'
      : `by attempt ${last.attempt}${last.workerName === null ? '' : ` on ${last.workerName}`}`;
  return {
    task: task.task,
    state: task.state,
    summary: `settled as ${task.verdict ?? 'unknown'} ${where}`,
    reasons: [],
    ...(last?.placement === undefined ? {} : { placement: last.placement }),
    ...(task.diagnosis === undefined ? {} : { diagnosis: task.diagnosis }),
  };
}
