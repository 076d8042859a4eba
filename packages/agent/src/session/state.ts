// The agent's side of the link to its coordinator, as data: what the connection machine knows, what can happen to it, and
// what it asks its driver to do. Driven by the agent's shell in real time and by the simulator in virtual time.
//
// Phases: idle -> connecting -> greeting (hello sent) -> connected -> backingOff -> connecting ...; `refused` and `stopped`
// are final. A link is named by a number that only counts up, and everything said of an older link is ignored, so that
// a driver may deliver late events of a closed socket without harm.
import type {
  AgentMessage,
  Assign,
  AttemptRef,
  CheckSpec,
  CoordinatorMessage,
  Hello,
  Report,
  SessionId,
} from '@assay/protocol';

/** Who the worker is and what it offers: the hello without what the machine itself knows. */
export type SessionOffer = Omit<Hello, 'kind' | 'protocolVersion' | 'held' | 'nextReportSeq' | 'isDraining'>;

export type CertifyRequest = Extract<CoordinatorMessage, { kind: 'certify' }>;
export type RecoverRequest = Extract<CoordinatorMessage, { kind: 'recover' }>;

export type SessionConfig = {
  /** First pause after a link was lost; doubled with every failure in a row up to the next. */
  readonly backoffMinMs: number;
  /** Below the coordinator's recovery grace, so that every worker is back before it presumes any lost. */
  readonly backoffMaxMs: number;
  /** A link that lived this long is a good one: the next loss starts from the shortest pause again. */
  readonly stableAfterMs: number;
  readonly connectTimeoutMs: number;
  /** From hello to welcome, which waits for the coordinator's journal. */
  readonly greetingTimeoutMs: number;
  /** When draining and done: how long undelivered reports are waited for before they are left in the spool. */
  readonly drainPatienceMs: number;
};

export const sessionDefaults: SessionConfig = {
  backoffMinMs: 100,
  backoffMaxMs: 5_000,
  stableAfterMs: 10_000,
  connectTimeoutMs: 10_000,
  greetingTimeoutMs: 15_000,
  drainPatienceMs: 30_000,
};

export type Connected = {
  kind: 'connected';
  link: number;
  session: SessionId;
  sinceMs: number;
  heartbeatMs: number;
  silentAfterMs: number;
  reportWindow: number;
  lastHeardMs: number;
  nextHeartbeatMs: number;
  /** How many of the pending reports, from the first, were sent on this link. */
  sent: number;
  /** The highest report that the coordinator said on this link to have. */
  ackedSeq: number;
};

export type Phase =
  | { kind: 'idle' }
  | { kind: 'connecting'; link: number; deadlineMs: number }
  | { kind: 'greeting'; link: number; deadlineMs: number }
  | Connected
  | { kind: 'backingOff'; untilMs: number; reason: string }
  | { kind: 'refused'; code: string; message: string }
  | { kind: 'stopped'; reason: string };

/** An attempt in this worker's hands: not started, started, or settled by the report `seq` that is not acknowledged yet. */
export type Held =
  | { ref: AttemptRef; stage: 'waiting' }
  | { ref: AttemptRef; stage: 'running' }
  | { ref: AttemptRef; stage: 'reported'; seq: number };

/** A report that the coordinator has not acknowledged. One that is not ready (its blobs are on their way) holds up all after it. */
export type PendingReport = { report: Report; isReady: boolean };

export type SessionState = {
  readonly config: SessionConfig;
  offer: SessionOffer;
  phase: Phase;
  /** Links opened so far; the number of the newest. */
  links: number;
  /** Failures in a row, for the back-off. */
  failures: number;
  wasWelcomed: boolean;
  /** State of the jitter's random stream. */
  random: number;
  /** Unacknowledged reports in order of their sequence number. */
  pending: PendingReport[];
  /** The sequence number after the highest one given out. */
  nextSeq: number;
  held: Map<string, Held>;
  drain: { reason: string; doneSinceMs: number | null } | null;
  residentMiB: number | null;
};

