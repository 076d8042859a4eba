// The driver's promises under every interleaving: random inputs, turns and commits, and a crash at any moment.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Event, Input, StepResult } from '@assay/core';
import { createMemoryJournal, emptyDisk } from '../adapters/journal-memory.ts';
import type { JournalEntry } from '../ports/journal.ts';
import { createDriver, type DrivenEngine } from './driver.ts';

/** Even sequences make an event, odd ones are refused; either way the reply says how much had been decided. */
class CountingEngine implements DrivenEngine {
  readonly state = { seq: 0 };

  step(input: Input): StepResult {
    if (input.kind !== 'resultsAcknowledged') throw new Error(`unexpected ${input.kind}`);
    const event: Event = { kind: 'linksReset', epoch: input.seq, graceUntilMs: 0 };
    if (input.seq % 2 === 1)
      return { events: [], reply: { kind: 'refused', code: 'ODD', reason: String(this.state.seq) } };
    this.state.seq += 1;
    return { events: [event], reply: { kind: 'refused', code: 'EVEN', reason: String(this.state.seq) } };
  }

  nextDeadlineMs(): number | null {
    return null;
  }
}

type Action = { kind: 'send' } | { kind: 'turn' } | { kind: 'commit' } | { kind: 'fill' };
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Action>({ kind: 'send' }) },
  { weight: 4, arbitrary: fc.constant<Action>({ kind: 'turn' }) },
  { weight: 4, arbitrary: fc.constant<Action>({ kind: 'commit' }) },
  { weight: 1, arbitrary: fc.constant<Action>({ kind: 'fill' }) },
);

test('safety: what is told or replied is durable, in order, once; and nothing follows a failed append', () => {
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 120 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 5 }),
      (actions, appendsMax, workPerTurn) => {
        const disk = emptyDisk();
        const commits: (() => void)[] = [];
        const soon: (() => void)[] = [];
        const told: number[] = [];
        const replied: number[] = [];
        let deaths = 0;
        const driver = createDriver({
          engine: new CountingEngine(),
          clock: { nowMs: () => 0, after: () => () => undefined, soon: (act) => soon.push(act) },
          limits: { appendsMax, workPerTurn },
          journal: createMemoryJournal({ disk, schedule: (commit) => commits.push(commit) }),
          onCommitted: (entries: JournalEntry[]) => {
            expect(deaths).toBe(0);
            told.push(...entries.map((entry) => entry.seq));
            expect(disk.entries.length).toBeGreaterThanOrEqual(told.at(-1)!);
          },
          onFatal: () => (deaths += 1),
        });
        let sent = 0;
        for (const { kind } of actions) {
          if (kind === 'send') {
            const number = sent++;
            driver.submit({ kind: 'resultsAcknowledged', seq: number }, (outcome) => {
              if (outcome.kind === 'failed') return expect(deaths).toBe(1);
              expect(deaths).toBe(0);
              replied.push(number);
              // All that the decision rested on had been told before.
              expect(outcome.reply.kind === 'refused' && Number(outcome.reply.reason) <= told.length).toBe(true);
            });
          } else if (kind === 'turn') for (const act of soon.splice(0)) act();
          else if (kind === 'commit') commits.shift()?.();
          else disk.isFull = sent > 20;
        }
        expect(told).toEqual(Array.from({ length: told.length }, (_, index) => index + 1));
        expect(replied).toEqual(Array.from({ length: replied.length }, (_, index) => index));
        expect(deaths).toBeLessThanOrEqual(1);
      },
    ),
  );
});

test('liveness: once turns and commits go on, every input is replied to', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom<'send' | 'turn' | 'commit'>('send', 'turn', 'commit'), { maxLength: 80 }),
      (actions) => {
        const commits: (() => void)[] = [];
        const soon: (() => void)[] = [];
        let sent = 0;
        let replied = 0;
        const driver = createDriver({
          engine: new CountingEngine(),
          clock: { nowMs: () => 0, after: () => () => undefined, soon: (act) => soon.push(act) },
          limits: { workPerTurn: 2, appendsMax: 1 },
          journal: createMemoryJournal({ schedule: (commit) => commits.push(commit) }),
          onCommitted: () => undefined,
          onFatal: (error) => {
            throw error;
          },
        });
        for (const kind of actions) {
          if (kind === 'send') driver.submit({ kind: 'resultsAcknowledged', seq: sent++ }, () => (replied += 1));
          else if (kind === 'turn') for (const act of soon.splice(0)) act();
          else commits.shift()?.();
        }
        let hasStopped = false;
        driver.stop(() => (hasStopped = true));
        while (soon.length > 0 || commits.length > 0) {
          for (const act of soon.splice(0)) act();
          commits.shift()?.();
        }
        expect(replied).toBe(sent);
        expect(hasStopped).toBe(true);
        expect(driver.isBusy()).toBe(false);
      },
    ),
  );
});
