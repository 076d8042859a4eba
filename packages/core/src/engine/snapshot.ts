// The whole state as text and back, without loss: a restored engine takes the same decisions as the one that was written.
// The derived index is left out and built again. Where the order of a derived list matters to decisions (tasks that avoid
// a worker, attempts being canceled), the order is written. Tasks are arrays, because there may be a hundred thousand.
import type { AdmissionPolicy, Profile, TaskId } from '@assay/protocol';
import { taskIdOf } from './ids.ts';
import { present } from '../kernel/assert.ts';
import { compareText } from '../kernel/compare.ts';
import type { TaskState } from '../lifecycle/task.ts';
import { recoveryRow, restoreRecovery } from './recovery-row.ts';
import type { RecoveryRow } from './recovery-row.ts';
import type { RungHistory } from '../recovery/ladder.ts';
import { countIn } from '../scheduling/classes.ts';
import { addMember } from '../scheduling/gangs.ts';
import { openLanes } from '../scheduling/groups.ts';
import { hold } from '../scheduling/holdings.ts';
import { laneOf, letGo, putInLane, refreshStealable } from '../scheduling/lanes.ts';
import { newShare } from '../scheduling/order.ts';
import type { RequirementGroup } from '../scheduling/index-types.ts';
import type { Placement } from './events.ts';
import type { Duration, SuiteHistory } from '../scheduling/durations.ts';
import { setPlan } from '../scheduling/plan.ts';
import type { Plan } from '../scheduling/plan.ts';
import type { MachineRow } from '../scheduling/machines.ts';
import { circuitRows, restoreCircuits } from '../circuits/circuit-rows.ts';
import type { CircuitRows } from '../circuits/circuit-rows.ts';
import { emptyState } from './evolve.ts';
import { attemptRow, restoreAttempt } from './snapshot-attempt.ts';
import type { AttemptRow } from './snapshot-attempt.ts';
import { quarantineRows, restoreQuarantines } from './quarantines.ts';
import type { QuarantineRows } from './quarantines.ts';
import { comeAfter, reservePools } from './evolve-run.ts';
import { expectEnd } from './evolve-attempt.ts';
import { isHaltedBy } from './evolve-circuit.ts';
import { restoreWorker, workerRow } from './snapshot-worker.ts';
import type { WorkerRow } from './snapshot-worker.ts';
import { currentAttempt, findTask, openAttempts } from './lookup.ts';
import type { Assignment, RunRecord, State, Submission, TaskRecord } from './state.ts';

/**
 * Raised with every change of the text, also with a field that is only added: a text of any other format is refused whole, and
 * never read with something missing. `snapshot.test.ts` lists what belongs to this one.
 *   1  before circuits, conditions, hedges and learned machines
 *   2  with them
 *   3  with tests in quarantine
 */
const formatVersion = 3;

/** Never attempted: suite, target, submitted estimate, queued since, predicted. */
type FreshRow = [number, string, number | null, number, number | null];
type TaskRow =
  | FreshRow
  | [number, string, number | null, TaskState, number | null, AttemptRow[], number, number, number];
type RunRow = Omit<RunRecord, 'tasks' | 'lanes' | 'plan' | 'after' | 'dependents' | 'restarting'> & {
  tasks: TaskRow[];
  plan: Plan | null;
  /** Absent where there is none. */
  after?: [number, readonly number[]][];
  restarting?: number[];
  /** Of each lane that has alternatives: how many are open, and since when it waits. */
  alternatives?: [suite: number, opened: number, waitsSinceMs: number | null][];
};
type AssignmentRow = Pick<
  Assignment,
  'assignment' | 'run' | 'suite' | 'worker' | 'atMs' | 'pool' | 'opened' | 'devices' | 'tasks' | 'sinceMs'
