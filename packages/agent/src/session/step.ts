// The connection machine: one synchronous step per thing that happened. It touches no clock, socket or promise.
//
// What always holds: nothing but `hello` is sent before `welcome`; reports are sent in order of their number, none is
// skipped, at most `reportWindow` are unacknowledged on a link, and after every welcome all that the coordinator does not
// have are sent again; an attempt is in `held` from its assignment until the report that settles it is acknowledged.
import { protocolVersion } from '@assay/protocol';
import type { AgentMessage, AttemptRef, CoordinatorMessage, Report } from '@assay/protocol';
import { backoffMs } from './backoff.ts';
import { attemptKey, noteReport, settledBy } from './state.ts';
import type { Connected, SessionInput, SessionOutput, SessionState } from './state.ts';

/** Refusals after which trying again cannot help, whatever the coordinator says of them. */
const finalCodes = new Set(['PROTOCOL_MISMATCH', 'WORKER_ID_TAKEN', 'POOL_FORBIDDEN']);
/** Final too as long as this process was never welcomed: a wrong token, and not a coordinator that is being repaired. */
const finalAtFirst = new Set(['UNAUTHORIZED', 'FORBIDDEN']);

type Welcome = CoordinatorMessage & { kind: 'welcome' };

/** Applies one input to the state, in place, and returns what is to be done, in order. */
export function sessionStep(state: SessionState, input: SessionInput, nowMs: number): SessionOutput[] {
  const out: SessionOutput[] = [];
  if (state.phase.kind === 'refused' || state.phase.kind === 'stopped') {
    keepBooks(state, input);
    return out;
  }
  act(state, input, nowMs, out);
  finishDrain(state, nowMs, out);
  return out;
}

/** The earliest time at which `timePassed` would do something, or null. */
export function nextDeadlineMs(state: SessionState): number | null {
  const deadlines: number[] = [];
  const { phase, drain } = state;
  if (phase.kind === 'refused' || phase.kind === 'stopped') return null;
  if (phase.kind === 'connecting' || phase.kind === 'greeting') deadlines.push(phase.deadlineMs);
  if (phase.kind === 'connected') deadlines.push(phase.nextHeartbeatMs, phase.lastHeardMs + phase.silentAfterMs);
  if (phase.kind === 'backingOff') deadlines.push(phase.untilMs);
  if (drain !== null && drain.doneSinceMs !== null) deadlines.push(drain.doneSinceMs + state.config.drainPatienceMs);
  return deadlines.length === 0 ? null : Math.min(...deadlines);
}

function act(state: SessionState, input: SessionInput, nowMs: number, out: SessionOutput[]): void {
  switch (input.kind) {
    case 'started':
      if (state.phase.kind === 'idle') openLink(state, nowMs, out);
      return;
    case 'linkOpened':
      if (state.phase.kind === 'connecting' && state.phase.link === input.link) greet(state, nowMs, out);
      return;
    case 'linkFailed':
      return linkFailed(state, input, nowMs, out);
    case 'linkClosed':
      if (isCurrent(state, input.link)) backOff(state, input.reason, nowMs, out);
      return;
    case 'badFrame':
      return violated(state, input.link, input.message, nowMs, out);
    case 'messagesReceived':
      for (const message of input.messages) receive(state, input.link, message, nowMs, out);
      return;
    case 'drainAsked':
      if (state.drain !== null) return;
      state.drain = { reason: input.report.reason, doneSinceMs: null };
      addReport(state, input.report, true);
      return pump(state, out);
    case 'stopAsked':
      return stop(state, input.reason, out);
    case 'outputAdded':
      if (state.phase.kind === 'connected') send(state.phase.link, [...input.messages], out);
      return;
    case 'timePassed':
      return timePassed(state, nowMs, out);
    default:
      keepBooks(state, input);
      return pump(state, out);
  }
}

/** Inputs that only change what is known; also after the end, so that a last look at the state is true. */
function keepBooks(state: SessionState, input: SessionInput): void {
  if (input.kind === 'reportAdded') addReport(state, input.report, input.isReady);
  if (input.kind === 'offerChanged') state.offer = input.offer;
  if (input.kind === 'vitalsMeasured') state.residentMiB = input.residentMiB;
  if (input.kind === 'reportReady') {
    const pending = state.pending.find((one) => one.report.seq === input.report.seq);
    if (pending === undefined) return;
    pending.report = input.report;
    pending.isReady = true;
  }
}

