// The spool of a simulated agent: the production one in memory, on a disk that may lose its last writes when the power goes.
// What always holds: a number is never used twice, also where its report was lost (the file spool reserves them in blocks).
import { createMemorySpool } from '@assay/agent/spool';
import type { Spool } from '@assay/agent/simulation';
import type { Report } from '@assay/protocol';

export type SimSpool = Spool & {
  /** Loses the newest `count` reports, as a power cut does; returns them. */
  loseLast(count: number): Report[];
};

export function createSimSpool(): SimSpool {
  const spool = createMemorySpool();
  const lost = new Set<number>();
  const kept = (): Report[] => spool.unacknowledged().filter(({ seq }) => !lost.has(seq));
  return {
    append: (body) => spool.append(body),
    dropThrough: (seq) => spool.dropThrough(seq),
    unacknowledged: kept,
    nextSeq: () => spool.nextSeq(),
    close: () => spool.close(),
    loseLast: (count) => {
      const last = count === 0 ? [] : kept().slice(-count);
      for (const { seq } of last) lost.add(seq);
      return last;
    },
  };
}
