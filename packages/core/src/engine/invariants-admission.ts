// What must hold of admission: nobody holds more than there is of a key, a quota or a device; gangs and tasks with dependencies are
// held exactly while something holds them; alternatives open in order; shares count what waits. Part of checkInvariants.
import { fellowsOf, isWhole } from '../scheduling/gangs.ts';
import { keyMax, quotasOf } from '../scheduling/holdings.ts';
import type { Lane } from '../scheduling/index-types.ts';
import { taskIdOf } from './ids.ts';
import type { State, TaskRecord } from './state.ts';

export function admissionProblems(state: State, lane: Lane): string[] {
  const { run } = lane;
  const name = `${run.run} lane ${lane.suite}`;
  const problems: string[] = [];
  const expect = (condition: boolean, what: string): void => {
    if (!condition) problems.push(`${name} ${what}`);
  };
  expect(lane.group === lane.groups[lane.opened], 'stands in the group of its open alternatives');
  expect(state.shares.get(run.submitter) === lane.share, `counts for ${run.submitter}`);
  if (lane.isClosed) return problems;
  const isStanding = lane.queued > lane.held.size;
  if (lane.groups.length > 1) {
    expect((lane.waitsSinceMs !== null) === isStanding, 'knows since when it waits');
    const isExpiring = isStanding && lane.opened + 1 < lane.groups.length;
    expect(state.index.expiring.has(lane) === isExpiring, 'has a deadline while an alternative is to come');
  }
  expect(state.index.gangs.has(lane) === (lane.gang !== null && lane.heapSlot >= 0), 'is among the gangs that wait');
  if (lane.gang === null && run.after.size === 0) {
    const delayed = [...lane.held].filter((task) => state.index.delayedOf.has(task));
    expect(lane.held.size === delayed.length, 'holds nothing back without a reason');
    return problems;
  }
  for (const task of run.tasks) {
    if (task.suite !== lane.suite || task.state.kind !== 'queued') continue;
    expect(
      lane.held.has(task) === isHeldBack(lane, task),
      `holds ${taskIdOf(run.run, task.index)} exactly while something does`,
    );
  }
  return problems;
}

function isHeldBack(lane: Lane, task: TaskRecord): boolean {
  const { run, gang } = lane;
  const fellows = gang === null ? [task] : fellowsOf(gang, task);
  if (gang !== null && !isWhole(gang, fellows)) return true;
  return fellows.some(
    ({ index, state }) =>
      state.kind === 'queued' &&
      (run.after.get(index) ?? []).some((before) => {
        const earlier = run.tasks[before]?.state;
        return earlier?.kind !== 'settled' || earlier.verdict !== 'passed';
      }),
  );
}

/** What assignments hold, counted again. A limit that was lowered meanwhile may be passed until what holds it is over. */
export function holdingProblems(state: State): string[] {
  const problems: string[] = [];
  const keys = new Map<string, number>();
  let slots = 0;
  for (const assignment of state.assignments.values()) {
    const run = state.runs.get(assignment.run);
    const lane = run?.lanes[assignment.suite];
    if (run === undefined || lane === undefined) continue;
    slots += 1;
    for (const { key } of lane.constraint?.keys ?? []) keys.set(key, (keys.get(key) ?? 0) + 1);
    if (state.policy.quotas.length > 0 && quotasOf(state, run, assignment.pool).some(({ used }) => used < 1))
      problems.push(`${assignment.assignment} counts against its quotas`);
  }
  if (!isSame(keys, state.index.keysHeld)) problems.push('concurrency keys are counted as they are held');
  const counted = [...state.index.slotsInUse.values()].reduce((sum, used) => sum + used, 0);
  if (counted !== (state.policy.quotas.length > 0 ? 2 * slots : 0))
    problems.push('slots in use are counted for quotas');
  for (const worker of state.workers.values())
    problems.push(...deviceProblems(worker.worker, worker.assignments.values()));
  let waiting = 0;
  for (const run of state.runs.values()) for (const lane of run.lanes) waiting += lane.queued - lane.held.size;
  const shared = [...state.shares.values()].reduce((sum, share) => sum + share.waiting, 0);
  if (waiting !== shared) problems.push('shares count what waits');
  const runs = [...state.shares.values()].reduce((sum, share) => sum + share.runs, 0);
  if (runs !== state.runs.size) problems.push('shares count live runs');
  return problems;
}

function deviceProblems(
  worker: string,
  assignments: Iterable<{ readonly devices: readonly { readonly device: string; readonly share: number }[] }>,
): string[] {
  const held = new Map<string, number>();
  for (const { devices } of assignments)
    for (const { device, share } of devices) held.set(device, (held.get(device) ?? 0) + share);
  return [...held].filter(([, share]) => share > 1 + 1e-9).map(([device]) => `${worker} gives ${device} once`);
}

function isSame(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([key, count]) => b.get(key) === count);
}

/** Keys of which more slots hold than every suite that names them allows: for tests without a change of policy. */
export function overheldKeys(state: State): string[] {
  const over: string[] = [];
  for (const [key, held] of state.index.keysHeld) {
    let max = 0;
    for (const run of state.runs.values())
      for (const { constraint } of run.lanes)
        for (const named of constraint?.keys ?? [])
          if (named.key === key) max = Math.max(max, keyMax(state.policy, key, named.max));
    if (held > max) over.push(`${key}: ${held} of ${max}`);
  }
  return over;
}