function addReport(state: SessionState, report: Report, isReady: boolean): void {
  if (report.seq < state.nextSeq)
    throw new Error(`report ${report.seq} comes after ${state.nextSeq - 1}: numbers only count up`);
  state.nextSeq = report.seq + 1;
  state.pending.push({ report, isReady });
  noteReport(state, report);
}

// Links

function isCurrent(state: SessionState, link: number): boolean {
  const { phase } = state;
  return (
    (phase.kind === 'connecting' || phase.kind === 'greeting' || phase.kind === 'connected') && phase.link === link
  );
}

function openLink(state: SessionState, nowMs: number, out: SessionOutput[]): void {
  state.links += 1;
  state.phase = { kind: 'connecting', link: state.links, deadlineMs: nowMs + state.config.connectTimeoutMs };
  out.push({ kind: 'openLink', link: state.links });
}

function greet(state: SessionState, nowMs: number, out: SessionOutput[]): void {
  state.phase = { kind: 'greeting', link: state.links, deadlineMs: nowMs + state.config.greetingTimeoutMs };
  const hello: AgentMessage = {
    kind: 'hello',
    protocolVersion,
    ...state.offer,
    held: [...state.held.values()].map((held) => held.ref),
    nextReportSeq: state.pending[0]?.report.seq ?? state.nextSeq,
    isDraining: state.drain !== null,
  };
  send(state.links, [hello], out);
}

function linkFailed(
  state: SessionState,
  failure: { link: number; code: string | null; message: string },
  nowMs: number,
  out: SessionOutput[],
): void {
  if (!isCurrent(state, failure.link)) return;
  const { code, message } = failure;
  const isFinal = code !== null && (finalCodes.has(code) || (finalAtFirst.has(code) && !state.wasWelcomed));
  if (isFinal) return refuse(state, code, message, out);
  backOff(state, code === null ? message : `${code}: ${message}`, nowMs, out);
}

function backOff(state: SessionState, reason: string, nowMs: number, out: SessionOutput[]): void {
  if (state.phase.kind === 'connected' && nowMs - state.phase.sinceMs >= state.config.stableAfterMs) state.failures = 0;
  const delay = backoffMs(state.config, state.failures, state.random);
  state.random = delay.random;
  state.failures += 1;
  state.phase = { kind: 'backingOff', untilMs: nowMs + delay.delayMs, reason };
  out.push({
    kind: 'note',
    level: 'warning',
    text: `no link (${reason}); next try in ${Math.round(delay.delayMs)} ms`,
  });
}

function closeAndBackOff(state: SessionState, link: number, reason: string, nowMs: number, out: SessionOutput[]): void {
  out.push({ kind: 'closeLink', link, reason });
  backOff(state, reason, nowMs, out);
}

function violated(state: SessionState, link: number, message: string, nowMs: number, out: SessionOutput[]): void {
  if (isCurrent(state, link)) closeAndBackOff(state, link, `BAD_FRAME: ${message}`, nowMs, out);
}

function refuse(state: SessionState, code: string, message: string, out: SessionOutput[]): void {
  const { phase } = state;
  if (phase.kind === 'greeting' || phase.kind === 'connected')
    out.push({ kind: 'closeLink', link: phase.link, reason: code });
  state.phase = { kind: 'refused', code, message };
  out.push({ kind: 'stop', reason: message, error: { code, message } });
}

function stop(state: SessionState, reason: string, out: SessionOutput[]): void {
  const { phase } = state;
  if (phase.kind === 'connecting' || phase.kind === 'greeting' || phase.kind === 'connected') {
    out.push({ kind: 'closeLink', link: phase.link, reason });
  }
  state.phase = { kind: 'stopped', reason };
  out.push({ kind: 'stop', reason, error: null });
}

// Messages