> & {
  takeBack: number[] | null;
};
type Snapshot = {
  version: number;
  seq: number;
  epoch: number;
  runOrder: number;
  assignmentOrder: number;
  policy: AdmissionPolicy;
  clockMs: number;
  shares: [string, number][];
  profiles: [string, Profile][];
  workers: WorkerRow[];
  placements: Placement[];
  runs: RunRow[];
  assignments: AssignmentRow[];
  avoiding: TaskId[];
  canceling: TaskId[];
  submissions: [string, Submission][];
  retired: [string, Submission][];
  durations: [string, Duration[]][];
  suites: [string, SuiteHistory][];
  rungs: [string, RungHistory][];
  recovery?: RecoveryRow;
  quarantines: QuarantineRows;
  machines: { given: number; rows: MachineRow[] };
  /** Of queued tasks that have them. */
  peculiar: [TaskId, readonly number[]][];
  hedges: [TaskId, AttemptRow][];
  registry: CircuitRows;
};

export function snapshot(state: State): string {
  const placements = new Map<Placement, number>();
  const runs = [...state.runs.values()].map((run) => runRow(run, placements));
  const hedges = hedgeRows(state, placements);
  const written: Snapshot = {
    version: formatVersion,
    seq: state.seq,
    epoch: state.epoch,
    runOrder: state.runOrder,
    assignmentOrder: state.assignmentOrder,
    policy: state.policy,
    clockMs: state.clockMs,
    shares: [...state.shares.values()].map(({ submitter, virtualMs }) => [submitter, virtualMs]),
    profiles: [...state.profiles].map(([digest, { profile }]) => [digest, profile]),
    workers: [...state.workers.values()].map(workerRow),
    placements: [...placements.keys()],
    runs,
    assignments: [...state.assignments.values()].map(
      ({ assignment, run, suite, worker, atMs, pool, opened, devices, tasks, sinceMs, takeBack }) => ({
        assignment,
        run,
        suite,
        worker,
        atMs,
        pool,
        opened,
        devices,
        tasks,
        sinceMs,
        takeBack: takeBack === null ? null : [...takeBack],
      }),
    ),
    avoiding: byKey([...state.index.groups.values()]).flatMap(({ avoiding }) => [...avoiding.keys()]),
    canceling: [...state.index.canceling.keys()],
    submissions: [...state.submissions],
    retired: [...state.retired.entries()],
    durations: [...state.durations.entries()],
    suites: [...state.suites.entries()],
    rungs: [...state.rungs.entries()],
    ...recoveryRow(state.recovery),
    quarantines: quarantineRows(state.quarantines),
    machines: state.machines.rows(),
    peculiar: peculiarRows(state),
    hedges,
    registry: circuitRows(state),
  };
  return JSON.stringify(written);
}

function runRow(of: RunRecord, placements: Map<Placement, number>): RunRow {
  const { lanes, tasks, plan, after, dependents: _dependents, restarting, ...run } = of;
  const alternatives = lanes.filter(({ groups }) => groups.length > 1);
  return {
    ...run,
    plan: plan?.plan ?? null,
    tasks: tasks.map((task) => taskRow(task, placements)),
    ...(after.size === 0 ? {} : { after: [...after] }),
    ...(restarting.size === 0 ? {} : { restarting: [...restarting] }),
    ...(alternatives.length === 0
      ? {}
      : { alternatives: alternatives.map(({ suite, opened, waitsSinceMs }) => [suite, opened, waitsSinceMs]) }),
  };
}

function hedgeRows(state: State, placements: Map<Placement, number>): [TaskId, AttemptRow][] {
  const rows: [TaskId, AttemptRow][] = [];
  for (const run of state.runs.values()) {
    if (run.hedges === 0) continue;
    for (const task of run.tasks)
      if (task.hedge !== null) rows.push([taskIdOf(run.run, task.index), attemptRow(task.hedge, placements)]);
  }
  return rows;
}

function peculiarRows(state: State): [TaskId, readonly number[]][] {
  const rows: [TaskId, readonly number[]][] = [];
  for (const run of state.runs.values())
    for (const task of run.tasks) if (task.peculiar !== null) rows.push([taskIdOf(run.run, task.index), task.peculiar]);
  return rows;
}

