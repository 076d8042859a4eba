// A worker is to finish what it has and get nothing new.
import type { Reply } from '../events.ts';
import type { DrainWorker } from '../inputs.ts';
import { accepted, refused } from '../step.ts';
import type { Step } from '../step.ts';

export function drainWorker(step: Step, input: DrainWorker): Reply {
  const worker = step.state.workers.get(input.worker);
  if (worker === undefined) return refused('NOT_FOUND', `worker ${input.worker} is not known`);
  const { state } = worker;
  if (state.kind === 'lost' || state.kind === 'left') return refused('CONFLICT', `worker ${input.worker} is gone`);
  if (state.kind === 'draining' || (state.kind === 'disconnected' && state.wasDraining)) return accepted;
  step.emit({ kind: 'workerDraining', worker: input.worker, actor: input.actor, reason: input.reason });
  return accepted;
}