function receive(
  state: SessionState,
  link: number,
  message: CoordinatorMessage,
  nowMs: number,
  out: SessionOutput[],
): void {
  // Looked at again for each message: one of them may have closed the link.
  if (!isCurrent(state, link)) return;
  const { phase } = state;
  if (message.kind === 'refused') {
    if (message.isFinal || finalCodes.has(message.code)) return refuse(state, message.code, message.message, out);
    return closeAndBackOff(state, link, `${message.code}: ${message.message}`, nowMs, out);
  }
  if (phase.kind === 'greeting' && message.kind === 'welcome') return welcome(state, link, message, nowMs, out);
  if (phase.kind !== 'connected' || message.kind === 'welcome') {
    return violated(state, link, `${message.kind} out of turn`, nowMs, out);
  }
  phase.lastHeardMs = nowMs;
  receiveWork(state, phase, message, nowMs, out);
}

function welcome(state: SessionState, link: number, message: Welcome, nowMs: number, out: SessionOutput[]): void {
  if (message.protocolVersion !== protocolVersion) {
    const text = `the coordinator speaks protocol version ${message.protocolVersion}, this worker ${protocolVersion}`;
    return refuse(state, 'PROTOCOL_MISMATCH', text, out);
  }
  if (message.ackedSeq >= state.nextSeq) {
    // New reports would be dropped as repeats of old ones. Happens when a state directory is restored from a copy.
    const text = `the coordinator has report ${message.ackedSeq} of this worker, which is to use ${state.nextSeq} next: the state directory is an old copy`;
    return refuse(state, 'WORKER_STATE_STALE', text, out);
  }
  state.wasWelcomed = true;
  const { session, heartbeatMs, silentAfterMs, reportWindow } = message;
  state.phase = {
    kind: 'connected',
    link,
    session,
    sinceMs: nowMs,
    heartbeatMs,
    silentAfterMs,
    reportWindow,
    lastHeardMs: nowMs,
    nextHeartbeatMs: nowMs + heartbeatMs,
    sent: 0,
    ackedSeq: message.ackedSeq,
  };
  out.push({ kind: 'note', level: 'info', text: `connected, session ${session}` });
  acknowledge(state, message.ackedSeq, out);
  if (message.checks !== undefined) out.push({ kind: 'fleetChecks', checks: message.checks });
  if (message.abandon.length > 0) {
    for (const ref of message.abandon) state.held.delete(attemptKey(ref));
    out.push({ kind: 'abandon', attempts: message.abandon });
  }
  pump(state, out);
}

function receiveWork(
  state: SessionState,
  phase: Connected,
  message: Exclude<CoordinatorMessage, { kind: 'welcome' | 'refused' }>,
  nowMs: number,
  out: SessionOutput[],
): void {
  switch (message.kind) {
    case 'assign': {
      const tasks = message.tasks.filter((task) => !state.held.has(attemptKey(task)));
      if (tasks.length === 0) return;
      for (const { task, attempt } of tasks) {
        state.held.set(attemptKey({ task, attempt }), { ref: { task, attempt }, stage: 'waiting' });
      }
      out.push({ kind: 'deliverAssign', assign: { ...message, tasks } });
      return;
    }
    case 'takeBack': {
      const attempts = inHand(state, message.attempts);
      if (attempts.length > 0) out.push({ kind: 'deliverTakeBack', attempts });
      return;
    }
    case 'cancel': {
      const attempts = inHand(state, message.attempts);
      if (attempts.length > 0) out.push({ kind: 'deliverCancel', attempts, reason: message.reason });
      return;
    }
    case 'ack': {
      const firstUnsent = state.pending[phase.sent]?.report.seq ?? state.nextSeq;
      if (message.seq >= firstUnsent) {
        return violated(state, phase.link, `ack of ${message.seq}, which was not sent`, nowMs, out);
      }
      phase.ackedSeq = Math.max(phase.ackedSeq, message.seq);
      acknowledge(state, message.seq, out);
      return pump(state, out);
    }
    case 'drain':
      if (state.drain === null) out.push({ kind: 'deliverDrain', reason: message.reason });
      return;
    case 'certify':
      return void out.push({ kind: 'deliverCertify', request: message });
    case 'recover':
      return void out.push({ kind: 'deliverRecover', request: message });
    case 'heartbeat':
      return;
  }
}

/** Those of the attempts that are here and not settled yet. */
function inHand(state: SessionState, attempts: readonly AttemptRef[]): AttemptRef[] {
  return attempts.filter((ref) => {
    const held = state.held.get(attemptKey(ref));
    return held !== undefined && held.stage !== 'reported';
  });
}

