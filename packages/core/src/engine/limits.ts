// The limits of the wire contract that the engine itself enforces. core takes only types from the protocol, so that it stays
// free of its dependencies; the compiler proves that each value here is the one in the protocol's table.
import type { limits } from '@assay/protocol';

type Values = { readonly [Name in keyof typeof limits]: (typeof limits)[Name]['value'] };

const values = {
  tasksPerRun: 2_000_000,
  suitesPerRun: 500,
  batchTasksMax: 500,
  casesPerAttempt: 200_000,
  messageChars: 16_384,
  checksPerWorker: 64,
  quarantinesMax: 1_000,
} as const satisfies Partial<Values>;

export function limit(name: keyof typeof values): number {
  return values[name];
}
