// Says at once what no worker can do. Looked at when tasks came in and when the classes of possible workers changed; a
// disconnected worker in its grace still counts, a draining one does not.
import { taskIdOf } from '../ids.ts';
import { compareText } from '../../kernel/compare.ts';
import { misfitReasons } from '../../scheduling/explain.ts';
import { isPossible } from '../../scheduling/capacity.ts';
import type { Lane, RequirementGroup } from '../../scheduling/index-types.ts';
import { noCases, saidOf } from '../evolve-run.ts';
import { settleTask } from '../settle.ts';
import { nextOf } from './open-alternatives.ts';
import type { Step } from '../step.ts';

export function checkPlaceable(step: Step): void {
  const { unchecked } = step.state.index;
  if (unchecked.size === 0) return;
  // In an order that does not depend on when each group came up, which a restored state does not know.
  const groups = [...unchecked].sort((a, b) => compareText(a.key, b.key));
  unchecked.clear();
  for (const group of groups) {
    if (isPossible(group)) continue;
    const reasons = misfitReasons(step.state, group);
    for (const lane of [...group.lanes])
      if (lane.group === group && lane.queued > 0 && !lane.isClosed)
        sayUnplaceable(step, lane, group, [...reasons, ...laterChoice(lane)]);
  }
}

/** The first alternative still to open that a worker could meet: a reason to wait, and said with the others. */
export function laterChoice(lane: Lane): { reason: string; workers: number }[] {
  for (let opened = lane.opened + 1; opened < lane.groups.length; opened += 1) {
    const group = lane.groups[opened];
    const next = nextOf(lane, opened - 1);
    if (group === undefined || next === undefined || !isPossible(group)) continue;
    let meets = 0;
    for (const capability of group.fitting) meets += capability.possible;
    const after = `${Math.round(next.afterMs / 1000)} s of waiting`;
    return [
      {
        reason: `another alternative opens after ${after}, which ${meets} ${meets === 1 ? 'worker meets' : 'workers meet'}`,
        workers: 0,
      },
    ];
  }
  return [];
}

function sayUnplaceable(
  step: Step,
  lane: Lane,
  group: RequirementGroup,
  reasons: { reason: string; workers: number }[],
): void {
  const { run, suite } = lane;
  if (run.unplaceableSaid[suite] !== saidOf(reasons)) {
    step.emit({ kind: 'runUnplaceable', run: run.run, suite, requires: group.text, tasks: lane.queued, reasons });
  }
  if (run.spec.unplaceable !== 'settle' || laterChoice(lane).length > 0) return;
  const said = reasons
    .map(({ reason, workers }) => `${reason} (${workers} ${workers === 1 ? 'worker' : 'workers'})`)
    .join('; ');
  const message = `No connected worker can do this task: ${said}`;
  for (const task of run.tasks) {
    if (task.suite !== suite || task.state.kind !== 'queued') continue;
    step.emit({
      kind: 'attemptSettled',
      task: taskIdOf(run.run, task.index),
      attempt: task.lastAttempt + 1,
      worker: null,
      verdict: 'inconclusive',
      failure: { class: 'infrastructure', code: 'UNPLACEABLE', message: message.slice(0, 4_000) },
      counts: noCases(),
      next: { kind: 'settle' },
    });
    settleTask(step, run, task, 'inconclusive');
  }
}
