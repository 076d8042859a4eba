// Troubles of a coordinator: its state directory, journal, results, blobs and tokens.
import type { ErrorEntry } from './entry.ts';

export const coordinatorErrors = {
  LISTEN_FAILED: {
    status: 500,
    retryable: true,
    summary: 'The coordinator cannot listen at this address.',
    next: 'Choose another with --port or --host, or end what uses it.',
  },
  LISTEN_NOT_LOOPBACK: {
    status: 500,
    retryable: false,
    summary: 'Listening beyond loopback needs tokens.',
    next: "Create an admin token first, in the coordinator's state directory: assay token create --state DIR --scope admin.",
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
} as const satisfies Record<string, ErrorEntry>;
