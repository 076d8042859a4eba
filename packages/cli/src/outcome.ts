// How every command ends: an exit code, and for a fault one message that says what happened and what to do next (or the same
// as JSON with --json). Bugs show their stack; everything from the catalogue does not.
import { AssayError, type ErrorBody, errorCatalogue } from '@assay/protocol';
import { exitCodes } from './exit-codes.ts';
import { paintFor } from './render/style.ts';

const unreachable = new Set(['COORDINATOR_UNREACHABLE', 'UNAUTHORIZED', 'FORBIDDEN', 'SHUTTING_DOWN']);

/** Prints the fault and returns the exit code that it gives. */
export function reportFault(error: unknown, asJson: boolean): number {
  const body = bodyOf(error);
  if (asJson) {
    process.stdout.write(
      `${JSON.stringify({ error: body ?? { code: 'INTERNAL', message: String(error) } }, null, 2)}\n`,
    );
  }
  const paint = paintFor(process.stderr);
  if (body === null) {
    process.stderr.write(
      `${paint('red', 'assay met a bug:')} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return exitCodes.internal.code;
  }
  process.stderr.write(`${paint('red', body.code)} ${body.message}\n${body.next}\n`);
  return unreachable.has(body.code)
    ? exitCodes.unreachable.code
    : body.code === 'NO_TESTS_FOUND'
      ? exitCodes.inconclusive.code
      : exitCodes.usage.code;
}

function bodyOf(error: unknown): ErrorBody | null {
  if (error instanceof AssayError) return error.toBody();
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code in errorCatalogue) {
    const known = errorCatalogue[error.code as keyof typeof errorCatalogue];
    return { code: error.code, message: error.message, next: known.next, retryable: known.retryable };
  }
  return null;
}
