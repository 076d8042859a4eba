import { expect, test } from 'vitest';
import type { Event, Input, StepResult } from '@assay/core';
import type { SessionId, WorkerId } from '@assay/protocol';
import { createMemoryJournal, emptyDisk, type MemoryDisk } from '../adapters/journal-memory.ts';
import type { JournalEntry } from '../ports/journal.ts';
import { HandClock } from '../testing/hand-clock.ts';
import { createDriver, type Driver, type DrivenEngine, type DriverLimits, type Outcome } from './driver.ts';

/** A small engine of its own: an acknowledgement of an odd sequence makes an event, an even one makes none, a restart throws. */
class CountingEngine implements DrivenEngine {
  readonly state = { seq: 0 };
  readonly stepped: number[] = [];
  deadlineMs: number | null = null;

  step(input: Input, nowMs: number): StepResult {
    if (input.kind === 'coordinatorRestarted') throw new Error('a bug');
    if (input.kind === 'timePassed') {
      this.deadlineMs = null;
      return this.#changed({ kind: 'linksReset', epoch: nowMs, graceUntilMs: 0 });
    }
    if (input.kind === 'workerReported') return { events: [], reply: { kind: 'accepted' } };
    if (input.kind !== 'resultsAcknowledged') throw new Error(`unexpected ${input.kind}`);
    this.stepped.push(input.seq);
    if (input.seq % 2 === 0) return { events: [], reply: { kind: 'refused', code: 'EVEN', reason: String(input.seq) } };
    return this.#changed({ kind: 'linksReset', epoch: input.seq, graceUntilMs: 0 });
  }

  nextDeadlineMs(): number | null {
    return this.deadlineMs;
  }

  #changed(event: Event): StepResult {
    this.state.seq += 1;
    return { events: [event], reply: { kind: 'accepted' } };
  }
}

type Rig = {
  engine: CountingEngine;
  clock: HandClock;
  commits: (() => void)[];
  log: string[];
  driver: Driver;
  disk: MemoryDisk;
  send(seq: number): void;
};

function rig(limits: Partial<DriverLimits> = {}): Rig {
  const engine = new CountingEngine();
  const clock = new HandClock();
  const commits: (() => void)[] = [];
  const log: string[] = [];
  const disk = emptyDisk();
  const driver = createDriver({
    engine,
    clock,
    limits,
    journal: createMemoryJournal({ disk, schedule: (commit) => commits.push(commit) }),
    onCommitted: (entries: JournalEntry[]) => log.push(`committed ${entries.map((entry) => entry.seq).join(' ')}`),
    onFatal: (error) => log.push(`fatal ${String(error)}`),
  });
  const tell = (seq: number) => (outcome: Outcome) =>
    log.push(`${seq} ${outcome.kind === 'durable' ? outcome.reply.kind : outcome.error.code}`);
  return {
    engine,
    clock,
    commits,
    log,
    driver,
    disk,
    send: (seq) => driver.submit({ kind: 'resultsAcknowledged', seq }, tell(seq)),
  };
}

test('inputs of one turn are one batch, and nothing is told before it is durable', () => {
  const { clock, commits, log, disk, send } = rig();
  send(1);
  send(3);
  expect(log).toEqual([]);
  clock.turn();
  expect(commits).toHaveLength(1);
  expect(log).toEqual([]);
  commits.shift()!();
  expect(disk.entries).toHaveLength(2);
  expect(log).toEqual(['committed 1 2', '1 accepted', '3 accepted']);
});

test('a reply without events waits for what was decided before it', () => {
  const { clock, commits, log, send } = rig();
  send(1);
  clock.turn();
  send(2);
  clock.turn();
  expect(log).toEqual([]);
  commits.shift()!();
  expect(log).toEqual(['committed 1', '1 accepted', '2 refused']);
  send(4);
  clock.turn();
  expect(log.at(-1)).toBe('4 refused');
  expect(commits).toHaveLength(0);
});

test('the engine runs ahead of the disk by a bounded number of appends, and the rest becomes one batch', () => {
  const { engine, clock, commits, log, send } = rig({ appendsMax: 2 });
  for (let seq = 1; seq <= 9; seq += 2) {
    send(seq);
    clock.turn();
  }
  expect(engine.stepped).toEqual([1, 3, 5, 7, 9]);
  expect(commits).toHaveLength(2);
  commits.shift()!();
  commits.shift()!();
  commits.shift()!();
  expect(log.filter((line) => line.startsWith('committed'))).toEqual(['committed 1', 'committed 2', 'committed 3 4 5']);
});

