// Tests that are set aside: who is, why and until when; setting one aside, and letting it count again. Of tests, not of workers.
import { QuarantineId, QuarantineList, QuarantineRequest, ReleaseRequest } from '@assay/protocol';
import { z } from 'zod';
import type { App, HttpContext } from '../context.ts';
import { callerOf, failures, notFoundFault, submitOrThrow } from '../route-parts.ts';

export function quarantineRoutes(app: App, { coordinator }: HttpContext): void {
  const tags = ['quarantines'];
  const list = (): QuarantineList => ({ quarantines: coordinator.views.quarantines() });
  app.get(
    '/quarantines',
    {
      config: { scope: 'read' },
      schema: { summary: 'Tests that are set aside', tags, response: { 200: QuarantineList, ...failures() } },
    },
    async () => {
      await coordinator.whenDurable();
      return list();
    },
  );
  app.post(
    '/quarantines',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Set a test aside until a time: it runs and does not count, or its file is not run',
        tags,
        body: QuarantineRequest,
        response: { 200: QuarantineList, ...failures() },
      },
    },
    async (request) => {
      const actor = callerOf(request).name;
      await submitOrThrow(coordinator, { kind: 'quarantineTest', actor, ...request.body });
      return list();
    },
  );
  app.post(
    '/quarantines/:quarantine/release',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Let a test count again',
        tags,
        params: z.strictObject({ quarantine: QuarantineId }),
        body: ReleaseRequest,
        response: { 200: QuarantineList, ...failures() },
      },
    },
    async (request) => {
      const { quarantine } = request.params;
      if (!list().quarantines.some((one) => one.quarantine === quarantine))
        throw notFoundFault('quarantine', quarantine);
      const { reason } = request.body;
      await submitOrThrow(coordinator, { kind: 'releaseTest', quarantine, actor: callerOf(request).name, reason });
      return list();
    },
  );
}
