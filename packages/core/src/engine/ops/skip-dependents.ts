// What comes after a task that did not pass is not run: it is settled at once, with the reason, and so is what comes after that.
//
// As skipped where the test, or whoever canceled it, stood in the way; as inconclusive where the verdict before says nothing of
// what was tested (errored, lost, inconclusive), because then nobody knows whether it would have passed.
import type { Verdict } from '@assay/protocol';
import { fellowsOf } from '../../scheduling/gangs.ts';
import { taskIdOf } from '../ids.ts';
import type { RunRecord, TaskRecord } from '../state.ts';
import type { Step } from '../step.ts';

const saysNothing: ReadonlySet<Verdict> = new Set(['errored', 'lost', 'inconclusive']);

export function skipDependents(step: Step, run: RunRecord, task: TaskRecord): void {
  const over = [task];
  for (let before = over.pop(); before !== undefined; before = over.pop()) {
    for (const index of run.dependents.get(before.index) ?? []) {
      const dependent = run.tasks[index];
      if (dependent === undefined || dependent.state.kind !== 'queued' || before.state.kind !== 'settled') continue;
      over.push(...settleUnrun(step, run, dependent, before, before.state.verdict));
    }
  }
}

/** Tasks that came after what they depend on was over: from `first` on. */
export function skipLateDependents(step: Step, run: RunRecord, first: number): void {
  if (run.after.size === 0 || run.state.kind === 'canceling') return;
  for (const task of run.tasks.slice(first)) {
    const before = run.after.get(task.index)?.map((index) => run.tasks[index]);
    const failed = before?.find((one) => one?.state.kind === 'settled' && one.state.verdict !== 'passed');
    if (failed?.state.kind !== 'settled' || task.state.kind !== 'queued') continue;
    for (const over of settleUnrun(step, run, task, failed, failed.state.verdict)) skipDependents(step, run, over);
  }
}

/** Settles a task, and with it those of its gang that wait: a gang runs together or not at all. */
function settleUnrun(step: Step, run: RunRecord, task: TaskRecord, before: TaskRecord, because: Verdict): TaskRecord[] {
  const gang = run.lanes[task.suite]?.gang ?? null;
  const together = gang === null ? [task] : fellowsOf(gang, task);
  const over = together.filter(({ state }) => state.kind === 'queued');
  for (const one of over) settleOne(step, run, one, before, because);
  return over;
}

function settleOne(step: Step, run: RunRecord, task: TaskRecord, before: TaskRecord, because: Verdict): void {
  const id = taskIdOf(run.run, task.index);
  const verdict = saysNothing.has(because) ? 'inconclusive' : 'skipped';
  const name = before.target === '' ? taskIdOf(run.run, before.index) : before.target;
  step.emit({
    kind: 'attemptSettled',
    task: id,
    attempt: task.lastAttempt + 1,
    worker: null,
    verdict,
    failure: {
      class: 'configuration',
      code: 'DEPENDENCY_NOT_PASSED',
      message: `Not run: it comes after ${name}, which ${because === 'inconclusive' ? 'was inconclusive' : because}.`,
      evidence: { dependency: taskIdOf(run.run, before.index), verdict: because },
    },
    counts: { passed: 0, failed: 0, skipped: 0, todo: 0 },
    next: { kind: 'settle' },
  });
  step.emit({ kind: 'taskSettled', task: id, verdict });
}
