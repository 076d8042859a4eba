// Troubles of a request: what a client sent, who sent it, and whether there is anyone to answer.
import type { ErrorEntry } from './entry.ts';

export const requestErrors = {
  BAD_REQUEST: {
    status: 400,
    retryable: false,
    summary: 'The request does not match its schema.',
    next: 'Correct the fields that the message names.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    retryable: false,
    summary: 'The request is larger than the limit.',
    next: 'Send it in smaller parts; see docs/reference/limits.md.',
  },
  NOT_FOUND: {
    status: 404,
    retryable: false,
    summary: 'No such run, task, worker, blob or token.',
    next: 'List what there is: assay runs, assay tasks, assay workers.',
  },
  UNAUTHORIZED: {
    status: 401,
    retryable: false,
    summary: 'No token was given, or it is not valid.',
    next: 'Give one with --token or ASSAY_TOKEN; make one with assay token create.',
  },
  FORBIDDEN: {
    status: 403,
    retryable: false,
    summary: 'The token lacks the scope that this needs.',
    next: 'Use a token with the scope that the message names.',
  },
  CONFLICT: {
    status: 409,
    retryable: false,
    summary: 'The request contradicts what is already there.',
    next: 'Read the current state, then decide.',
  },
  IDEMPOTENCY_MISMATCH: {
    status: 409,
    retryable: false,
    summary: 'The idempotency key was used before for another submission.',
    next: 'Use a new key, or send the same submission.',
  },
  RUN_SEALED: { status: 409, retryable: false, summary: 'The run takes no more tasks.', next: 'Submit a new run.' },
  RUN_TOO_LARGE: {
    status: 413,
    retryable: false,
    summary: 'The run has more tasks than one run may have.',
    next: 'Split it into several runs.',
  },
  QUERY_REFUSED: {
    status: 400,
    retryable: false,
    summary: 'The SQL is not one SELECT that the results store can answer.',
    next: 'Correct it as the message says; docs/reference/results.md has the tables.',
  },
  QUERY_TOO_LONG: {
    status: 400,
    retryable: false,
    summary: 'The SQL took longer than a question may.',
    next: 'Ask for less: fewer runs, fewer columns, a narrower time.',
  },
  QUERY_TOO_LARGE: {
    status: 400,
    retryable: false,
    summary: 'The SQL needed more memory than questions may have: the rest is for what runs bring in.',
    next: 'Ask for less: fewer runs, fewer columns, aggregates with fewer groups.',
  },
  BAD_REQUIREMENT: {
    status: 400,
    retryable: false,
    summary: 'The requirement is not a valid expression.',
    next: 'Correct it at the place that the message names.',
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    retryable: true,
    summary: 'Too many wrong tokens, listeners, links or waiting requests at once.',
    next: 'Wait a minute and try again.',
  },
  SHUTTING_DOWN: {
    status: 503,
    retryable: true,
    summary: 'The coordinator is stopping.',
    next: 'Try again in a few seconds; nothing accepted is lost.',
  },
  INTERNAL: {
    status: 500,
    retryable: true,
    summary: 'The coordinator met a bug.',
    next: "Try again; report it with the coordinator's log.",
  },
  BLOB_DIGEST_MISMATCH: {
    status: 400,
    retryable: true,
    summary: 'The content does not have the digest it was sent under.',
    next: 'Send it again.',
  },
  COORDINATOR_UNREACHABLE: {
    status: 503,
    retryable: true,
    summary: 'The coordinator does not answer.',
    next: 'Check the URL and that assay up is running.',
  },
  USAGE: { status: 400, retryable: false, summary: 'The command line is wrong.', next: 'See --help.' },
} as const satisfies Record<string, ErrorEntry>;
