// What every spool promises, run on the one in memory and on the one on disk.
import { expect, test } from 'vitest';
import type { AttemptRef } from '@assay/protocol';
import type { ReportBody, Spool } from './spool.ts';

export function started(task: string): ReportBody {
  return { kind: 'started', ...({ task, attempt: 1 } as AttemptRef), atMs: 1 };
}

export function cases(task: string, message: string): ReportBody {
  const failed = { path: ['a'], status: 'failed' as const, durationMs: 1, failure: { message } };
  return { kind: 'cases', ...({ task, attempt: 1 } as AttemptRef), from: 0, cases: [failed] };
}

/** `open` opens the same spool again after `close`. */
export function spoolContract(
  name: string,
  create: () => { open: (bytesMax?: number) => Spool; isDurable: boolean },
): void {
  test(`${name}: numbers count up from 0, and what is appended is unacknowledged in order`, () => {
    const spool = create().open();
    expect(spool.nextSeq()).toBe(0);
    const reports = ['a', 'b', 'c'].map((task) => spool.append(started(task)));
    expect(reports.map((report) => report.seq)).toEqual([0, 1, 2]);
    expect(spool.unacknowledged()).toEqual(reports);
    expect(spool.nextSeq()).toBe(3);
    spool.close();
  });

  test(`${name}: what is dropped is gone, what is above it stays, and dropping twice changes nothing`, () => {
    const spool = create().open();
    for (const task of ['a', 'b', 'c']) spool.append(started(task));
    spool.dropThrough(1);
    spool.dropThrough(1);
    spool.dropThrough(0);
    expect(spool.unacknowledged().map((report) => report.seq)).toEqual([2]);
    spool.dropThrough(100);
    expect(spool.unacknowledged()).toEqual([]);
    expect(spool.append(started('d')).seq).toBe(3);
    spool.close();
  });

  test(`${name}: bulky reports are refused above the bound by name, small ones are not, and acknowledging makes room`, () => {
    const spool = create().open(2_000);
    spool.append(cases('a', 'x'.repeat(1_500)));
    const before = spool.nextSeq();
    expect(() => spool.append(cases('b', 'x'.repeat(1_500)))).toThrow(expect.objectContaining({ code: 'SPOOL_FULL' }));
    expect(spool.nextSeq()).toBe(before);
    spool.append(started('c'));
    spool.dropThrough(0);
    spool.append(cases('b', 'x'.repeat(1_500)));
    expect(spool.unacknowledged().map((report) => report.kind)).toEqual(['started', 'cases']);
    spool.close();
  });

  test(`${name}: after a restart the unacknowledged are there and no number comes twice`, () => {
    const { open, isDurable } = create();
    if (!isDurable) return;
    let highest = -1;
    const kept: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      const spool = open();
      expect(spool.unacknowledged().map((report) => report.kind === 'started' && report.task)).toEqual(kept);
      for (const task of [`${round}.a`, `${round}.b`]) {
        const report = spool.append(started(task));
        expect(report.seq).toBeGreaterThan(highest);
        highest = report.seq;
        kept.push(task);
      }
      if (round === 2) {
        spool.dropThrough(highest - 1);
        kept.splice(0, kept.length - 1);
      }
      if (round === 3) {
        spool.dropThrough(highest);
        kept.length = 0;
      }
      spool.close();
    }
  });
}
