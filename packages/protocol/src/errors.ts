// The error catalogue: every named trouble a user, a client or a worker can meet, with what happens next. Codes are
// stable; clients decide by the code and `retryable`, people read `summary` and `next`. docs/reference/errors.md is
// generated from this table. Three kinds of trouble are kept apart: a refusal is a value, a fault is an AssayError, a
// bug is an assertion (see ARCHITECTURE.md, section 6).
import { z } from 'zod';

type Entry = {
  /** HTTP status where the code crosses the API. */
  readonly status: number;
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean;
  readonly summary: string;
  readonly next: string;
};

export const errorCatalogue = {
  // Requests
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
  // Workers
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
  // Coordinator
  LISTEN_NOT_LOOPBACK: {
    status: 500,
    retryable: false,
    summary: 'Listening beyond loopback needs tokens.',
    next: 'Create an admin token first, in the coordinator's state directory: assay token create --state DIR --scope admin.',
  },
  JOURNAL_TORN: {
    status: 500,
    retryable: false,
    summary: 'The journal ends in a record that was never acknowledged; it was set aside.',
    next: 'Nothing to do: all that was acknowledged is there.',
  },
  JOURNAL_CORRUPT: {
    status: 500,
    retryable: false,
    summary: 'The journal is damaged before its end.',
    next: 'Restore it from a backup, or start with a new state directory.',
  },
  JOURNAL_NEWER: {
    status: 500,
    retryable: false,
    summary: 'The journal was written by a newer version.',
    next: 'Install that version, or use another state directory.',
  },
  JOURNAL_WRITE_FAILED: {
    status: 500,
    retryable: false,
    summary: 'The journal could not be written; the coordinator stopped.',
    next: 'Free disk space or repair the disk, then start it again.',
  },
  RESULTS_NEWER: {
    status: 500,
    retryable: false,
    summary: 'The results database was written by a newer version.',
    next: 'Install that version, or use another state directory.',
  },
  RESULTS_UNAVAILABLE: {
    status: 503,
    retryable: true,
    summary: 'The results database cannot be opened or written.',
    next: 'Runs go on and results wait in the journal; free the database or its disk.',
  },
  TOKENS_UNAVAILABLE: {
    status: 500,
    retryable: false,
    summary: 'The stored tokens cannot be opened, or were written by a newer version.',
    next: 'Correct the permissions of tokens.sqlite, or install the newer version.',
  },
  BLOBS_UNAVAILABLE: {
    status: 503,
    retryable: true,
    summary: 'The blob store cannot be written or read.',
    next: "Free disk space or correct the directory's permissions; the sender tries again.",
  },
  STATE_IN_USE: {
    status: 500,
    retryable: false,
    summary: 'Another coordinator uses this state directory.',
    next: 'Stop it, or give --state another directory.',
  },
  // Projects and runners
  CONFIG_INVALID: {
    status: 400,
    retryable: false,
    summary: 'assay.config has unknown or wrong keys.',
    next: 'Correct the keys that the message names; see docs/reference/config.md.',
  },
  CONFIG_UNREADABLE: {
    status: 400,
    retryable: false,
    summary: 'assay.config could not be loaded.',
    next: 'Run it alone with node to see its error.',
  },
  PROJECT_UNREADABLE: {
    status: 400,
    retryable: false,
    summary: 'The project directory cannot be read.',
    next: 'Check the path and its permissions.',
  },
  NO_RUNNER_DETECTED: {
    status: 400,
    retryable: false,
    summary: 'No test runner was recognised in this project.',
    next: 'Name one in assay.config.ts, or use: assay run -- <command>.',
  },
  NO_TESTS_FOUND: {
    status: 400,
    retryable: false,
    summary: 'The runner lists no test files for this filter.',
    next: 'Check the filter; list with assay run --dry-run.',
  },
  RUNNER_NOT_INSTALLED: {
    status: 400,
    retryable: false,
    summary: "The project's test runner is not installed on the worker.",
    next: "Install the project's dependencies, or add them to the bundle's set-up.",
  },
  RUNNER_FAILED_TO_START: {
    status: 500,
    retryable: false,
    summary: 'The runner ended before it took its first file.',
    next: 'Read its output; run the same command in the project by hand.',
  },
  ERRORS_OUTSIDE_TESTS: {
    status: 500,
    retryable: false,
    summary: "The file's tests passed, and the runner reported errors outside of them.",
    next: 'Look for unhandled rejections, and for set-up or teardown that throws.',
  },
  EXECUTION_FAILED: {
    status: 500,
    retryable: true,
    summary: 'The agent could not execute the file, for a reason of its own.',
    next: "Read the message; look at the worker's log.",
  },
  RUNNER_DIED: {
    status: 500,
    retryable: false,
    summary: "The runner's process ended in the middle of this file.",
    next: "Read the file's output; look for process.exit, a native crash or memory.",
  },
  RUNNER_EXIT_MISMATCH: {
    status: 500,
    retryable: false,
    summary: "The runner's exit code contradicts its report.",
    next: 'Read the output for errors outside tests.',
  },
  FILE_FAILED_TO_LOAD: {
    status: 500,
    retryable: false,
    summary: 'The test file could not be loaded.',
    next: 'Read the error: usually a missing import or a syntax error.',
  },
  TESTS_FAILED: { status: 500, retryable: false, summary: 'Test cases failed.', next: 'Read the failing cases.' },
  NO_TESTS_RAN: {
    status: 500,
    retryable: false,
    summary: 'The file ran no test: that is never a pass.',
    next: 'Check the filter and the file.',
  },
  REPORT_CORRUPT: {
    status: 500,
    retryable: false,
    summary: "The runner's report is damaged or forged.",
    next: 'Look for test code that writes to the report or kills the reporter.',
  },
  REPORT_MISSING: {
    status: 500,
    retryable: false,
    summary: 'The report that the command should write is not there.',
    next: "Check the suite's junit path.",
  },
  TOO_MANY_CASES: {
    status: 500,
    retryable: false,
    summary: 'The file reported more cases than the limit.',
    next: 'Split the file.',
  },
  TIMED_OUT: {
    status: 500,
    retryable: false,
    summary: 'The file ran longer than its time-out.',
    next: 'Raise timeout, or find what hangs in the output.',
  },
  NO_OUTPUT: {
    status: 500,
    retryable: false,
    summary: 'The file gave no sign of life for the no-output time-out.',
    next: 'Raise noOutputTimeout, or find what hangs.',
  },
  OUT_OF_MEMORY: {
    status: 500,
    retryable: true,
    summary: 'The process was killed for memory.',
    next: 'Require more memory, or fewer slots on that worker.',
  },
  SCRATCH_DISK_FULL: {
    status: 500,
    retryable: true,
    summary: "The worker's scratch disk is full.",
    next: 'Free space on the worker.',
  },
  SOURCE_UNAVAILABLE: {
    status: 500,
    retryable: true,
    summary: "The worker could not get the project's source.",
    next: 'Check the bundle, or that the directory exists on the worker.',
  },
  SETUP_FAILED: {
    status: 500,
    retryable: true,
    summary: 'A set-up command of the bundle failed on the worker.',
    next: 'Read its output; run the same command there by hand.',
  },
  REQUIREMENT_MISFIT: {
    status: 500,
    retryable: true,
    summary: "The worker no longer fits the task's requirement.",
    next: 'The task goes to another worker.',
  },
  WORKER_LOST: {
    status: 500,
    retryable: true,
    summary: 'The worker fell silent while it held the task.',
    next: 'The task was given to another worker.',
  },
  RETRIES_EXHAUSTED: {
    status: 500,
    retryable: false,
    summary: 'Infrastructure failed the task more often than its budget allows.',
    next: 'Read the attempts; look at the workers that were lost.',
  },
  UNPLACEABLE: {
    status: 500,
    retryable: true,
    summary: 'No connected worker can do this task.',
    next: 'assay explain TASK says what each worker lacks.',
  },
  CANCELED: { status: 500, retryable: false, summary: 'The task was canceled.', next: 'Nothing to do.' },
  // Client side
  COORDINATOR_UNREACHABLE: {
    status: 503,
    retryable: true,
    summary: 'The coordinator does not answer.',
    next: 'Check the URL and that assay up is running.',
  },
  USAGE: { status: 400, retryable: false, summary: 'The command line is wrong.', next: 'See --help.' },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof errorCatalogue;

/** An error as it crosses the API. */
export const ErrorBody = z.strictObject({
  code: z.string().max(80),
  message: z.string().max(20_000),
  next: z.string().max(2_000),
  retryable: z.boolean(),
  details: z.array(z.string().max(2_000)).max(100).optional(),
});
export type ErrorBody = z.infer<typeof ErrorBody>;

/** A fault from the catalogue. `message` is for people and names the thing at hand. */
export class AssayError extends Error {
  readonly code: ErrorCode;
  readonly details: readonly string[] | undefined;
  override readonly name = 'AssayError';

  constructor(code: ErrorCode, message: string, details?: readonly string[], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return errorCatalogue[this.code].status;
  }

  /** The error as the API sends it and `--json` prints it. */
  toBody(): ErrorBody {
    const { next, retryable } = errorCatalogue[this.code];
    return {
      code: this.code,
      message: this.message,
      next,
      retryable,
      ...(this.details ? { details: this.details.slice(0, 100) } : {}),
    };
  }
}
