// Rows of workers and of the profiles they had. A changed profile is a new row of `profiles`; attempts name the one they ran on.
import type { ConditionEvent, Event, WorkerJoined } from '@assay/core';
import type { Profile, WorkerId } from '@assay/protocol';
import type { EntryContext, Projection } from './projection.ts';
import { recordEvent } from './projection.ts';
import type { WorkerRow } from './rows.ts';

type WorkerEvent = Extract<
  Event,
  {
    kind:
      | 'workerJoined'
      | 'workerRefused'
      | 'profileChanged'
      | 'workerDisconnected'
      | 'workerLost'
      | 'workerDraining'
      | 'workerLeft'
      | 'workerForgotten'
      | 'linksReset'
      | 'workerChecked'
      | 'gateFlipped'
      | 'conditionChanged'
      | 'certificationRequested'
      | 'workerCertified'
      | 'recoveryRequested'
      | 'recoveryReported'
      | 'operatorNeeded';
  }
>;

export function projectWorkerEvent(projection: Projection, context: EntryContext, event: WorkerEvent): void {
  const record = (detail?: unknown): void =>
    recordEvent(projection, context, event.kind, {
      worker: event.kind === 'linksReset' ? null : event.worker,
      ...(detail === undefined ? {} : { detail }),
    });
  switch (event.kind) {
    case 'workerJoined':
      join(projection, context, event);
      return record({ name: event.name, isReturning: event.isReturning, abandoned: event.abandon.length });
    case 'workerRefused':
      return record({ code: event.code, message: event.message });
    case 'profileChanged': {
      const worker = change(projection, context, event.worker, null);
      if (worker) worker.profileDigest = event.profileDigest;
      addProfile(projection, context, event.profileDigest, event.profile);
      return record({ from: event.previousDigest, to: event.profileDigest, changes: event.changes ?? [] });
    }
    case 'workerDisconnected':
      change(projection, context, event.worker, 'disconnected');
      return record({ graceUntilMs: event.graceUntilMs });
    case 'workerLost':
      change(projection, context, event.worker, 'lost');
      return record({ reason: event.reason, attempts: event.attempts });
    case 'workerDraining':
      change(projection, context, event.worker, 'draining');
      return record({ actor: event.actor, reason: event.reason });
    case 'workerLeft':
      change(projection, context, event.worker, 'left');
      return record({ reason: event.reason });
    case 'workerForgotten':
      change(projection, context, event.worker, 'forgotten');
      return;
    case 'linksReset':
      for (const worker of projection.workers.values()) {
        if (worker.state === 'connected' || worker.state === 'draining')
          change(projection, context, worker.worker, 'disconnected');
      }
      return record({ epoch: event.epoch });
    default:
      return recordCondition(event, record);
  }
}

/** What happened to the soundness of a worker or a device: history only, nothing of it is in a row of its own. */
function recordCondition(event: ConditionEvent, record: (detail: unknown) => void): void {
  switch (event.kind) {
    case 'workerChecked':
      // What passes again and again is the worker's own last result, not history.
      if (event.outcome === 'passed') return;
      return record({ check: event.check, device: event.device, outcome: event.outcome, evidence: event.evidence });
    case 'gateFlipped': {
      const { gate, device, isShut, reason } = event;
      return record({ gate, device, isShut, reason });
    }
    case 'conditionChanged':
      return record({
        device: event.device,
        from: event.from,
        to: event.to.kind,
        actor: event.actor,
        reason: event.reason,
      });
    case 'certificationRequested':
      return record({ device: event.device, reason: event.reason });
    case 'workerCertified':
      return record({ device: event.device, outcome: event.outcome, message: event.message });
    case 'recoveryRequested':
      return record({ device: event.device, rung: event.rung, reason: event.reason });
    case 'recoveryReported':
      return record({
        device: event.device,
        rung: event.rung,
        outcome: event.outcome,
        durationMs: event.durationMs,
        evidence: event.evidence,
      });
    case 'operatorNeeded':
      return record({ device: event.device, reason: event.reason });
  }
}

function join(projection: Projection, context: EntryContext, event: WorkerJoined): void {
  const { atMs } = context.entry;
  const { worker, name, pool, slots, agentVersion, profileDigest, declared } = event;
  const row: WorkerRow = {
    worker,
    name,
    pool,
    slots,
    agentVersion,
    profileDigest,
    declared,
    state: event.isDraining ? 'draining' : 'connected',
    firstSeenAtMs: projection.workers.get(worker)?.firstSeenAtMs ?? atMs,
    lastChangeAtMs: atMs,
  };
  projection.workers.set(worker, row);
  projection.batch.workers.set(worker, row);
  addProfile(projection, context, profileDigest, event.profile);
}

function change(
  projection: Projection,
  context: EntryContext,
  worker: WorkerId,
  state: WorkerRow['state'] | null,
): WorkerRow | null {
  const row = projection.workers.get(worker);
  if (!row) return null;
  if (state) row.state = state;
  row.lastChangeAtMs = context.entry.atMs;
  projection.batch.workers.set(worker, row);
  return row;
}

function addProfile(projection: Projection, context: EntryContext, digest: string, profile: Profile): void {
  if (projection.profileDigests.has(digest)) return;
  projection.profileDigests.add(digest);
  projection.batch.profiles.push({ digest, profile, firstSeenAtMs: context.entry.atMs });
}