test('one turn steps a bounded number of inputs', () => {
  const { engine, clock, send } = rig({ workPerTurn: 3 });
  for (let seq = 1; seq <= 7; seq += 1) send(seq);
  clock.turn();
  expect(engine.stepped).toHaveLength(3);
  clock.turn();
  clock.turn();
  expect(engine.stepped).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('it is busy while too much waits to be stepped or committed', () => {
  const { clock, commits, driver, send } = rig({ workMax: 3 });
  for (const seq of [1, 3]) send(seq);
  expect(driver.isBusy()).toBe(false);
  send(5);
  expect(driver.isBusy()).toBe(true);
  clock.turn();
  expect(driver.isBusy()).toBe(true);
  commits.shift()!();
  expect(driver.isBusy()).toBe(false);
});

test('after a failed append nothing is told, replied or stepped any more', () => {
  const { engine, clock, commits, log, disk, send } = rig();
  send(1);
  clock.turn();
  send(3);
  clock.turn();
  disk.isFull = true;
  commits.shift()!();
  commits.shift()!();
  expect(log).toEqual(['fatal AssayError: the disk is full']);
  send(5);
  clock.turn();
  expect(engine.stepped).toEqual([1, 3]);
  expect(log).toEqual(['fatal AssayError: the disk is full', '5 SHUTTING_DOWN']);
});

test('a bug in the engine ends everything, and what was decided in that turn never becomes true', () => {
  const { clock, commits, log, driver, send, disk } = rig();
  send(1);
  driver.submit({ kind: 'coordinatorRestarted', epoch: 1 });
  send(3);
  clock.turn();
  expect(log).toEqual(['fatal Error: a bug']);
  expect(commits).toHaveLength(0);
  expect(disk.entries).toHaveLength(0);
});

test('the engine is told that time passed when its deadline is reached, and not before', () => {
  const { engine, clock, commits, log, send } = rig();
  engine.deadlineMs = 500;
  send(1);
  clock.turn();
  clock.pass(499);
  clock.turn();
  expect(engine.deadlineMs).toBe(500);
  clock.pass(500);
  clock.turn();
  expect(engine.deadlineMs).toBe(null);
  for (const commit of commits.splice(0)) commit();
  expect(log).toEqual(['committed 1', '1 accepted', 'committed 2']);
  expect(clock.timerTimes()).toEqual([]);
});

test('an engine whose deadline stays in the past does not spin the loop', () => {
  const { engine, clock, send } = rig();
  clock.ms = 1_000;
  engine.deadlineMs = 10;
  send(1);
  clock.turn();
  expect(clock.timerTimes()).toEqual([1_001]);
});

test('whenDurable calls back at once when all is durable, else with the commit', () => {
  const { clock, commits, log, driver, send } = rig();
  driver.whenDurable(() => log.push('durable'));
  expect(log).toEqual(['durable']);
  send(1);
  clock.turn();
  driver.whenDurable(() => log.push('durable again'));
  expect(log).toEqual(['durable']);
  commits.shift()!();
  expect(log).toEqual(['durable', 'committed 1', '1 accepted', 'durable again']);
});

test('stopping finishes what was taken and refuses what comes after', () => {
  const { engine, clock, commits, log, driver, send } = rig();
  engine.deadlineMs = 5_000;
  send(1);
  driver.stop(() => log.push('stopped'));
  send(3);
  clock.turn();
  expect(log).toEqual(['3 SHUTTING_DOWN']);
  commits.shift()!();
  expect(log).toEqual(['3 SHUTTING_DOWN', 'committed 1', '1 accepted', 'stopped']);
  expect(clock.timerTimes()).toEqual([]);
});

test('large inputs weigh more, and even one that weighs more than a turn is stepped', () => {
  const { engine, clock, driver, send } = rig({ workPerTurn: 2, workMax: 6 });
  const reports = Array.from({ length: 10 }, (_, seq) => ({ kind: 'draining', seq, reason: '' }) as const);
  driver.submit({ kind: 'workerReported', worker: 'w' as WorkerId, session: 's' as SessionId, reports });
  expect(driver.isBusy()).toBe(true);
  for (const seq of [1, 3, 5]) send(seq);
  clock.turn();
  expect(engine.stepped).toEqual([]);
  clock.turn();
  expect(engine.stepped).toEqual([1, 3]);
});

test('asked to stop twice, it ends once everything is told, for both', () => {
  const { driver, clock, commits, log, send } = rig();
  send(1);
  clock.turn();
  driver.stop(() => log.push('first'));
  driver.stop(() => log.push('second'));
  clock.turn();
  expect(log).not.toContain('second');
  commits.shift()?.();
  expect(log.slice(-2)).toEqual(['first', 'second']);
});
