// One row of the error catalogue.

export type ErrorEntry = {
  /** HTTP status where the code crosses the API. */
  readonly status: number;
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean;
  readonly summary: string;
  readonly next: string;
};
