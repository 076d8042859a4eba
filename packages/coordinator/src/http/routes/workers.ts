// Workers: listing, reading, draining, setting aside and checking, and what was learned of repairing them. Only live state: a worker that left is in the results of what it ran.
// GET /worker is the WebSocket of worker-socket.ts; a plain request to it is told so.
import {
  AssayError,
  CertifyRequest,
  ConditionRequest,
  DrainRequest,
  RecoveryHistory,
  WorkerList,
  WorkerView,
} from '@assay/protocol';
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

  conditionRoutes(app, coordinator, readWorker);
  linkRoute(app);
}

function conditionRoutes(
  app: App,
  coordinator: HttpContext['coordinator'],
  readWorker: (worker: string) => WorkerView,
): void {
  app.post(
    '/workers/:worker/condition',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Quarantine a worker or one of its devices, put it in maintenance, or release it',
        tags,
        params: workerParams,
        body: ConditionRequest,
        response: { 200: WorkerView, ...failures() },
      },
    },
    async (request) => {
      const { worker } = request.params;
      readWorker(worker);
      const { action, device = null, reason } = request.body;
      const actor = callerOf(request).name;
      await submitOrThrow(coordinator, { kind: 'setCondition', worker, device, action, actor, reason });
      return readWorker(worker);
    },
  );
  app.post(
    '/workers/:worker/certify',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Have the checks of a worker or one of its devices run now; what they find comes with the live feed',
        tags,
        params: workerParams,
        body: CertifyRequest,
        response: { 200: WorkerView, ...failures() },
      },
    },
    async (request) => {
      const { worker } = request.params;
      readWorker(worker);
      const { device = null, reason } = request.body;
      const actor = callerOf(request).name;
      await submitOrThrow(coordinator, { kind: 'certifyWorker', worker, device, actor, reason });
      return readWorker(worker);
    },
  );
  app.get(
    '/recovery',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'How often each step of recovery was taken and helped, by kind of device',
        tags,
        response: { 200: RecoveryHistory, ...failures() },
      },
    },
    () => coordinator.views.recovery(),
  );
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
