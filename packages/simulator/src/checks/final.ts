// What must hold once the faults are over and everything had time to settle: every accepted task settled exactly once, the
// stored results are what the workers produced, and the inputs of the journal make the same decisions again.
import { createEngine, emptyState, type EngineConfig } from '@assay/core';
import type { ResultStore } from '@assay/coordinator/simulation';
import { taskIdOf, type RunId } from '@assay/protocol';
import { compareReplay } from '../replay.ts';
import type { SimDisk } from '../sim/disk.ts';
import type { World } from '../sim/world.ts';
import type { DurableFacts, DurableRun } from './durable.ts';
import { attemptKeyOf, canonical, type Truth } from './truth.ts';
import type { Witness } from './witness.ts';

export type FinalOptions = {
  world: World;
  disk: SimDisk;
  facts: DurableFacts;
  truth: Truth;
  witness: Witness;
  store: ResultStore;
  config: EngineConfig;
};

/** What is not over yet, in words; null when all of it is. */
export function unsettled(facts: DurableFacts): string | null {
  for (const [id, run] of facts.runs) {
    const open = run.tasks.findIndex((task) => task.verdict === null);
    if (open >= 0) {
      const last = [...run.tasks[open]!.attempts.entries()].at(-1);
      return `${taskIdOf(id, open)} is not settled; its last attempt is ${last === undefined ? 'none' : `${last[0]} on ${last[1].worker ?? 'no worker'}, ${last[1].state}`}`;
    }
    if (run.verdict === null) return `${id} is not settled`;
    if (!run.isRetired) return `${id} did not leave the engine`;
  }
  return null;
}

export async function checkFinal(options: FinalOptions): Promise<void> {
  const { world, disk, facts, witness, config } = options;
  for (const [key, run] of witness.submissions)
    if (!facts.runs.has(run))
      world.violate('no accepted result is lost', `${key} was accepted as ${run}, which is gone`);
  for (const [id, run] of facts.runs) {
    await checkStored(options, id, run);
    if (witness.isFeedWhole) {
      const untold = run.tasks.findIndex((_, index) => !witness.toldTasks.has(taskIdOf(id, index)));
      if (untold >= 0) world.violate('the feed tells everything', `${taskIdOf(id, untold)} settled and was not told`);
    }
  }
  const entries = disk.entriesFrom(1, disk.lastSeq());
  const difference = compareReplay(createEngine(config, emptyState()), entries);
  if (difference !== null) world.violate('replaying the inputs makes the same decisions', difference);
}

async function checkStored({ world, store, truth }: FinalOptions, id: RunId, run: DurableRun): Promise<void> {
  const stored = await store.readRun(id);
  if (stored?.verdict !== run.verdict || stored.tasks.settled !== run.tasks.length) {
    return world.violate(
      'no accepted result is lost',
      `${id} is ${run.verdict ?? 'open'}; stored is ${stored?.verdict ?? 'nothing'} with ${stored?.tasks.settled ?? 0} of ${run.tasks.length} tasks`,
    );
  }
  const cases = new Map<string, unknown[]>();
  const { cases: rows } = await store.listCases({ run: id, limit: 1_000_000 });
  for (const row of rows) {
    const key = attemptKeyOf(row);
    const list = cases.get(key) ?? [];
    if (row.ordinal !== list.length)
      world.violate('every case is recorded once', `${key} case ${row.ordinal} stored after ${list.length}`);
    list.push(row.case);
    const of = run.tasks[Number(row.task.slice(row.task.lastIndexOf('.') + 1))]?.attempts.get(row.attempt);
    if (of?.state === 'returned') world.violate('what loses is not counted', `cases of ${key} are stored`);
    cases.set(key, list);
  }
  const { tasks } = await store.listTasks({ run: id, limit: 1_000_000 });
  for (const [index, task] of run.tasks.entries()) {
    const view = tasks[index];
    const taskId = taskIdOf(id, index);
    if (view?.verdict !== task.verdict)
      world.violate(
        'no accepted result is lost',
        `${taskId} is ${task.verdict ?? 'open'}, stored is ${view?.verdict ?? 'nothing'}`,
      );
    const settled = [...task.attempts.entries()].filter(([, attempt]) => attempt.state === 'settled');
    if (view?.attempts.length !== settled.length)
      world.violate(
        'an attempt is recorded at most once',
        `${taskId} has ${settled.length} settled attempts, stored are ${view?.attempts.length ?? 0}`,
      );
    const last = settled.at(-1);
    if (last === undefined) continue;
    const key = attemptKeyOf({ task: taskId, attempt: last[0] });
    const execution = truth.executions.get(key);
    const isOwn = execution !== undefined && execution.outcome !== null && last[1].isReported;
    if (isOwn && canonical(cases.get(key) ?? []) !== canonical(execution.cases)) {
      world.violate(
        'no accepted result is lost',
        `${key} produced ${execution.cases.length} cases, stored are ${cases.get(key)?.length ?? 0}`,
      );
    }
  }
}
