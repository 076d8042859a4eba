// The public door of the connection machine, for the agent's shell and for the simulator.
export { backoffMs } from './backoff.ts';
export { attemptKey, createSession, sessionDefaults, settledBy } from './state.ts';
export type {
  CertifyRequest,
  Held,
  PendingReport,
  Phase,
  RecoverRequest,
  SessionConfig,
  SessionInput,
  SessionOffer,
  SessionOutput,
  SessionStart,
  SessionState,
} from './state.ts';
export { nextDeadlineMs, sessionStep } from './step.ts';
