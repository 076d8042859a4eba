// What must hold of retries and troubles: every delayed retry is queued, has its time and stands in no line; a trouble is
// looked at by a task that waits or runs, and only while there is one.
import { taskIdOf } from './ids.ts';
import { findTask } from './lookup.ts';
import type { State } from './state.ts';

export function recoveryProblems(state: State): string[] {
  const problems: string[] = [];
  const expect = (condition: boolean, what: string): void => {
    if (!condition) problems.push(what);
  };
  const { delayed, delayedOf } = state.index;
  let timed = 0;
  for (const run of state.runs.values()) {
    for (const task of run.tasks) {
      const atMs = task.state.kind === 'queued' ? task.state.notBeforeMs : undefined;
      const entry = delayedOf.get(task);
      expect(entry?.atMs === atMs, `${taskIdOf(run.run, task.index)} waits for its time exactly when it has one`);
      if (atMs === undefined) continue;
      timed += 1;
      expect(entry?.lane.held.has(task) === true, `${taskIdOf(run.run, task.index)} stands in no line before its time`);
      expect(
        entry !== undefined && entry.heapSlot >= 0,
        `${taskIdOf(run.run, task.index)} has its place among the delayed`,
      );
    }
  }
  expect(delayed.size === timed && delayedOf.size === timed, 'as many retries are delayed as have a time');
  for (const outage of state.recovery.outages.values()) {
    if (outage.probe === null) continue;
    const probe = findTask(state, outage.probe)?.task.state.kind;
    expect(probe !== undefined && probe !== 'settled', `${outage.signature} is looked at by a task that is not over`);
  }
  return problems;
}
