// What the past says: how good predictions were, and a run as the journal recorded it, for simulations of it.
import { CalibrationReport, RunRecording } from '@assay/protocol';
import type { App, HttpContext } from '../context.ts';
import { failures, runParams } from '../route-parts.ts';

export function historyRoutes(app: App, { coordinator }: HttpContext): void {
  app.get(
    '/calibration',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Predicted against actual durations, by suite',
        tags: ['runs'],
        response: { 200: CalibrationReport, ...failures() },
      },
    },
    () => coordinator.views.calibration(),
  );

  app.get(
    '/runs/:run/recording',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'A run that is over as the journal recorded it: arrivals, workers as they were, and each attempt',
        tags: ['runs'],
        params: runParams,
        response: { 200: RunRecording, ...failures() },
      },
    },
    (request) => coordinator.recording(request.params.run),
  );
}
