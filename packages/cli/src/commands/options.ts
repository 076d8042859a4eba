// What commands share: connection options, and how an action ends (its number is the exit code; a fault is printed).
import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../config/duration.ts';
import { closeLocalHistory } from '../local/history.ts';
import { reportFault } from '../outcome.ts';

export function addConnectionOptions(
  command: Command,
  fallback = 'the one that runs here, or the history of local runs',
): Command {
  return command
    .option('--coordinator <url>', `the coordinator (default: ASSAY_COORDINATOR, or ${fallback})`)
    .option('--token <token>', 'the token (default: ASSAY_TOKEN)')
    .option(
      '--ca <file>',
      "certificate authority (PEM) of the coordinator, trusted beside the system's (default: ASSAY_CA)",
    );
}

/** Wraps a command's function: its result becomes the exit code, its faults are named. */
export function action<Arguments extends unknown[]>(
  perform: (...args: Arguments) => Promise<number>,
): (...args: Arguments) => Promise<void> {
  return async (...args) => {
    // commander passes the command itself last and the options before it.
    const options = args.at(-2) as { json?: boolean } | undefined;
    try {
      process.exitCode = await perform(...args);
    } catch (error) {
      process.exitCode = reportFault(error, options?.json === true);
    } finally {
      await closeLocalHistory();
    }
  };
}

/** A whole number within bounds, for commander. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** A duration such as 90s or 10m, in milliseconds, for commander. */
export function durationOption(text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms < 1) throw new InvalidArgumentError('It must be a duration: 90s, 10m, 1h30m.');
  return ms;
}
