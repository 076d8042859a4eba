// What the operator laid down about who gets how much, as it is in force: read by whoever wonders why work waits. It is changed
// where the coordinator is started, and nowhere else.
import { AdmissionPolicy } from '@assay/protocol';
import type { App, HttpContext } from '../context.ts';
import { failures } from '../route-parts.ts';

export function policyRoutes(app: App, { coordinator }: HttpContext): void {
  app.get(
    '/policy',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Weights of submitters, quotas, reserved pools and caps of concurrency keys, as they are in force',
        tags: ['health'],
        response: { 200: AdmissionPolicy, ...failures() },
      },
    },
    () => coordinator.views.policy(),
  );
}
