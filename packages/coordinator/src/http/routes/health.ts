// GET /health: whether it serves, for load balancers and people. Needs no token and says nothing of anybody's work.
import { Health } from '@assay/protocol';
import type { App, HttpContext } from '../context.ts';
import { failures } from '../route-parts.ts';

export function healthRoutes(app: App, { coordinator }: HttpContext): void {
  app.get(
    '/health',
    {
      config: { scope: 'none' },
      schema: {
        summary: 'Whether the coordinator serves',
        tags: ['health'],
        response: { 200: Health, ...failures() },
      },
    },
    () => coordinator.health(),
  );
}
