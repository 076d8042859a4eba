// What every journal must do, as one suite that each adapter's test runs.
import { afterEach, expect, test } from 'vitest';
import type { AssayError } from '@assay/protocol';
import type { Journal, JournalEntry } from './journal.ts';

/** A place to keep a journal: opened, closed and opened again. */
export type JournalPlace = { open(): Journal; remove(): Promise<void> };

export function contractEntry(seq: number): JournalEntry {
  return {
    seq,
    atMs: 1_000 + seq,
    input: { kind: 'resultsAcknowledged', seq },
    events: [{ kind: 'linksReset', epoch: seq, graceUntilMs: 5 }],
  };
}

export function appendDurably(journal: Journal, entries: JournalEntry[]): Promise<void> {
  return new Promise((resolve, reject) =>
    journal.append(entries, (error) => (error === null ? resolve() : reject(error))),
  );
}

export function range(from: number, to: number): JournalEntry[] {
  return Array.from({ length: to - from + 1 }, (_, index) => contractEntry(from + index));
}

export function journalContract(name: string, makePlace: () => JournalPlace): void {
  const places: JournalPlace[] = [];
  const journals: Journal[] = [];
  function place(): { open(): Journal } {
    const made = makePlace();
    places.push(made);
    return {
      open: () => {
        const journal = made.open();
        journals.push(journal);
        return journal;
      },
    };
  }
  afterEach(async () => {
    for (const journal of journals.splice(0)) await journal.close();
    for (const made of places.splice(0)) await made.remove();
  });

  test(`${name}: an empty journal has no entries and no snapshot`, async () => {
    const journal = place().open();
    expect(journal.lastSeq()).toBe(0);
    expect(journal.firstSeq()).toBe(1);
    expect(await journal.read(1, 10)).toEqual([]);
    expect(await journal.latestSnapshot()).toBe(null);
  });

  test(`${name}: what was appended is read back in order, across batches`, async () => {
    const journal = place().open();
    await appendDurably(journal, range(1, 3));
    await appendDurably(journal, range(4, 4));
    expect(journal.lastSeq()).toBe(4);
    expect(await journal.read(1, 100)).toEqual(range(1, 4));
    expect(await journal.read(2, 2)).toEqual(range(2, 3));
    expect(await journal.read(5, 2)).toEqual([]);
  });

  test(`${name}: batches appended without waiting become durable in order`, async () => {
    const journal = place().open();
    const durable: number[] = [];
    await new Promise<void>((resolve) => {
      for (let batch = 0; batch < 20; batch += 1) {
        journal.append(range(batch * 5 + 1, batch * 5 + 5), (error) => {
          expect(error).toBe(null);
          expect(journal.lastSeq()).toBeGreaterThanOrEqual(batch * 5 + 5);
          durable.push(batch);
          if (batch === 19) resolve();
        });
      }
    });
    expect(durable).toEqual(Array.from({ length: 20 }, (_, batch) => batch));
    expect(await journal.read(1, 200)).toEqual(range(1, 100));
  });

  test(`${name}: nothing is durable before append calls back`, () => {
    const journal = place().open();
    let isDone = false;
    journal.append(range(1, 1), () => {
      isDone = true;
    });
    expect(isDone).toBe(false);
    expect(journal.lastSeq()).toBe(0);
  });

  test(`${name}: changing an entry after append changes nothing in the journal`, async () => {
    const journal = place().open();
    const entry = contractEntry(1);
    const appended = appendDurably(journal, [entry]);
    entry.events.length = 0;
    await appended;
    expect(await journal.read(1, 1)).toEqual([contractEntry(1)]);
  });

  test(`${name}: a gap in the sequence is a bug of the caller and is refused`, () => {
    const journal = place().open();
    expect(() => journal.append(range(2, 2), () => undefined)).toThrow(/1 is next/);
    expect(() => journal.append([], () => undefined)).toThrow(/empty/);
  });

  test(`${name}: entries and snapshots survive closing and opening`, async () => {
    const where = place();
    const first = where.open();
    await appendDurably(first, range(1, 10));
    await first.saveSnapshot({ seq: 6, state: '{"state":"ünïcode 🧪"}' });
    await first.close();
    const second = where.open();
    expect(second.lastSeq()).toBe(10);
    expect(await second.latestSnapshot()).toEqual({ seq: 6, state: '{"state":"ünïcode 🧪"}' });
    await appendDurably(second, range(11, 12));
    expect(await second.read(7, 100)).toEqual(range(7, 12));
  });

  test(`${name}: the newest two snapshots are kept, and the older can be asked for`, async () => {
    const journal = place().open();
    await appendDurably(journal, range(1, 9));
    for (const seq of [3, 5, 8]) await journal.saveSnapshot({ seq, state: `state ${seq}` });
    expect((await journal.latestSnapshot())?.seq).toBe(8);
    expect((await journal.latestSnapshot(8))?.state).toBe('state 5');
    expect(await journal.latestSnapshot(5)).toBe(null);
  });

  test(`${name}: a closed journal accepts nothing more`, async () => {
    const journal = place().open();
    await appendDurably(journal, range(1, 1));
    await journal.close();
    const error = await new Promise<AssayError | null>((resolve) => journal.append(range(2, 2), resolve));
    expect(error?.code).toBe('SHUTTING_DOWN');
  });
}
