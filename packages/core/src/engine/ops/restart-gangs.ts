// A gang of which one has to be repeated is repeated together: those of it that are at work are stopped and go back to the queue,
// spending nothing, and all start again at once. Whoever had passed by then stays passed.
import type { AttemptRef, WorkerId } from '@assay/protocol';
import { fellowsOf } from '../../scheduling/gangs.ts';
import { taskIdOf } from '../ids.ts';
import { currentAttempt } from '../lookup.ts';
import { sendCancel } from '../settle.ts';
import type { Step } from '../step.ts';

export function restartGangs(step: Step): void {
  const { broken } = step.state.index;
  if (broken.size === 0) return;
  const tasks = [...broken];
  broken.clear();
  for (const [task, lane] of tasks) {
    const { run, suite, gang } = lane;
    if (gang === null || task.state.kind !== 'queued' || run.state.kind === 'canceling') continue;
    const fellows = fellowsOf(gang, task);
    const atWork = new Map<WorkerId, AttemptRef[]>();
    for (const fellow of fellows) {
      const attempt = currentAttempt(fellow);
      if (attempt === null || attempt.worker === null || attempt.state.kind === 'canceling') continue;
      const refs = atWork.get(attempt.worker) ?? [];
      refs.push({ task: taskIdOf(run.run, fellow.index), attempt: attempt.attempt });
      atWork.set(attempt.worker, refs);
    }
    if (atWork.size === 0) continue;
    const reason = `${task.target === '' ? 'one' : task.target} of its gang has to be repeated`.slice(0, 500);
    step.emit({ kind: 'gangRestarted', run: run.run, suite, first: fellows[0]?.index ?? task.index, reason });
    for (const [worker, refs] of atWork) sendCancel(step, worker, refs, reason);
  }
}
