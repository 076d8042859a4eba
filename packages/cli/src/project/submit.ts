// Sends a plan to a coordinator: the first chunk with the run, the rest in order, the last one sealed. Every part may be sent again
// after a broken link: the idempotency key and the chunk numbers make a repeat harmless.
import { randomUUID } from 'node:crypto';
import type { Client } from '@assay/client';
import { limit, type RunAccepted, type RunSpec, type Task } from '@assay/protocol';

/** Submits the whole run and returns its id. */
export async function submitRun(client: Client, spec: RunSpec, tasks: readonly Task[]): Promise<RunAccepted> {
  const size = limit('tasksPerRequest');
  const first = tasks.slice(0, size);
  const accepted = await client.submitRun({
    idempotencyKey: randomUUID(),
    run: spec,
    tasks: first,
    sealed: tasks.length <= size,
  });
  for (let start = size, chunk = 1; start < tasks.length; start += size, chunk++) {
    await client.addTasks(accepted.run, {
      chunk,
      tasks: tasks.slice(start, start + size),
      sealed: start + size >= tasks.length,
    });
  }
  return { ...accepted, tasks: tasks.length };
}