export type SessionInput =
  | { kind: 'started' }
  | { kind: 'linkOpened'; link: number }
  /** The link never opened. `code` is the coordinator's where it gave one. */
  | { kind: 'linkFailed'; link: number; code: string | null; message: string }
  | { kind: 'linkClosed'; link: number; reason: string }
  | { kind: 'messagesReceived'; link: number; messages: readonly CoordinatorMessage[] }
  /** A frame that does not match the contract. */
  | { kind: 'badFrame'; link: number; message: string }
  /** A new report, already in the spool, with a number above all before it. */
  | { kind: 'reportAdded'; report: Report; isReady: boolean }
  /** The report of this number may be sent, with this content. */
  | { kind: 'reportReady'; report: Report }
  /** Live output: sent when there is a link, forgotten when there is none. */
  | { kind: 'outputAdded'; messages: readonly AgentMessage[] }
  | { kind: 'offerChanged'; offer: SessionOffer }
  /** Take nothing new and leave when all is done and delivered. `report` is the spooled `draining`. */
  | { kind: 'drainAsked'; report: Report & { kind: 'draining' } }
  | { kind: 'stopAsked'; reason: string }
  | { kind: 'vitalsMeasured'; residentMiB: number }
  | { kind: 'timePassed' };

export type SessionOutput =
  | { kind: 'openLink'; link: number }
  | { kind: 'send'; link: number; messages: AgentMessage[] }
  | { kind: 'closeLink'; link: number; reason: string }
  | { kind: 'deliverAssign'; assign: Assign }
  | { kind: 'deliverTakeBack'; attempts: AttemptRef[] }
  | { kind: 'deliverCancel'; attempts: AttemptRef[]; reason: string }
  | { kind: 'deliverDrain'; reason: string }
  | { kind: 'deliverCertify'; request: CertifyRequest }
  | { kind: 'deliverRecover'; request: RecoverRequest }
  /** The fleet's checks for every worker, with each welcome. */
  | { kind: 'fleetChecks'; checks: CheckSpec[] }
  /** No longer this worker's: stop them and report nothing of them. */
  | { kind: 'abandon'; attempts: AttemptRef[] }
  | { kind: 'dropSpool'; throughSeq: number }
  | { kind: 'note'; level: 'info' | 'warning'; text: string }
  /** The end. `error` when it is not the end that was asked for. */
  | { kind: 'stop'; reason: string; error: { code: string; message: string } | null };

export type SessionStart = {
  config?: Partial<SessionConfig>;
  offer: SessionOffer;
  /** Unacknowledged reports from the spool, in order, and whether each may be sent already. */
  pending: PendingReport[];
  nextSeq: number;
  /** Seeds the jitter. */
  seed: number;
};

export function attemptKey(ref: AttemptRef): string {
  return `${ref.task}#${ref.attempt}`;
}

/** A machine in `idle`. What its unacknowledged reports settle is still held: the coordinator does not know of it yet. */
export function createSession(start: SessionStart): SessionState {
  const state: SessionState = {
    config: { ...sessionDefaults, ...start.config },
    offer: start.offer,
    phase: { kind: 'idle' },
    links: 0,
    failures: 0,
    wasWelcomed: false,
    random: start.seed >>> 0,
    pending: [...start.pending],
    nextSeq: start.nextSeq,
    held: new Map(),
    drain: null,
    residentMiB: null,
  };
  for (const { report } of state.pending) noteReport(state, report);
  return state;
}

/** Keeps `held` true to a new report. */
export function noteReport(state: SessionState, report: Report): void {
  if (report.kind === 'started') {
    const held = state.held.get(attemptKey(report));
    if (held?.stage === 'waiting') state.held.set(attemptKey(report), { ref: held.ref, stage: 'running' });
    return;
  }
  for (const ref of settledBy(report)) {
    state.held.set(attemptKey(ref), { ref, stage: 'reported', seq: report.seq });
  }
}

/** The attempts that are over by this report. */
export function settledBy(report: Report): AttemptRef[] {
  if (report.kind === 'finished') return [{ task: report.task, attempt: report.attempt }];
  return report.kind === 'returned' ? report.attempts : [];
}
