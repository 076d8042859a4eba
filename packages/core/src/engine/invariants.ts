// What must hold of the state between any two steps. Checked in tests, in simulation after every step, and by the drill.
// Counts everything again from the tasks' own states, and holds the derived index against it. O(state): not for production.
import type { TaskId } from '@assay/protocol';
import { taskIdOf } from './ids.ts';
import { limit } from './limits.ts';
import { admissionProblems, holdingProblems } from './invariants-admission.ts';
import { circuitProblems } from '../circuits/check-circuits.ts';
import { recoveryProblems } from './invariants-recovery.ts';
import { isPossible } from '../scheduling/capacity.ts';
import { takesWork } from '../scheduling/classes.ts';
import { waitingIn } from '../scheduling/lanes.ts';
import { currentAttempt, openAttempts } from './lookup.ts';
import { wholeWorker } from './state.ts';
import type { RunRecord, State, TaskRecord, WorkerRecord } from './state.ts';

/** What does not hold, in words; empty when all is well. */
export function checkInvariants(state: State): string[] {
  const problems: string[] = [];
  const expect = (condition: boolean, what: string): void => {
    if (!condition) problems.push(what);
  };
  for (const run of state.runs.values()) checkRun(state, run, expect);
  checkAssignments(state, expect);
  for (const worker of state.workers.values()) checkWorker(state, worker, expect);
  checkClasses(state, expect);
  checkGroups(state, expect);
  for (const problem of holdingProblems(state)) expect(false, problem);
  for (const problem of recoveryProblems(state)) expect(false, problem);
  for (const problem of circuitProblems(state)) expect(false, problem);
  return problems;
}

type Expect = (condition: boolean, what: string) => void;

function checkRun(state: State, run: RunRecord, expect: Expect): void {
  const counts = { queued: 0, assigned: 0, running: 0, settled: 0 };
  for (const [index, task] of run.tasks.entries()) {
    expect(task.index === index, `${run.run}.${index} knows its index`);
    counts[task.state.kind] += 1;
    checkTask(state, run, task, expect);
  }
  for (const kind of ['queued', 'assigned', 'running', 'settled'] as const)
    expect(counts[kind] === run.counts[kind], `${run.run} counts its ${kind} tasks`);
  expect(run.hedges === run.tasks.filter(({ hedge }) => hedge !== null).length, `${run.run} counts its duplicates`);
  const verdicts = Object.values(run.verdicts).reduce((sum, count) => sum + count, 0);
  expect(verdicts === counts.settled, `${run.run} counts a verdict for each settled task`);
  const isDone = counts.settled === run.tasks.length;
  if (run.state.kind === 'settled') expect(isDone, `${run.run} settled with all of its tasks`);
  else expect(run.state.kind === 'open' || !isDone, `${run.run} settles when nothing is left`);
  const isWinding = run.state.kind === 'canceling' && counts.queued > 0;
  expect(state.index.winding.has(run) === isWinding, `${run.run} is wound up while it is canceled`);
  for (const lane of run.lanes) {
    const queued = run.tasks.filter(({ suite, state: { kind } }) => suite === lane.suite && kind === 'queued');
    expect(lane.queued === queued.length, `${run.run} lane ${lane.suite} counts its queue`);
    let avoiding = 0;
    for (const entry of lane.group.avoiding.values()) if (entry.lane === lane) avoiding += 1;
    expect(
      waitingIn(lane) + avoiding + lane.held.size === queued.length,
      `${run.run} lane ${lane.suite} holds its queue`,
    );
    let knownMs = 0;
    for (const task of [...lane.known.inOrder(), ...lane.peculiar.inOrder()]) knownMs += task.predictedMs ?? 0;
    expect(lane.knownMs === knownMs, `${run.run} lane ${lane.suite} sums its predictions`);
    for (const problem of admissionProblems(state, lane)) expect(false, problem);
    const isWaiting = waitingIn(lane) > 0 && !lane.isClosed;
    expect(lane.heapSlot >= 0 === isWaiting, `${run.run} lane ${lane.suite} waits exactly when it has tasks`);
    const isSaid = run.unplaceableSaid[lane.suite] !== null;
    expect(
      // What is held back is looked at when it is let go.
      queued.length === lane.held.size || lane.isClosed || isPossible(lane.group) || isSaid,
      `${run.run} lane ${lane.suite} is said to be unplaceable when it is`,
    );
  }
}

