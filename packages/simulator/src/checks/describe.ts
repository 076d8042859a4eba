// Inputs, messages, answers and what was decided, each in one line of a trace.
import type { Event, Input, Reply } from '@assay/core';
import type { CoordinatorMessage, Diagnosis } from '@assay/protocol';
import { attemptKeyOf } from './truth.ts';

export function describeInput(input: Input): string {
  switch (input.kind) {
    case 'submitRun':
      return `submitRun ${input.run} ${input.idempotencyKey} ${input.tasks.length} tasks`;
    case 'addTasks':
      return `addTasks ${input.run} chunk ${input.chunk}`;
    case 'cancelRun':
      return `cancelRun ${input.run}${input.tasks === undefined ? '' : ` ${input.tasks.length} tasks`}`;
    case 'workerReported':
      return `${input.worker} reports ${input.reports.map((report) => ('task' in report ? `${report.seq} ${report.kind} ${report.task}#${report.attempt}` : `${report.seq} ${report.kind}`)).join(', ')}`;
    case 'resultsAcknowledged':
      return `resultsAcknowledged ${input.seq}`;
    case 'timePassed':
    case 'coordinatorRestarted':
      return input.kind;
    default:
      return 'worker' in input ? `${input.kind} ${input.worker}` : input.kind;
  }
}

export function describeMessage(message: CoordinatorMessage): string {
  switch (message.kind) {
    case 'welcome':
      return `welcome, ${message.ackedSeq} acknowledged${message.abandon.length === 0 ? '' : `, abandon ${message.abandon.map(attemptKeyOf).join(' ')}`}`;
    case 'assign':
      return `assign ${message.assignment}: ${message.tasks.map(attemptKeyOf).join(' ')}`;
    case 'takeBack':
    case 'cancel':
      return `${message.kind} ${message.attempts.map(attemptKeyOf).join(' ')}`;
    case 'ack':
      return `ack ${message.seq}`;
    default:
      return message.kind;
  }
}

export function describeReply(reply: Reply): string {
  if (reply.kind === 'runAccepted')
    return `${reply.run} with ${reply.tasks} tasks${reply.isRepeat ? ', as before' : ''}`;
  return reply.kind === 'refused' ? `${reply.code} ${reply.reason}` : 'accepted';
}

export function describeMove({
  circuit,
  from,
  transition,
  evidence,
}: Extract<Event, { kind: 'circuitMoved' }>): string {
  const { to, cause, untilMs, atMs, actor } = transition;
  const until = typeof untilMs === 'number' ? `, for ${((untilMs - atMs) / 1_000).toFixed(1)} s` : '';
  const by = actor === undefined ? '' : ` by ${actor}`;
  const seen = evidence.length === 0 ? '' : `; evidence at ${evidence.join(' ')}`;
  return `${circuit}: ${from} -> ${to}${by}, ${cause}${until}${seen}`;
}

/** Whose fault it was, and troubles of the whole fleet. Plain failures of a test's own are left to the reports. */
export function describeVerdict(event: Event): string | null {
  switch (event.kind) {
    case 'taskSettled': {
      const { task, verdict, diagnosis, variant } = event;
      if (variant === undefined && (diagnosis === undefined || diagnosis.rule === 'assertion')) return null;
      const named = variant === undefined ? '' : ` as "${variant}"`;
      return `${task} ${verdict}${named}${diagnosis === undefined ? '' : `: ${saidOf(diagnosis)}`}`;
    }
    case 'diagnosisRevised':
      return `${event.task} revised: ${saidOf(event.diagnosis)}`;
    case 'outageOpened':
      return `one trouble of many: ${event.name}, ${event.evidence.length} failures`;
    case 'outageClosed':
      return `the trouble with ${event.name} is ${event.reason}: ${event.excused} failures excused`;
    default:
      return null;
  }
}

function saidOf({ fault, confidence, attempts, summary }: Diagnosis): string {
  return `${fault}, ${confidence} by ${attempts.join(' ')}: ${summary}`;
}
