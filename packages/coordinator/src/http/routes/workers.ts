// Workers: listing, reading, draining. Only live state: a worker that left is in the results of what it ran.
// GET /worker is the WebSocket of worker-socket.ts; a plain request to it is told so.
import { AssayError, DrainRequest, WorkerList, WorkerView } from '@assay/protocol';
import type { App, HttpContext } from '../context.ts';
import { callerOf, failures, notFoundFault, submitOrThrow, workerParams } from '../route-parts.ts';

const tags = ['workers'];

export function workerRoutes(app: App, { coordinator }: HttpContext): void {
  const readWorker = (worker: string): WorkerView => {
    const view = coordinator.views.worker(worker);
    if (view === null) throw notFoundFault('worker', worker);
    return view;
  };

  app.get(
    '/workers',
    { config: { scope: 'read' }, schema: { summary: 'Workers', tags, response: { 200: WorkerList, ...failures() } } },
    () => ({ workers: coordinator.views.workers() }),
  );

  app.get(
    '/workers/:worker',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'One worker with its profile',
        tags,
        params: workerParams,
        response: { 200: WorkerView, ...failures() },
      },
    },
    (request) => readWorker(request.params.worker),
  );

  app.post(
    '/workers/:worker/drain',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Let a worker finish what it runs and give it nothing new',
        tags,
        params: workerParams,
        body: DrainRequest,
        response: { 200: WorkerView, ...failures() },
      },
    },
    async (request) => {
      const { worker } = request.params;
      readWorker(worker);
      await submitOrThrow(coordinator, {
        kind: 'drainWorker',
        worker,
        actor: callerOf(request).name,
        reason: request.body.reason,
      });
      return readWorker(worker);
    },
  );

  linkRoute(app);
}

function linkRoute(app: App): void {
  app.get(
    '/worker',
    {
      config: { scope: 'none' },
      schema: {
        summary: 'The WebSocket of workers, see packages/protocol/src/worker-wire.ts; needs the scope worker:POOL',
        tags,
        response: { ...failures() },
      },
    },
    () => {
      throw new AssayError('BAD_REQUEST', 'this is the WebSocket of workers: connect with Upgrade: websocket');
    },
  );
}
