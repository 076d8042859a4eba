import type { AttemptFailure, TaskId, WorkerId } from '@assay/protocol';
import { expect, test } from 'vitest';
import { adviseCircuits } from './advise.ts';
import type { HistoricAttempt } from './advise.ts';
import { circuitsDefaults } from './circuits-config.ts';

const inUse = circuitsDefaults.breakers.worker;
const broken: AttemptFailure = { class: 'infrastructure', code: 'DISK_FULL', message: 'no space left' };
const assertion: AttemptFailure = { class: 'test', code: 'TEST_FAILED', message: 'expected 1 to be 2' };

/** A history that is told one attempt after another, each a second long. */
class Told {
  readonly attempts: HistoricAttempt[] = [];
  #atMs = 0;
  #tasks = 0;

  ran(worker: string, verdict: 'passed' | 'failed' | 'errored', failure?: AttemptFailure, of?: TaskId): TaskId {
    const task = of ?? (`r-1.${this.#tasks++}` as TaskId);
    const attempt = this.attempts.filter((known) => known.task === task).length + 1;
    const startedAtMs = this.#atMs;
    this.#atMs += 1_000;
    this.attempts.push({
      task,
      attempt,
      worker: worker as WorkerId,
      project: 'shop',
      suite: 'unit',
      startedAtMs,
      endedAtMs: this.#atMs,
      verdict,
      ...(failure === undefined ? {} : { failure }),
    });
    return task;
  }

  /** Fails on one worker and passes on another. */
  fault(worker: string, other: string): void {
    this.ran(other, 'passed', undefined, this.ran(worker, 'errored', broken));
  }
}

test('a worker that fails what passes elsewhere would have been stopped, the sooner the stricter the setting', () => {
  const told = new Told();
  for (let turn = 0; turn < 100; turn += 1) told.ran('w-good', 'passed');
  for (let turn = 0; turn < 50; turn += 1) told.fault('w-bad', 'w-good');
  const advice = adviseCircuits(told.attempts, 'worker', inUse);
  expect(advice).toMatchObject({ attempts: 200, circuits: 2, faults: 50, good: 150, shared: 0, unproven: 0 });
  const [best] = advice.rows;
  const now = advice.rows.find(({ isInUse }) => isInUse);
  expect(best?.settings).toMatchObject({ consecutiveFailures: 2, openMs: 300_000 });
  // Two failures open it; it is over before the five minutes are.
  expect(best).toMatchObject({ caught: 48, wronglyStopped: 0, opened: 1 });
  expect(now?.caught).toBeGreaterThan(20);
  expect(now?.caught).toBeLessThan(48);
  expect(advice.thin).toEqual(['all of these were in 1 circuit, and it may be unlike others']);
  // Each of the grid says for itself what it would have done, once, those in use first.
  const settings = advice.grid.map((row) => JSON.stringify(row.settings));
  expect(new Set(settings).size).toBe(settings.length);
  // The settings in use are one of them.
  expect(settings).toHaveLength(5 * 3 * 3);
  expect(advice.grid.map(({ isInUse }) => isInUse).indexOf(true)).toBe(0);
  expect(advice.grid).toEqual(expect.arrayContaining([...advice.rows]));
  for (const { settings: of, caught, opened } of advice.grid)
    if (of.consecutiveFailures === 3 && of.openMs === 300_000)
      expect({ caught, opened }).toEqual({ caught: 47, opened: 1 });
});

test('a worker with one bad spell shows what a long open time costs', () => {
  const told = new Told();
  for (let spell = 0; spell < 10; spell += 1) {
    for (let turn = 0; turn < 4; turn += 1) told.fault(`w-${spell % 2}`, 'w-other');
    for (let turn = 0; turn < 60; turn += 1) told.ran(`w-${spell % 2}`, 'passed');
  }
  const advice = adviseCircuits(told.attempts, 'worker', inUse);
  expect(advice.thin).toEqual([]);
  // What catches more stops more that was good: nothing listed is beaten by another, the settings in use excepted.
  const listed = advice.rows.filter(({ isInUse }) => !isInUse);
  for (const [at, row] of listed.entries())
    for (const other of listed.slice(at + 1)) {
      expect(other.caught).toBeLessThan(row.caught);
      expect(other.wronglyStopped).toBeLessThan(row.wronglyStopped);
    }
  expect(listed[0]?.wronglyStopped).toBeGreaterThan(0);
});

test('a test that fails stops nothing, here and elsewhere', () => {
  const told = new Told();
  for (let turn = 0; turn < 100; turn += 1) {
    const task = told.ran('w-1', 'failed', assertion);
    told.ran('w-2', 'failed', assertion, task);
  }
  const advice = adviseCircuits(told.attempts, 'worker', inUse);
  expect(advice).toMatchObject({ faults: 0, good: 200 });
  expect(advice.rows.map(({ opened, caught, wronglyStopped }) => [opened, caught, wronglyStopped])).toEqual([
    [0, 0, 0],
  ]);
  expect(advice.thin).toEqual(['0 attempts that failed here and passed elsewhere, and at least 20 are needed']);
});

test('what failed on every worker that tried is the fault of none of them', () => {
  const told = new Told();
  for (let turn = 0; turn < 20; turn += 1) told.ran('w-2', 'errored', broken, told.ran('w-1', 'errored', broken));
  const advice = adviseCircuits(told.attempts, 'worker', inUse);
  expect(advice).toMatchObject({ faults: 0, good: 0, shared: 20, unproven: 20 });
  for (const row of advice.rows) expect(row).toMatchObject({ caught: 0, wronglyStopped: 0 });
  expect(advice.rows[0]?.otherwiseStopped).toBeGreaterThan(0);
});

test('a driver that breaks one kind of work is a matter of that work on that worker, and not of the worker', () => {
  const told = new Told();
  const driver: AttemptFailure = { class: 'driver', code: 'DRIVER_CRASHED', message: 'lost' };
  for (let turn = 0; turn < 30; turn += 1) told.ran('w-2', 'passed', undefined, told.ran('w-1', 'errored', driver));
  expect(adviseCircuits(told.attempts, 'worker', inUse).rows[0]).toMatchObject({ opened: 0 });
  expect(adviseCircuits(told.attempts, 'workerTask', inUse).rows[0]?.caught).toBeGreaterThan(20);
});

test('no history is said to be thin', () => {
  const advice = adviseCircuits([], 'worker', inUse);
  expect(advice.thin).toHaveLength(2);
  expect(advice.rows).toHaveLength(1);
});