/** Groups in an order that does not depend on which run brought them first. */
function byKey(groups: RequirementGroup[]): RequirementGroup[] {
  return groups.sort((a, b) => compareText(a.key, b.key));
}

function taskRow(task: TaskRecord, placements: Map<Placement, number>): TaskRow {
  const { suite, target, submittedMs, state, predictedMs, attempts, lastAttempt, userRetries, infrastructureRetries } =
    task;
  if (state.kind === 'queued' && lastAttempt === 0) return [suite, target, submittedMs, state.sinceMs, predictedMs];
  const rows = attempts.map((attempt) => attemptRow(attempt, placements));
  return [suite, target, submittedMs, state, predictedMs, rows, lastAttempt, userRetries, infrastructureRetries];
}

/** Reads what `snapshot` wrote. Throws on text of another format: the caller then recovers from another one, or from the start. */
export function restore(text: string): State {
  const written = JSON.parse(text) as Snapshot;
  if (written.version !== formatVersion)
    throw new Error(`snapshot format ${String(written.version)} is not ${formatVersion}`);
  const state = emptyState();
  state.seq = written.seq;
  state.epoch = written.epoch;
  state.runOrder = written.runOrder;
  state.assignmentOrder = written.assignmentOrder;
  state.policy = written.policy;
  reservePools(state);
  state.clockMs = written.clockMs;
  for (const [submitter, virtualMs] of written.shares) state.shares.set(submitter, newShare(submitter, virtualMs));
  for (const [key, submission] of written.submissions) state.submissions.set(key, submission);
  for (const [key, submission] of written.retired) state.retired.set(key, submission);
  for (const [key, duration] of written.durations) state.durations.set(key, duration);
  for (const [key, history] of written.suites) state.suites.set(key, history);
  for (const [key, history] of written.rungs) state.rungs.set(key, history);
  restoreRecovery(state.recovery, written.recovery);
  restoreQuarantines(state.quarantines, written.quarantines);
  state.machines.restore(written.machines);
  const peculiar = new Map(written.peculiar);
  for (const [digest, profile] of written.profiles) state.profiles.set(digest, { profile, workers: 0 });
  for (const row of written.workers) restoreWorker(state, row);
  const avoiding = new Set(written.avoiding);
  for (const row of written.runs) restoreRun(state, row, written.placements, avoiding, peculiar);
  for (const id of written.avoiding) {
    const { run, task } = present(findTask(state, id), `task ${id}`);
    putInLane(state.index, run, task, task.predictedMs, peculiar.get(id) ?? null);
  }
  for (const [id, row] of written.hedges)
    present(findTask(state, id), `task ${id}`).task.hedge = restoreAttempt(row, written.placements);
  for (const row of written.assignments) restoreAssignment(state, row);
  for (const id of written.canceling) {
    const attempt = present(currentAttempt(present(findTask(state, id), `task ${id}`).task), `attempt of ${id}`);
    if (attempt.state.kind === 'canceling')
      state.index.canceling.set(id, { attempt, deadlineMs: attempt.state.deadlineMs });
  }
  restoreCircuits(state, written.registry);
  for (const worker of state.workers.values()) worker.isHalted = isHaltedBy(state, worker);
  // Counted last, when it is known what each of them holds.
  for (const worker of state.workers.values()) countIn(state.index, worker);
  for (const assignment of state.assignments.values())
    refreshStealable(state.index, assignment, present(state.workers.get(assignment.worker), 'worker'));
  state.index.unchecked.clear();
  state.index.broken.clear();
  return state;
}

