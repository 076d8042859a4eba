// Assertions: a false one is a bug of ours, never somebody's bad input. The process stops and recovers from its journal.

/** A broken expectation of our own; nothing catches it on purpose. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws unless `condition` holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** The value, which must be there. */
export function present<Value>(value: Value | null | undefined, what: string): Value {
  if (value === null || value === undefined) throw new AssertionError(`${what} is missing`);
  return value;
}