function checkTask(state: State, run: RunRecord, task: TaskRecord, expect: Expect): void {
  const id = taskIdOf(run.run, task.index);
  const inHand = task.attempts.filter(({ state: { kind } }) => kind !== 'settled');
  expect(inHand.length <= 1, `${id} has at most one attempt in hand`);
  const current = currentAttempt(task);
  expect(
    inHand[0] === current || (inHand.length === 0 && current === null),
    `${id} has an attempt in hand exactly when assigned or running`,
  );
  let last = 0;
  for (const { attempt } of task.attempts) {
    expect(attempt > last, `${id} counts its attempts up`);
    last = attempt;
  }
  expect(task.lastAttempt >= last, `${id} knows its last attempt number`);
  checkHedge(state, task, id, expect);
  if (current === null || current.worker === null || current.assignment === null) return;
  const assignment = state.assignments.get(current.assignment);
  expect(assignment !== undefined && assignment.worker === current.worker, `${id} has its assignment`);
  const worker = state.workers.get(current.worker);
  expect(
    worker !== undefined && worker.state.kind !== 'lost' && worker.state.kind !== 'left',
    `${id} is in the hands of a worker that is there`,
  );
  expect(
    (state.index.canceling.get(id)?.attempt === current) === (current.state.kind === 'canceling'),
    `${id} is indexed while it is being canceled`,
  );
}

/** A task has two attempts in hand only while the first runs; they are of different workers, and the duplicate is the later. */
function checkHedge(state: State, task: TaskRecord, id: TaskId, expect: Expect): void {
  const { hedge } = task;
  if (hedge === null) return;
  const current = currentAttempt(task);
  expect(task.state.kind === 'running' && current !== null, `${id} has a duplicate only while it runs`);
  expect(current?.worker !== hedge.worker, `${id} has its duplicate on another worker`);
  expect(hedge.attempt > (current?.attempt ?? 0) && hedge.attempt <= task.lastAttempt, `${id} counts its duplicate`);
  const assignment = hedge.assignment === null ? undefined : state.assignments.get(hedge.assignment);
  expect(assignment !== undefined && assignment.worker === hedge.worker, `${id} has its duplicate's assignment`);
  expect(hedge.state.kind !== 'settled', `${id} has a duplicate that is not over`);
}

function checkAssignments(state: State, expect: Expect): void {
  for (const assignment of state.assignments.values()) {
    const id = assignment.assignment;
    const open = openAttempts(state, assignment).filter(({ attempt }) => attempt.assignment === id);
    const unstarted = open.filter(({ attempt }) => attempt.state.kind === 'assigned');
    expect(open.length > 0, `${id} ends with its last attempt`);
    expect(assignment.open === open.length, `${id} counts what is open`);
    expect(assignment.unstarted === unstarted.length, `${id} counts what did not start`);
    expect(
      assignment.unstartedMs === unstarted.reduce((sum, { attempt }) => sum + attempt.expectedMs, 0),
      `${id} sums what did not start`,
    );
    expect(assignment.tasks.length <= limit('batchTasksMax'), `${id} is within the limit of a batch`);
    const worker = state.workers.get(assignment.worker);
    expect(worker?.assignments.get(id) === assignment, `${id} is with its worker`);
    const isLinked = worker?.state.kind === 'connected' || worker?.state.kind === 'draining';
    const isStealable =
      assignment.tasks.length > 1 &&
      assignment.takeBack === null &&
      unstarted.length > 0 &&
      open.length > 1 &&
      isLinked;
    expect(
      assignment.heapSlot >= 0 === isStealable,
      `${id} is offered for stealing exactly when it can be stolen from`,
    );
    for (const index of assignment.takeBack ?? [])
      expect(
        unstarted.some(({ task }) => task.index === index),
        `${id} waits for an answer about unstarted tasks only`,
      );
  }
}

function checkWorker(state: State, worker: WorkerRecord, expect: Expect): void {
  const id = worker.worker;
  expect(state.index.classes.get(worker.class.key) === worker.class, `${id} is of a known class`);
  expect(state.profiles.has(worker.profileDigest), `${id} has a known profile`);
  for (const assignment of worker.assignments.values())
    expect(state.assignments.has(assignment.assignment), `${id} holds known assignments`);
  const isFree = takesWork(worker) && worker.assignments.size < worker.slots;
  checkHealth(state, worker, expect);
  expect(worker.heapSlot >= 0 === isFree, `${id} is among the free exactly when it has a free slot`);
  const hasDeadline =
    worker.state.kind === 'disconnected' || worker.state.kind === 'lost' || worker.state.kind === 'left';
  expect(worker.deadline.heapSlot >= 0 === hasDeadline, `${id} has a deadline exactly when it is away`);
  if (worker.state.kind === 'lost' || worker.state.kind === 'left')
    expect(worker.assignments.size === 0, `${id} is gone and holds nothing`);
}

