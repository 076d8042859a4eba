// Exit codes of every command, as one table: docs/reference/exit-codes.md is generated from it. 0 is given only when
// something ran and all of it passed.
import type { Verdict } from '@assay/protocol';

export const exitCodes = {
  passed: { code: 0, meaning: 'Something ran and all of it passed; or the command did what it was asked.' },
  failed: { code: 1, meaning: 'At least one test failed, timed out, or could not be executed.' },
  usage: { code: 2, meaning: 'The command line, the configuration or the project is wrong; nothing was run.' },
  inconclusive: {
    code: 3,
    meaning: 'Nothing ran, or what ran proves nothing: no test found, all skipped, no worker that fits.',
  },
  unreachable: { code: 4, meaning: 'The coordinator could not be reached, or refused the token.' },
  canceled: { code: 5, meaning: 'The run was canceled: by Ctrl-C, by assay cancel.' },
  internal: { code: 70, meaning: 'Assay itself failed.' },
} as const;

/** The exit code that a run's verdict gives; a run without a verdict is inconclusive. */
export function exitCodeOf(verdict: Verdict | undefined): number {
  switch (verdict) {
    case 'passed':
      return exitCodes.passed.code;
    case 'failed':
    case 'errored':
    case 'timedOut':
    case 'lost':
      return exitCodes.failed.code;
    case 'canceled':
      return exitCodes.canceled.code;
    default:
      return exitCodes.inconclusive.code;
  }
}
