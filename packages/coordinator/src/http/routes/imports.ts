// Results from elsewhere come in as one run, and a project's results go again. The id of an imported run is made from its content.
// A repeat is known by the engine for as long as it remembers submissions, and by the results store for ever.
import { createHash } from 'node:crypto';
import {
  EraseRequest,
  Erased,
  ImportRequest,
  limit,
  RunAccepted,
  type ImportedContent,
  type RunId,
} from '@assay/protocol';
import type { App, HttpContext } from '../context.ts';
import { callerOf, failures, submitOrThrow } from '../route-parts.ts';

export function importRoutes(app: App, { coordinator }: HttpContext): void {
  app.post(
    '/imports',
    {
      bodyLimit: limit('importBytes'),
      config: { scope: 'submit' },
      schema: {
        summary: 'Take in a run that was executed elsewhere',
        tags: ['runs'],
        body: ImportRequest,
        response: { 200: RunAccepted, ...failures() },
      },
    },
    async (request) => {
      const { name, labels, content } = request.body;
      const run = importedRunId(content);
      const known = await coordinator.results.readRun(run);
      if (known !== null) return { run, tasks: known.tasks.total, isRepeat: true };
      const submitter = callerOf(request).name;
      const reply = await submitOrThrow(coordinator, { kind: 'importRun', run, submitter, name, labels, content });
      if (reply.kind !== 'runAccepted') throw new Error(`an import was answered with ${reply.kind}`);
      return { run: reply.run, tasks: reply.tasks, isRepeat: reply.isRepeat };
    },
  );

  app.post(
    '/projects/erase',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Forget all results of a project',
        tags: ['runs'],
        body: EraseRequest,
        response: { 200: Erased, ...failures() },
      },
    },
    async (request) => {
      const { project } = request.body;
      await submitOrThrow(coordinator, { kind: 'eraseProject', project, actor: callerOf(request).name });
      return { project, seq: coordinator.health().journalSeq };
    },
  );
}

/** 100 bits of the digest of the content: two contents with one id are not met by accident. */
function importedRunId(content: ImportedContent): RunId {
  return `i-${createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 25)}` as RunId;
}
