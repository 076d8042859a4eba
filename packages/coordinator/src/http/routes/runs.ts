// Runs: submitting them in chunks, listing, reading, cancelling.
// A submission waits while the coordinator is busy before its body is read, so that waiting requests cost no memory.
import {
  AssayError,
  CancelRequest,
  limit,
  RunAccepted,
  RunList,
  RunSubmission,
  RunView,
  TasksAddition,
} from '@assay/protocol';
import { z } from 'zod';
import type { Coordinator } from '../../ports/coordinator.ts';
import type { BusyGate } from '../busy-gate.ts';
import type { App, HttpContext } from '../context.ts';
import { freshRunId } from '../fresh-id.ts';
import { callerOf, cursor, failures, notFoundFault, pageLimit, runParams, submitOrThrow } from '../route-parts.ts';
import { listRuns } from '../run-pages.ts';

const tags = ['runs'];

export function runRoutes(app: App, context: HttpContext, busyGate: BusyGate): void {
  submissionRoutes(app, context, busyGate);
  const { coordinator } = context;

  app.get(
    '/runs',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Runs, newest first',
        tags,
        querystring: z.strictObject({ limit: pageLimit, before: cursor.optional() }),
        response: { 200: RunList, ...failures() },
      },
    },
    (request) => listRuns(coordinator, request.query),
  );

  app.get(
    '/runs/:run',
    {
      config: { scope: 'read' },
      schema: { summary: 'One run', tags, params: runParams, response: { 200: RunView, ...failures() } },
    },
    (request) => readRun(coordinator, request.params.run),
  );

  app.post(
    '/runs/:run/cancel',
    {
      config: { scope: 'submit' },
      schema: {
        summary: 'Cancel a run, or some of its tasks',
        tags,
        params: runParams,
        body: CancelRequest,
        response: { 200: RunView, ...failures() },
      },
    },
    async (request) => {
      const { run } = request.params;
      const { reason, tasks } = request.body;
      // A settled run has left the engine: there is nothing to cancel, and saying so again is no error.
      if (coordinator.views.run(run) === null) return readRun(coordinator, run);
      await submitOrThrow(coordinator, {
        kind: 'cancelRun',
        run,
        actor: callerOf(request).name,
        reason,
        ...(tasks === undefined ? {} : { tasks }),
      });
      return readRun(coordinator, run);
    },
  );
}

function submissionRoutes(app: App, { coordinator, timings }: HttpContext, busyGate: BusyGate): void {
  const onRequest = async () => {
    if (busyGate.isBusy() && !(await busyGate.waitFree(timings.busyWaitMs)))
      throw new AssayError('TOO_MANY_REQUESTS', 'the coordinator has more to commit than it can take');
  };

  app.post(
    '/runs',
    {
      onRequest,
      config: { scope: 'submit', isDigested: true },
      schema: {
        summary: 'Submit a run with its first tasks',
        tags,
        body: RunSubmission,
        response: { 200: RunAccepted, ...failures() },
      },
    },
    async (request) => {
      const { idempotencyKey, run: spec, tasks, sealed } = request.body;
      for (const suite of spec.suites) {
        if (Buffer.byteLength(JSON.stringify(suite)) > limit('suiteBytes'))
          throw new AssayError('BODY_TOO_LARGE', `suite ${suite.name} is larger than ${limit('suiteBytes')} bytes`);
      }
      const reply = await submitOrThrow(coordinator, {
        kind: 'submitRun',
        run: freshRunId(),
        submitter: callerOf(request).name,
        idempotencyKey,
        contentDigest: request.contentDigest,
        spec,
        tasks,
        sealed,
      });
      return acceptedOf(reply);
    },
  );

  app.post(
    '/runs/:run/tasks',
    {
      onRequest,
      config: { scope: 'submit' },
      schema: {
        summary: 'Add a chunk of tasks to a run',
        tags,
        params: runParams,
        body: TasksAddition,
        response: { 200: RunAccepted, ...failures() },
      },
    },
    async (request) => {
      const { chunk, tasks, sealed } = request.body;
      const { run } = request.params;
      return acceptedOf(await submitOrThrow(coordinator, { kind: 'addTasks', run, chunk, tasks, sealed }));
    },
  );
}

function acceptedOf(reply: Awaited<ReturnType<typeof submitOrThrow>>): RunAccepted {
  if (reply.kind !== 'runAccepted') throw new Error(`a submission was answered with ${reply.kind}`);
  return { run: reply.run, tasks: reply.tasks, isRepeat: reply.isRepeat };
}

async function readRun(coordinator: Coordinator, run: string): Promise<RunView> {
  const view = coordinator.views.run(run) ?? (await coordinator.results.readRun(run));
  if (view === null) throw notFoundFault('run', run);
  return view;
}
