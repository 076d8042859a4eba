// Backups of the results: for administrators, while everything goes on.
import { BackupRequest, BackupView } from '@assay/protocol';
import type { App, HttpContext } from '../context.ts';
import { failures } from '../route-parts.ts';

export function backupRoutes(app: App, { coordinator }: HttpContext): void {
  const schema = { tags: ['runs'], body: BackupRequest, response: { 200: BackupView, ...failures() } };
  app.post(
    '/results/backups',
    { config: { scope: 'admin' }, schema: { ...schema, summary: 'Copy the results store, under a new name' } },
    (request) => coordinator.results.backup(request.body),
  );
  app.post(
    '/results/restore',
    {
      config: { scope: 'admin' },
      schema: { ...schema, summary: 'Put a copy back; what came after it is read from the journal again' },
    },
    (request) => coordinator.results.restore(request.body),
  );
}
