// A person sets a worker or one of its devices aside, lets it work again, or has it checked.
import type { Reply } from '../events.ts';
import type { CertifyWorker, SetCondition } from '../inputs.ts';
import { limit } from '../limits.ts';
import type { WorkerRecord } from '../state.ts';
import { accepted, refused } from '../step.ts';
import type { Step } from '../step.ts';
import { hasCheckFor, requestCertification } from './certify.ts';
import { changeCondition, clear, conditionOf, quarantine } from './change-condition.ts';

export function setCondition(step: Step, input: SetCondition): Reply {
  const worker = step.state.workers.get(input.worker);
  if (worker === undefined) return refused('NOT_FOUND', `worker ${input.worker} is not known`);
  const { device, reason, actor } = input;
  const { conditions } = worker.health;
  if (device !== null && !conditions.has(device) && conditions.size >= limit('checksPerWorker'))
    return refused('CONFLICT', `at most ${limit('checksPerWorker')} devices of a worker have a condition of their own`);
  const condition = conditionOf(worker, device);
  switch (input.action) {
    case 'quarantine':
      if (condition.kind === 'quarantined' && condition.actor === actor && condition.reason === reason) return accepted;
      quarantine(step, worker, device, reason, actor);
      return accepted;
    case 'maintenance':
      if (condition.kind !== 'maintenance') changeCondition(step, worker, device, 'maintained', reason, actor);
      return accepted;
    case 'release':
      if (condition.kind === 'ready') return accepted;
      clear(step, worker, device, reason, actor);
      // The person's word lets it work at once; that it is sound is looked at besides.
      if (hasCheckFor(worker, device)) requestCertification(step, worker, device, `released by ${actor}: ${reason}`);
      return accepted;
  }
}

export function certifyWorker(step: Step, input: CertifyWorker): Reply {
  const worker = step.state.workers.get(input.worker);
  if (worker === undefined) return refused('NOT_FOUND', `worker ${input.worker} is not known`);
  const asked = requestCertification(step, worker, input.device, `asked for by ${input.actor}: ${input.reason}`);
  return asked === null ? refused('CONFLICT', `worker ${name(worker)} is not connected`) : accepted;
}

function name(worker: WorkerRecord): string {
  return `${worker.name} (${worker.worker})`;
}