function checkHealth(state: State, worker: WorkerRecord, expect: Expect): void {
  const id = worker.worker;
  const { conditions, deadlines } = worker.health;
  const aside = [...conditions].filter(([, { kind }]) => kind !== 'ready').map(([device]) => device);
  for (const { device } of worker.health.gates.values()) aside.push(device ?? wholeWorker);
  expect(worker.isSetAside === aside.includes(wholeWorker), `${id} knows whether it is set aside`);
  expect(
    (worker.whole !== null) === aside.some((device) => device !== wholeWorker),
    `${id} is of a class of its own exactly while a device is set aside`,
  );
  if (worker.whole !== null)
    expect(state.index.classes.get(worker.whole.key) === worker.whole, `${id} knows the class that it would be of`);
  const isLinked = worker.state.kind === 'connected' || worker.state.kind === 'draining';
  for (const [device, condition] of conditions) {
    const checkup = condition.kind === 'suspect' || condition.kind === 'quarantined' ? condition.checkup : null;
    const isAwaited = isLinked && (checkup?.kind === 'certifying' || checkup?.kind === 'recovering');
    expect(deadlines.has(device) === isAwaited, `${id} "${device}" has a deadline exactly while it is waited for`);
    expect(
      (deadlines.get(device)?.heapSlot ?? -1) >= 0 === isAwaited,
      `${id} "${device}" has its deadline in the heap`,
    );
  }
  expect(deadlines.size <= conditions.size, `${id} waits for known devices only`);
}

function checkClasses(state: State, expect: Expect): void {
  for (const capability of state.index.classes.values()) {
    const workers = [...state.workers.values()];
    const members = workers.filter((worker) => worker.class === capability || worker.whole === capability);
    const ready = members.filter((worker) => worker.class === capability && takesWork(worker));
    const possible = members.filter(
      ({ state: lifecycle }) =>
        lifecycle.kind === 'connected' || (lifecycle.kind === 'disconnected' && !lifecycle.wasDraining),
    );
    const free = ready.reduce((sum, { slots, assignments }) => sum + Math.max(0, slots - assignments.size), 0);
    expect(capability.members === members.length, `class ${capability.key} counts its members`);
    expect(capability.ready === ready.length, `class ${capability.key} counts its ready workers`);
    expect(capability.possible === possible.length, `class ${capability.key} counts its possible workers`);
    expect(
      capability.slots === ready.reduce((sum, { slots }) => sum + slots, 0),
      `class ${capability.key} counts its slots`,
    );
    expect(capability.freeSlots === free, `class ${capability.key} counts its free slots`);
    expect(
      state.index.freeClasses.has(capability) === free > 0,
      `class ${capability.key} is among the free exactly when it has a free slot`,
    );
    let wantedBy = 0;
    for (const group of state.index.waitingGroups) if (group.fitting.has(capability)) wantedBy += 1;
    expect(capability.wantedBy === wantedBy, `class ${capability.key} knows how many want it`);
  }
}

function checkGroups(state: State, expect: Expect): void {
  for (const group of state.index.groups.values()) {
    const said = `requirement "${group.text}"`;
    const isWaiting = group.waiting.size + group.avoiding.size > 0;
    expect(state.index.waitingGroups.has(group) === isWaiting, `${said} waits exactly when it has tasks`);
    expect(
      state.index.stealableGroups.has(group) === group.stealable.size > 0,
      `${said} is offered for stealing exactly when it can be`,
    );
    const asked = [...state.assignments.values()].filter(
      (assignment) => assignment.group === group && assignment.takeBack !== null,
    );
    expect(group.asked === asked.length, `${said} counts its open requests`);
    expect(group.fits.size === state.index.classes.size, `${said} was held against every class`);
  }
}

/** Where a task runs although it does not fit: its worker's class at this moment misfits. */
export function misplacedTasks(state: State): TaskId[] {
  const misplaced: TaskId[] = [];
  for (const assignment of state.assignments.values()) {
    const worker = state.workers.get(assignment.worker);
    if (worker === undefined || assignment.group.fitting.has(worker.class)) continue;
    // A device that is set aside or too hot keeps what it runs already: the machine is the same.
    if (worker.whole !== null && assignment.group.fitting.has(worker.whole)) continue;
    for (const { ref } of openAttempts(state, assignment)) misplaced.push(ref.task);
  }
  return misplaced;
}
