// A spool for tests and for the simulator, which carries it over a simulated restart by keeping the object.
import type { Report } from '@assay/protocol';
import { checkRoom, spoolDefaults } from './spool.ts';
import type { ReportBody, Spool } from './spool.ts';

export function createMemorySpool(options: { bytesMax?: number } = {}): Spool {
  const bytesMax = options.bytesMax ?? spoolDefaults.bytesMax;
  let kept: { report: Report; bytes: number }[] = [];
  let keptBytes = 0;
  let next = 0;
  return {
    append(body: ReportBody): Report {
      const report = { ...body, seq: next } as Report;
      const bytes = JSON.stringify(report).length;
      checkRoom(report.kind, bytes, keptBytes, bytesMax);
      next += 1;
      kept.push({ report, bytes });
      keptBytes += bytes;
      return report;
    },
    dropThrough(seq) {
      kept = kept.filter((one) => one.report.seq > seq);
      keptBytes = kept.reduce((sum, one) => sum + one.bytes, 0);
    },
    unacknowledged: () => kept.map((one) => one.report),
    nextSeq: () => next,
    close: () => undefined,
  };
}