function acknowledge(state: SessionState, throughSeq: number, out: SessionOutput[]): void {
  let count = 0;
  while (count < state.pending.length && state.pending[count]!.report.seq <= throughSeq) count += 1;
  if (count === 0) return;
  for (const { report } of state.pending.splice(0, count)) {
    for (const ref of settledBy(report)) {
      const held = state.held.get(attemptKey(ref));
      if (held?.stage === 'reported' && held.seq === report.seq) state.held.delete(attemptKey(ref));
    }
  }
  if (state.phase.kind === 'connected') state.phase.sent = Math.max(0, state.phase.sent - count);
  out.push({ kind: 'dropSpool', throughSeq });
}

/** Sends what is due: in order, inside the window, up to the first report that is not ready. */
function pump(state: SessionState, out: SessionOutput[]): void {
  const { phase } = state;
  if (phase.kind !== 'connected') return;
  const messages: AgentMessage[] = [];
  while (phase.sent < Math.min(state.pending.length, phase.reportWindow)) {
    const { report, isReady } = state.pending[phase.sent]!;
    if (!isReady) break;
    const after = lastSent(state, phase);
    messages.push({ kind: 'report', report, after });
    phase.sent += 1;
  }
  if (messages.length > 0) send(phase.link, messages, out);
}

/** The last report sent on this link; before the first, the last one that the coordinator has. */
function lastSent(state: SessionState, phase: Connected): number {
  return state.pending[phase.sent - 1]?.report.seq ?? phase.ackedSeq;
}

function send(link: number, messages: AgentMessage[], out: SessionOutput[]): void {
  const last = out.at(-1);
  if (last?.kind === 'send' && last.link === link) last.messages.push(...messages);
  else out.push({ kind: 'send', link, messages });
}

// Time

function timePassed(state: SessionState, nowMs: number, out: SessionOutput[]): void {
  const { phase } = state;
  if (phase.kind === 'backingOff' && nowMs >= phase.untilMs) return openLink(state, nowMs, out);
  if (phase.kind === 'connecting' && nowMs >= phase.deadlineMs) {
    return closeAndBackOff(state, phase.link, 'the coordinator does not answer', nowMs, out);
  }
  if (phase.kind === 'greeting' && nowMs >= phase.deadlineMs) {
    return closeAndBackOff(state, phase.link, 'the coordinator did not welcome this worker', nowMs, out);
  }
  if (phase.kind !== 'connected') return;
  if (nowMs >= phase.lastHeardMs + phase.silentAfterMs) {
    return closeAndBackOff(state, phase.link, `the coordinator was silent for ${phase.silentAfterMs} ms`, nowMs, out);
  }
  if (nowMs >= phase.nextHeartbeatMs) {
    phase.nextHeartbeatMs = nowMs + phase.heartbeatMs;
    let running = 0;
    for (const held of state.held.values()) if (held.stage === 'running') running += 1;
    const resident = state.residentMiB === null ? {} : { residentMiB: state.residentMiB };
    send(phase.link, [{ kind: 'heartbeat', atMs: nowMs, running, ...resident, after: lastSent(state, phase) }], out);
  }
}

/** Leaves when a drain was asked, nothing is in hand and nothing waits to be delivered. */
function finishDrain(state: SessionState, nowMs: number, out: SessionOutput[]): void {
  const { drain, phase } = state;
  if (drain === null || phase.kind === 'refused' || phase.kind === 'stopped') return;
  const isWorking = [...state.held.values()].some((held) => held.stage !== 'reported');
  if (isWorking) {
    drain.doneSinceMs = null;
    return;
  }
  drain.doneSinceMs ??= nowMs;
  if (state.pending.length === 0) {
    if (phase.kind === 'connected') send(phase.link, [{ kind: 'goodbye', reason: drain.reason }], out);
    if (phase.kind === 'connected' || phase.kind === 'idle' || phase.kind === 'backingOff')
      return stop(state, drain.reason, out);
  }
  if (nowMs >= drain.doneSinceMs + state.config.drainPatienceMs) {
    const text = `leaving with ${state.pending.length} reports undelivered: they are kept and sent after the next start`;
    out.push({ kind: 'note', level: 'warning', text });
    stop(state, drain.reason, out);
  }
}
