// A wall time that is aimed at: as few workers as will do, more when it turns out worse, and the truth where none would do.
import { expect, test } from 'vitest';
import { explainTask } from './explain.ts';
import { Fleet } from '../testing/fleet.ts';
import { Lab, only, suiteOf } from '../testing/lab.ts';

const tasks = (count: number, expectedMs: number) =>
  Array.from({ length: count }, (_, index) => ({ suite: 0, target: `t${index}`, expectedMs }));

function fleet(realMs: number): Fleet {
  return new Fleet({ workers: 20, slots: 1, realMs: () => realMs, startupMs: 0 });
}

test('as few workers as are predicted to reach it', () => {
  const suites = [suiteOf()];
  const aimed = fleet(1_000).run(tasks(100, 1_000), { suites, finishWithinMs: 25_000 });
  // To within a task.
  expect(aimed.makespanMs).toBeLessThanOrEqual(26_000);
  expect([...aimed.busyMs.values()].filter((ms) => ms > 0).length).toBeLessThanOrEqual(6);
  const free = fleet(1_000).run(tasks(100, 1_000), { suites });
  expect([...free.busyMs.values()].filter((ms) => ms > 0)).toHaveLength(20);
});

test('more workers when the tasks take twice as long as predicted, and it is still reached', () => {
  const slow = fleet(2_000).run(tasks(100, 1_000), { suites: [suiteOf()], finishWithinMs: 25_000 });
  expect(slow.makespanMs).toBeLessThanOrEqual(26_500);
  expect([...slow.busyMs.values()].filter((ms) => ms > 0).length).toBeGreaterThan(6);
});

test('what all workers together cannot do is said, once, and all of them are used', () => {
  const { lab } = fleet(1_000);
  lab.submit(tasks(100, 60_000), { finishWithinMs: 10_000 });
  const { events } = lab.journal.at(-1)!;
  expect(only(events, 'goalOutOfReach')).toMatchObject([{ slots: 20 }]);
  expect(only(events, 'tasksAssigned')).toHaveLength(20);
});

test('a task that is spared says so', () => {
  const lab = new Lab();
  lab.join('w1');
  lab.join('w2');
  const run = lab.submit(tasks(4, 1_000), { finishWithinMs: 60_000 });
  const waiting = lab.engine.state.runs.get(run)!.tasks.find(({ state }) => state.kind === 'queued')!;
  const said = explainTask(lab.engine.state, lab.config, `${run}.${waiting.index}` as never, lab.nowMs);
  expect(said?.reasons.map(({ reason }) => reason)).toContain(
    'spared: 1 slots are predicted to end the run by its goal',
  );
});
