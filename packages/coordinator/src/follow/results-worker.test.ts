import { afterEach, expect, test } from 'vitest';
import { AssayError } from '@assay/protocol';
import { range } from '../ports/journal.contract.ts';
import type { JournalEntry } from '../ports/journal.ts';
import type { ResultStore } from '../ports/result-store.ts';
import { ResultsWorker, type EntrySource, type ResultsNews } from './results-worker.ts';

/** Entries 1 to `last`, three at a time. */
class ListedEntries implements EntrySource {
  last: number;
  next: number;

  constructor(last: number, next: number) {
    this.last = last;
    this.next = next;
  }

  behind(): number {
    return this.last - this.next + 1;
  }

  take(): JournalEntry[] {
    const entries = range(this.next, Math.min(this.last, this.next + 2));
    this.next += entries.length;
    return entries;
  }

  rewind(seq: number): void {
    this.next = seq;
  }
}

/** A store that keeps sequences in memory, and whose disk can be taken away. */
function listStore(applied: number[], isBroken: () => boolean): ResultStore {
  const unused = (): never => {
    throw new Error('not asked in this test');
  };
  return {
    appliedSeq: async () => applied.at(-1) ?? 0,
    apply: async (entries) => {
      if (isBroken()) throw new AssayError('RESULTS_UNAVAILABLE', 'the disk is gone');
      applied.push(...entries.map((entry) => entry.seq));
    },
    listRuns: unused,
    readRun: unused,
    listTasks: unused,
    readTask: unused,
    listCases: unused,
    query: unused,
    backup: unused,
    restore: unused,
    close: async () => undefined,
  };
}

const running: ResultsWorker[] = [];
afterEach(() => {
  for (const worker of running.splice(0)) worker.stop();
});

test('entries are applied in order from where the store is, and each acknowledgement follows its commit', async () => {
  const applied = [1, 2];
  const news: ResultsNews[] = [];
  const source = new ListedEntries(10, 0);
  const worker = new ResultsWorker({
    openStore: async () => listStore(applied, () => false),
    follow: (appliedSeq) => {
      source.next = appliedSeq + 1;
      return source;
    },
    say: (one) => {
      if (one.kind === 'applied') expect(applied.at(-1)).toBe(one.seq);
      news.push(one);
    },
    wait: async () => worker.stop(),
    gatherMs: 0,
  });
  running.push(worker);
  await worker.run();
  expect(applied).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(news).toEqual([
    { kind: 'opened', appliedSeq: 2 },
    { kind: 'applied', seq: 5 },
    { kind: 'applied', seq: 8 },
    { kind: 'applied', seq: 10 },
  ]);
});

test('only what trickles in is gathered: what one batch could not hold follows it at once', async () => {
  const waits: number[] = [];
  const source = new ListedEntries(10, 1);
  const worker = new ResultsWorker({
    openStore: async () => listStore([], () => false),
    follow: () => source,
    say: () => undefined,
    wait: async (delayMs) => {
      waits.push(delayMs);
      if (source.behind() === 0) worker.stop();
    },
    gatherMs: 700,
  });
  running.push(worker);
  await worker.run();
  expect(waits).toEqual([0, 0, 0, 700]);
});

test('after the limit of a stop no further batch is applied, and the store is closed', async () => {
  const applied: number[] = [];
  const source = new ListedEntries(10, 1);
  let closed = 0;
  const worker = new ResultsWorker({
    openStore: async () => ({
      ...listStore(applied, () => false),
      close: async () => {
        closed += 1;
      },
    }),
    follow: () => source,
    say: () => undefined,
    wait: async () => worker.stop(0),
    gatherMs: 0,
  });
  running.push(worker);
  await worker.run();
  expect(applied).toEqual([1, 2, 3]);
  expect(closed).toBe(1);
});

test('an error of the journal ends it, and only once the store is closed', async () => {
  let closed = 0;
  const source = new ListedEntries(10, 1);
  source.take = () => {
    throw new Error('entry 1 does not match its digest');
  };
  const worker = new ResultsWorker({
    openStore: async () => ({
      ...listStore([], () => false),
      close: async () => {
        closed += 1;
      },
    }),
    follow: () => source,
    say: () => undefined,
    wait: async () => undefined,
    gatherMs: 0,
  });
  running.push(worker);
  await expect(worker.run()).rejects.toThrow(/does not match/);
  expect(closed).toBe(1);
});

test('a batch that cannot be stored is tried again after growing waits, and nothing is lost or acknowledged meanwhile', async () => {
  const applied: number[] = [];
  const news: ResultsNews[] = [];
  const waits: number[] = [];
  const source = new ListedEntries(4, 1);
  const worker = new ResultsWorker({
    openStore: async () => listStore(applied, () => waits.length < 8),
    follow: () => source,
    say: (one) => news.push(one),
    wait: async (delayMs) => {
      waits.push(delayMs);
      if (source.behind() === 0) worker.stop();
    },
    gatherMs: 0,
  });
  running.push(worker);
  await worker.run();
  expect(applied).toEqual([1, 2, 3, 4]);
  expect(waits.slice(0, 8)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
  expect(news.filter((one) => one.kind === 'trouble')).toHaveLength(8);
  expect(news.filter((one) => one.kind !== 'trouble').map((one) => one.kind)).toEqual([
    'opened',
    'recovered',
    'applied',
    'applied',
  ]);
});

test('a store that cannot be opened is tried again; one of a newer version is not', async () => {
  const news: ResultsNews[] = [];
  const codes = ['RESULTS_UNAVAILABLE', 'RESULTS_UNAVAILABLE', 'RESULTS_NEWER'] as const;
  let tries = 0;
  const worker = new ResultsWorker({
    openStore: async () => {
      throw new AssayError(codes[tries++]!, 'no');
    },
    follow: () => new ListedEntries(0, 1),
    say: (one) => news.push(one),
    wait: async () => undefined,
    gatherMs: 0,
  });
  running.push(worker);
  await worker.run();
  expect(news.map((one) => (one.kind === 'trouble' ? [one.code, one.isFinal] : [one.kind]))).toEqual([
    ['RESULTS_UNAVAILABLE', false],
    ['RESULTS_UNAVAILABLE', false],
    ['RESULTS_NEWER', true],
  ]);
  await expect(worker.store()).rejects.toMatchObject({ code: 'RESULTS_UNAVAILABLE' });
});

test('a question asked while the store is being opened waits for it', async () => {
  const opening = Promise.withResolvers<ResultStore>();
  const worker = new ResultsWorker({
    openStore: () => opening.promise,
    follow: () => new ListedEntries(0, 1),
    say: () => undefined,
    wait: async () => worker.stop(),
    gatherMs: 0,
  });
  running.push(worker);
  const asked = worker.store();
  const run = worker.run();
  const store = listStore([], () => false);
  opening.resolve(store);
  expect(await asked).toBe(store);
  await run;
});
