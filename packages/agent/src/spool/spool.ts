// Where reports wait until the coordinator has them in its journal. Also the giver of their sequence numbers, because a
// number must never be used twice in the life of a worker id: the coordinator drops a repeated number as a repeat.
//
// What always holds: numbers only count up, over every restart (gaps are allowed); what `append` returned is unacknowledged
// until it is dropped; after the process was killed at any byte, reopening gives every appended report, whole, in order.
import { AssayError } from '@assay/protocol';
import type { Report } from '@assay/protocol';

type WithoutSeq<R> = R extends Report ? Omit<R, 'seq'> : never;
/** A report before it has its number. */
export type ReportBody = WithoutSeq<Report>;

export interface Spool {
  /** Numbers the report and keeps it. Throws SPOOL_FULL for cases and profiles when the bound is reached. */
  append(body: ReportBody): Report;
  /** Everything up to and including this number is in the coordinator's journal. */
  dropThrough(seq: number): void;
  /** In order. */
  unacknowledged(): Report[];
  /** The number that the next report gets. */
  nextSeq(): number;
  close(): void;
}

export const spoolDefaults = {
  /** Unacknowledged reports kept, in bytes of JSON: a coordinator that is away for long must not fill the worker's disk or memory. */
  bytesMax: 64 * 1024 * 1024,
};

/**
 * Refuses bulky reports from `bytesMax` on. The small ones that begin and end work already in hand always fit: without them
 * it could not be given up in order, and there are no more of them than there is work.
 */
export function checkRoom(kind: Report['kind'], bytes: number, keptBytes: number, bytesMax: number): void {
  const isBulky = kind === 'cases' || kind === 'profileChanged';
  if (!isBulky || keptBytes + bytes <= bytesMax) return;
  throw new AssayError(
    'SPOOL_FULL',
    `${keptBytes} bytes of reports wait for the coordinator; the bound is ${bytesMax}`,
  );
}
