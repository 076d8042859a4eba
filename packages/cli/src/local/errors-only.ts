// The log of a coordinator that lives inside a command: silent, but for the errors that end it.
import type { Log } from '@assay/coordinator';

/** Errors go to standard error, one line each, with their message. */
export function errorsOnly(): Log {
  const ignore = (): void => undefined;
  return {
    info: ignore,
    warn: ignore,
    error: (message, details) => {
      const cause = details?.error;
      const why = cause instanceof Error ? `: ${cause.message}` : '';
      process.stderr.write(`the coordinator of this run ended: ${message}${why}\n`);
    },
  };
}
