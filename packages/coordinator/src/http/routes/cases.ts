// GET /runs/:run/cases: the rows that reports are made of. They live in the results store alone, which is a little behind
// a live run; a report that must be complete is made after the run is settled there (health's `resultsSeq` says how far).
import { Case, CaseList } from '@assay/protocol';
import { z } from 'zod';
import type { App, HttpContext } from '../context.ts';
import { cursor, failures, notFoundFault, pageLimit, runParams } from '../route-parts.ts';

const caseQuery = z.strictObject({ status: Case.shape.status.optional(), limit: pageLimit, after: cursor.optional() });

export function caseRoutes(app: App, { coordinator }: HttpContext): void {
  app.get(
    '/runs/:run/cases',
    {
      config: { scope: 'read' },
      schema: {
        summary: "A run's cases, attempt by attempt",
        tags: ['runs'],
        params: runParams,
        querystring: caseQuery,
        response: { 200: CaseList, ...failures() },
      },
    },
    async (request) => {
      const { run } = request.params;
      const { status, limit, after } = request.query;
      const page = await coordinator.results.listCases({
        run,
        limit,
        ...(status === undefined ? {} : { status }),
        ...(after === undefined ? {} : { after }),
      });
      const isKnown =
        page.cases.length > 0 ||
        coordinator.views.run(run) !== null ||
        (await coordinator.results.readRun(run)) !== null;
      if (!isKnown) throw notFoundFault('run', run);
      return page;
    },
  );
}
