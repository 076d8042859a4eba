// Whether a waiting task is held up by what it asks of admission, said again in plain code from the state, apart from the engine's
// own functions; and that no key and no device is given twice.
import type { EngineConfig, State } from '@assay/core';
import type { Suite } from '@assay/protocol';

type Run = State['runs'] extends Map<unknown, infer Value> ? Value : never;
type Task = Run['tasks'][number];
type Worker = State['workers'] extends Map<unknown, infer Value> ? Value : never;

export type Asking = { readonly state: State; readonly config: EngineConfig; readonly nowMs: number };

/** The requirement texts that will do for a waiting task now: the first, and the alternatives that were said to be open. */
export function openChoices(run: Run, task: Task): string[] {
  const { requires, alternatives = [] } = run.spec.suites[task.suite] as Suite;
  const opened = run.lanes[task.suite]?.opened ?? 0;
  return [requires, ...alternatives.slice(0, opened).map((alternative) => alternative.requires)];
}

function waitsForOthers(run: Run, task: Task): boolean {
  return (run.after.get(task.index) ?? []).some((index) => {
    const before = run.tasks[index]?.state;
    return before?.kind !== 'settled' || before.verdict !== 'passed';
  });
}

/** Whether something other than the lack of a free slot may hold it up on this worker. */
export function isHeldUp({ state, config, nowMs }: Asking, run: Run, task: Task, worker: Worker): boolean {
  const suite = run.spec.suites[task.suite] as Suite;
  // Gangs are checked by the engine's own properties: how many slots are free at once is not one worker's affair.
  if (suite.gang !== undefined || waitsForOthers(run, task)) return true;
  // A retry may wait for the place where it tells most: its own check.
  if (task.state.kind === 'queued' && task.state.wish !== undefined) return true;
  // What circuits keep back is the circuits' own check.
  if (state.index.circuits.blocking > 0) return true;
  for (const { key, max } of suite.concurrency ?? [])
    if (holdersOf(state, key) >= Math.min(max, state.policy.keys[key] ?? max)) return true;
  if (isAtQuota(state, run, worker.pool)) return true;
  for (const { share } of suite.claims ?? []) {
    let used = 0;
    for (const { devices } of worker.assignments.values()) for (const held of devices) used += held.share;
    if (used + share > 1) return true;
  }
  return isGangWaitingLong(state, config, nowMs);
}

/** A gang that waits long keeps free slots for itself. */
function isGangWaitingLong(state: State, config: EngineConfig, nowMs: number): boolean {
  for (const run of state.runs.values())
    for (const task of run.tasks) {
      if (run.spec.suites[task.suite]?.gang === undefined || task.state.kind !== 'queued') continue;
      if (nowMs - task.state.sinceMs >= config.gangReserveAfterMs) return true;
    }
  return false;
}

function isAtQuota(state: State, run: Run, pool: string): boolean {
  return state.policy.quotas.some(({ of, slots }) => {
    const name = (one: Run): string => (of.kind === 'submitter' ? one.submitter : one.spec.project);
    let used = 0;
    for (const assignment of state.assignments.values()) {
      const other = state.runs.get(assignment.run);
      if (other !== undefined && assignment.pool === pool && name(other) === name(run)) used += 1;
    }
    return used >= slots;
  });
}

function holdersOf(state: State, key: string): number {
  let holders = 0;
  for (const assignment of state.assignments.values()) {
    const suite = state.runs.get(assignment.run)?.spec.suites[assignment.suite];
    if (suite?.concurrency?.some((named) => named.key === key) === true) holders += 1;
  }
  return holders;
}

/** Keys held more often than any suite allows, gangs of which some wait while others never started together, in words. */
export function admissionViolations(state: State): string[] {
  const said: string[] = [];
  const most = new Map<string, number>();
  for (const run of state.runs.values())
    for (const { concurrency } of run.spec.suites)
      for (const { key, max } of concurrency ?? []) most.set(key, Math.max(most.get(key) ?? 0, max));
  for (const [key, max] of most) {
    const holders = holdersOf(state, key);
    if (holders > max) said.push(`${holders} slots hold "${key}" of which there are ${max}`);
  }
  return said;
}