function restoreRun(
  state: State,
  { tasks, plan, after, restarting, alternatives, ...row }: RunRow,
  placements: readonly Placement[],
  avoiding: ReadonlySet<TaskId>,
  peculiar: ReadonlyMap<TaskId, readonly number[]>,
): void {
  const run: RunRecord = {
    ...row,
    plan: null,
    tasks: [],
    lanes: [],
    after: new Map(),
    dependents: new Map(),
    restarting: new Set(restarting),
  };
  state.runs.set(run.run, run);
  openLanes(state, run);
  for (const [suite, opened, waitsSinceMs] of alternatives ?? []) {
    const lane = laneOf(run, suite);
    lane.opened = opened;
    lane.group = lane.groups[opened] ?? lane.group;
    lane.waitsSinceMs = waitsSinceMs;
  }
  for (const [index, before] of after ?? []) comeAfter(run, index, before);
  for (const [index, taskRow] of tasks.entries()) {
    const task = restoreTask(taskRow, index, run.tasks.at(-1)?.state, placements);
    run.tasks.push(task);
    const { gang } = laneOf(run, task.suite);
    if (gang !== null) addMember(gang, task);
    const id = taskIdOf(run.run, index);
    if (task.state.kind === 'queued' && !avoiding.has(id))
      putInLane(state.index, run, task, task.predictedMs, peculiar.get(id) ?? null);
  }
  if (run.state.kind === 'canceling' && run.counts.queued > 0) state.index.winding.add(run);
  // Gangs that were whole are so again now that all of them are there.
  for (const lane of run.lanes)
    if (lane.gang !== null) for (const task of [...lane.held]) letGo(state.index, lane, task);
  if (plan !== null) setPlan(run, plan);
}

function restoreTask(
  row: TaskRow,
  index: number,
  before: TaskState | undefined,
  placements: readonly Placement[],
): TaskRecord {
  const [
    suite,
    target,
    submittedMs,
    stateOrSince,
    predictedMs,
    attempts,
    lastAttempt,
    userRetries,
    infrastructureRetries,
  ] = row;
  const task = {
    index,
    suite,
    target,
    submittedMs,
    predictedMs,
    peculiar: null,
    hedge: null,
    entries: null,
    heapSlot: -1,
    lastAttempt: lastAttempt ?? 0,
    userRetries: userRetries ?? 0,
    infrastructureRetries: infrastructureRetries ?? 0,
  };
  const restored = (attempts ?? []).map((attempt) => restoreAttempt(attempt, placements));
  if (typeof stateOrSince !== 'number') return { ...task, state: stateOrSince, attempts: restored };
  // Tasks that came together share one state, as they did.
  const isSame = before?.kind === 'queued' && before.avoidWorker === null && before.sinceMs === stateOrSince;
  return {
    ...task,
    state: isSame ? before : { kind: 'queued', sinceMs: stateOrSince, avoidWorker: null },
    attempts: restored,
  };
}

function restoreAssignment(state: State, row: AssignmentRow): void {
  const run = present(state.runs.get(row.run), 'run of an assignment');
  const worker = present(state.workers.get(row.worker), 'worker of an assignment');
  const lane = laneOf(run, row.suite);
  const group = lane.groups[row.opened] ?? lane.group;
  const assignment: Assignment = {
    ...row,
    takeBack: row.takeBack === null ? null : new Set(row.takeBack),
    open: 0,
    unstarted: 0,
    unstartedMs: 0,
    runningMs: 0,
    endsAtMs: 0,
    group,
    heapSlot: -1,
  };
  for (const { attempt } of openAttempts(state, assignment)) {
    if (attempt.assignment !== row.assignment) continue;
    assignment.open += 1;
    group.assignedMs += attempt.expectedMs;
    if (attempt.state.kind === 'running') assignment.runningMs += attempt.expectedMs;
    if (attempt.state.kind !== 'assigned') continue;
    assignment.unstarted += 1;
    assignment.unstartedMs += attempt.expectedMs;
  }
  if (assignment.takeBack !== null) group.asked += 1;
  expectEnd(state, assignment, assignment.sinceMs);
  state.assignments.set(assignment.assignment, assignment);
  worker.assignments.set(assignment.assignment, assignment);
  hold(state, run, lane, assignment);
}
