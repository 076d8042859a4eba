// Files that are skipped by a quarantine, when their run comes in.
import { settleTask } from '../settle.ts';
import type { RunRecord } from '../state.ts';
import type { Step } from '../step.ts';
import { fileQuarantine, noteOf } from './mute-failures.ts';

/** Files that are skipped have their verdict before anybody runs them. A gang is whole or not at all: nothing of it is left out. */
export function skipQuarantined(step: Step, run: RunRecord, first: number): void {
  if (step.state.quarantines.byTest.size === 0) return;
  for (const task of run.tasks.slice(first)) {
    if (task.state.kind !== 'queued' || (run.lanes[task.suite]?.gang ?? null) !== null) continue;
    const record = fileQuarantine(step, run, task, 'skip');
    if (record !== null) settleTask(step, run, task, 'skipped', { notes: [noteOf(record, 0)], isMuted: true });
  }
}
