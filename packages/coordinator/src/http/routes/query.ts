// POST /query: a user's own SQL over the results. For those who may read everything there is: it knows no pools.
import { QueryAnswer, QueryRequest } from '@assay/protocol';
import type { App, HttpContext } from '../context.ts';
import { failures } from '../route-parts.ts';

export function queryRoutes(app: App, { coordinator }: HttpContext): void {
  app.post(
    '/query',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'One SELECT over the results store, bounded in rows, bytes and time',
        tags: ['runs'],
        body: QueryRequest,
        response: { 200: QueryAnswer, ...failures() },
      },
    },
    (request) => coordinator.results.query(request.body),
  );
}
