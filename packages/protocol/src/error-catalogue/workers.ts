// Troubles between an agent and its coordinator, and of an agent on its own machine.
import type { ErrorEntry } from './entry.ts';

export const workerErrors = {
  PROTOCOL_MISMATCH: {
    status: 426,
    retryable: false,
    summary: 'Worker and coordinator speak different protocol versions.',
    next: 'Install the same major version on both.',
  },
  BAD_FRAME: {
    status: 400,
    retryable: true,
    summary: 'A frame was malformed, oversized or out of turn; the link was closed.',
    next: 'The worker reconnects and sends again what was not acknowledged.',
  },
  WORKER_ID_TAKEN: {
    status: 403,
    retryable: false,
    summary: 'This worker id belongs to another token.',
    next: 'Use the token it was first joined with, or another state directory.',
  },
  WORKER_SUPERSEDED: {
    status: 409,
    retryable: false,
    summary: 'Another process joined with the same worker id.',
    next: 'Give each worker process its own state directory.',
  },
  POOL_FORBIDDEN: {
    status: 403,
    retryable: false,
    summary: 'The token may not serve this pool.',
    next: 'Use a token with the scope worker:POOL.',
  },
  WORKER_HUNG: {
    status: 500,
    retryable: true,
    summary: 'The worker did not end the task at its time-out, and did not answer when asked to end it by force.',
    next: 'The task is given out again elsewhere; the worker is quarantined and repaired: assay workers shows how far that is.',
  },
  RUNNER_KILLED: {
    status: 500,
    retryable: true,
    summary: "The task's runner was ended by force to recover the worker or one of its devices.",
    next: 'The task is given out again, and its retries are not spent: assay workers says what was wrong.',
  },
  WORKER_RESTARTED: {
    status: 500,
    retryable: true,
    summary: "The worker's agent stopped or was killed while it ran the task.",
    next: "The task is given out again; read the agent's log if it happens often.",
  },
  WORKER_STATE_IN_USE: {
    status: 500,
    retryable: false,
    summary: 'Another agent uses this state directory.',
    next: 'Stop it, or give each worker process its own state directory.',
  },
  WORKER_STATE_UNUSABLE: {
    status: 500,
    retryable: false,
    summary: "The agent's state directory cannot be read or written.",
    next: 'Correct its permissions or free its disk, or give another state directory.',
  },
  WORKER_STATE_STALE: {
    status: 409,
    retryable: false,
    summary: "The agent's state directory is an old copy: the coordinator knows later reports of this worker.",
    next: 'Start the agent with a new, empty state directory.',
  },
  SPOOL_FULL: {
    status: 500,
    retryable: true,
    summary: 'Too many results wait on the worker for the coordinator.',
    next: 'The task is given out again; check why the worker could not reach the coordinator.',
  },
} as const satisfies Record<string, ErrorEntry>;
