// What the past says of tests and metrics: flakes, failures that are one, changes of level, and the revision that broke a test.
import {
  AnalysisScope,
  ChangeReport,
  CulpritReport,
  CulpritRequest,
  FailureReport,
  FlakeReport,
  RunId,
} from '@assay/protocol';
import type { App, HttpContext } from '../context.ts';
import { failures } from '../route-parts.ts';

const failureScope = AnalysisScope.extend({ run: RunId.optional() });
const shared = { tags: ['analysis'] };

export function analysisRoutes(app: App, { coordinator }: HttpContext): void {
  app.get(
    '/analysis/flakes',
    {
      config: { scope: 'read' },
      schema: {
        ...shared,
        summary: 'Tests that failed in the newest runs: whether each is a flake, and where its failures live',
        querystring: AnalysisScope,
        response: { 200: FlakeReport, ...failures() },
      },
    },
    (request) => coordinator.analysis.flakes(request.query),
  );
  app.get(
    '/analysis/failures',
    {
      config: { scope: 'read' },
      schema: {
        ...shared,
        summary: 'Failures of the newest runs that are one, when each was first and last seen, and what a run brought',
        querystring: failureScope,
        response: { 200: FailureReport, ...failures() },
      },
    },
    (request) => coordinator.analysis.failures(request.query),
  );
  app.get(
    '/analysis/changes',
    {
      config: { scope: 'read' },
      schema: {
        ...shared,
        summary: 'Changes of level in what the newest runs measured, by class of hardware',
        querystring: AnalysisScope,
        response: { 200: ChangeReport, ...failures() },
      },
    },
    (request) => coordinator.analysis.changes(request.query),
  );
  app.post(
    '/analysis/culprit',
    {
      config: { scope: 'read' },
      schema: {
        ...shared,
        summary: 'After which revision a test fails, with the revisions that hold it, and which to run next',
        body: CulpritRequest,
        response: { 200: CulpritReport, ...failures() },
      },
    },
    (request) => coordinator.analysis.culprit(request.body),
  );
}
