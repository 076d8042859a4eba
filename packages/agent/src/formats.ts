// The agent's door for those who read other tools' reports: the readers that it reads back with, and what makes a case of what they
// give.
import { caseOf } from './execute/host-events.ts';
import { maskerOf } from './execute/mask.ts';
import type { Case } from '@assay/protocol';

export { benchmarkReaders } from './formats/benchmarks.ts';
export { parseJUnit } from './formats/junit.ts';
export { nodePath } from './formats/pytest-node.ts';
export { corrupt, failureFrom, firstIssue, measured, parseJson } from './formats/read-case.ts';
export type { ReadCase, Reader, ReadReport } from './formats/read-case.ts';
export { vitestMeasurements } from './formats/tinybench.ts';

const nothingSecret = maskerOf([]);

/** A case as the protocol takes it, cut to the limits with markers; null where it is damaged. */
export function toCase(read: unknown): Case | null {
  return caseOf(read, nothingSecret);
}
