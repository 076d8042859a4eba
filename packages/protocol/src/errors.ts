// The error catalogue: every named trouble a user, a client or a worker can meet, with what happens next. Codes are
// stable; clients decide by the code and `retryable`, people read `summary` and `next`. docs/reference/errors.md is
// generated from this table. Three kinds of trouble are kept apart: a refusal is a value, a fault is an AssayError, a
// bug is an assertion (see ARCHITECTURE.md, section 6).
import { coordinatorErrors } from './error-catalogue/coordinator.ts';
import { failureErrors } from './error-catalogue/failures.ts';
import { projectErrors } from './error-catalogue/projects.ts';
import { requestErrors } from './error-catalogue/requests.ts';
import { workerErrors } from './error-catalogue/workers.ts';
import { z } from 'zod';

/** Every code with its row; the rows stand in error-catalogue/ by whose trouble it is. */
export const errorCatalogue = {
  ...requestErrors,
  ...workerErrors,
  ...coordinatorErrors,
  ...projectErrors,
  ...failureErrors,
} as const;

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
