// What a worker says of its checks, of a certification and of a step of recovery, and what follows.
//
//   ready        a failed check makes the device suspect, and it is certified at once: one failure may be chance
//   suspect      certified: it is ready again. Not certified: it is quarantined, and the first step of recovery is taken
//   quarantined  after each step it is certified. Certified: it is ready again, and the step has helped. Not: the next step.
//                After the last one a person is asked; a check of its own that passes later still brings it back
// A check that did not run is no evidence either way, and never lets anything work again.
import type { CheckOutcome, Report } from '@assay/protocol';
import { returnsByItself } from '../../lifecycle/condition.ts';
import { limit } from '../limits.ts';
import type { WorkerRecord } from '../state.ts';
import type { Step } from '../step.ts';
import { clear, conditionOf, quarantine, suspect } from './change-condition.ts';
import { concludeCertificationProbe } from './move-circuit.ts';
import { climb, hasCheckFor, requestCertification, takeMildStep } from './certify.ts';

type Of<Kind extends Report['kind']> = Extract<Report, { kind: Kind }>;

/** A refusal's reason, or null. */
export function takeChecked(step: Step, worker: WorkerRecord, report: Of<'checked'>): string | null {
  const { check, outcome, evidence, durationMs } = report;
  const device = report.device ?? null;
  const { checks } = worker.health;
  if (!checks.has(check) && checks.size >= limit('checksPerWorker'))
    return `a worker has at most ${limit('checksPerWorker')} checks`;
  step.emit({ kind: 'workerChecked', worker: worker.worker, check, device, outcome, evidence, durationMs });
  if (outcome === 'notRun') return null;
  const condition = conditionOf(worker, device);
  if (outcome === 'failed') {
    const reason = `check ${check} failed${saidIn(evidence)}`;
    if (suspect(step, worker, device, reason)) requestCertification(step, worker, device, reason);
    return null;
  }
  const isIdle = condition.kind === 'quarantined' && !isUnderWay(condition.checkup.kind);
  if (isIdle && returnsByItself(condition) && report.request === undefined)
    requestCertification(step, worker, device, `check ${check} passes again`);
  return null;
}

export function takeCertified(step: Step, worker: WorkerRecord, report: Of<'certified'>): void {
  const device = report.device ?? null;
  const { request, outcome, message } = report;
  const before = conditionOf(worker, device);
  const isAwaited =
    (before.kind === 'suspect' || before.kind === 'quarantined') &&
    before.checkup.kind === 'certifying' &&
    before.checkup.request === request;
  step.emit({ kind: 'workerCertified', worker: worker.worker, device, request, outcome, message });
  if (isAwaited) concludeCertification(step, worker, device, outcome, message);
  concludeCertificationProbe(step, worker, request, outcome);
}

/** What follows from the outcome of a certification that was waited for; also where it never came. */
export function concludeCertification(
  step: Step,
  worker: WorkerRecord,
  device: string | null,
  outcome: CheckOutcome,
  message: string,
): void {
  const condition = conditionOf(worker, device);
  if (!returnsByItself(condition)) return;
  if (outcome === 'passed') return clear(step, worker, device, message);
  // It hung, obeys again, and there is nothing to certify it with: that it obeyed is all that can be known.
  const hasObeyed = (condition.kind === 'suspect' || condition.kind === 'quarantined') && condition.unjudged !== null;
  if (outcome === 'notRun' && hasObeyed && !hasCheckFor(worker, device))
    return clear(step, worker, device, 'it answers again, and has no check to be certified by');
  const reason =
    outcome === 'notRun' ? `it could not be certified: ${message}` : `it failed its certification: ${message}`;
  if (condition.kind === 'suspect') quarantine(step, worker, device, reason);
  climb(step, worker, device, reason);
}

export function takeRecovered(step: Step, worker: WorkerRecord, report: Of<'recovered'>): void {
  const device = report.device ?? null;
  const { request, rung, outcome, evidence, durationMs } = report;
  const { conditions } = worker.health;
  const before = conditions.get(device ?? '');
  const isAwaited =
    (before?.kind === 'suspect' || before?.kind === 'quarantined') &&
    before.checkup.kind === 'recovering' &&
    before.checkup.request === request;
  step.emit({ kind: 'recoveryReported', worker: worker.worker, device, request, rung, outcome, evidence, durationMs });
  const isUntroubled = before === undefined || before.kind === 'ready';
  if (isUntroubled && outcome === 'done' && hasCheckFor(worker, device))
    return void requestCertification(step, worker, device, `after the step ${rung}`);
  if (isUntroubled && outcome === 'notApplicable')
    return takeMildStep(step, worker, device, rung, `it has no step ${rung}`);
  if (!isAwaited) return;
  if (outcome === 'done') return void requestCertification(step, worker, device, `after the step ${rung}`);
  const condition = conditionOf(worker, device);
  const isInTime = before.checkup.kind === 'recovering' && before.checkup.onlyPastTimeout === true;
  if (isInTime && outcome === 'notApplicable' && condition.kind === 'suspect')
    return clear(step, worker, device, 'by its own clock its tasks are within their time-outs');
  if (condition.kind === 'quarantined' || condition.kind === 'suspect') climb(step, worker, device, condition.reason);
}

function isUnderWay(checkup: 'none' | 'certifying' | 'recovering' | 'operatorNeeded'): boolean {
  return checkup === 'certifying' || checkup === 'recovering';
}

function saidIn(evidence: Readonly<Record<string, string>>): string {
  const said = evidence['message'] ?? evidence['stderr'] ?? evidence['exitCode'];
  return said === undefined || said === '' ? '' : `: ${said.slice(0, 200)}`;
}
