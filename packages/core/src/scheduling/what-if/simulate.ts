// What a recorded run would have been under another policy or with more workers: its tasks through a fresh engine in virtual
// time, each taking what it really took. Where a task was not run on a class of machines, it takes what it took elsewhere,
// scaled by the speeds that this run shows. The engine is told what it was told then: the estimates of that time.
// Tasks arrive and workers come when they did; one that went takes nothing new from then on. Pure: the same record gives the same
// answer. What it leaves out: other runs, and failures (what a repetition took is added to its task's cost).
import type { AttemptRef, Profile, RunId, SessionId, Suite, TaskId, WorkerId } from '@assay/protocol';
import { engineDefaults } from '../../engine/config.ts';
import { createEngine } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Event, TasksAssigned } from '../../engine/events.ts';
import type { Input } from '../../engine/inputs.ts';
import { emptyState } from '../../engine/evolve.ts';
import { learn } from '../durations.ts';
import { suiteKeyOf } from '../groups.ts';
import type { PolicyName } from '../policy/policy.ts';
import { predictOn } from '../predict.ts';
import { byArrival, measure, taskOf } from './measure.ts';
import type { Measures } from './measure.ts';

export type RecordedWorker = {
  readonly worker: string;
  readonly name?: string;
  readonly pool: string;
  readonly slots: number;
  readonly profile: Profile;
  readonly profileDigest: string;
  readonly declared: Readonly<Record<string, string | number | boolean>>;
  readonly trust?: string | undefined;
  /** When it came, and when it went, since the submission; absent is the whole run. It takes nothing new once it goes. */
  readonly fromMs?: number;
  readonly untilMs?: number | null;
};
export type RecordedTask = {
  readonly suite: number;
  readonly target: string;
  /** What was expected of it then. */
  readonly expectedMs?: number;
  /** What it really took, and where. */
  readonly costMs: number;
  readonly worker: string;
  /** What its other attempts took that were run to their end: added to its cost, wherever it is run. */
  readonly repeatedMs?: number;
  /** Since the submission; absent is with it. */
  readonly arrivedMs?: number;
  /** Indexes in this record of tasks that come before it. */
  readonly after?: readonly number[];
};
export type Recorded = {
  readonly project: string;
  readonly pool?: string;
  readonly suites: readonly RecordedSuite[];
  readonly tasks: readonly RecordedTask[];
  readonly workers: readonly RecordedWorker[];
  /** Of a runner's start, once an assignment. */
  readonly startupMs: number;
  /** Of a runner's start by suite and worker, where it was measured. */
  readonly startups?: readonly { readonly suite: number; readonly worker: string; readonly ms: number }[];
};
export type RecordedSuite = Pick<Suite, 'name' | 'requires' | 'batching'> &
  Partial<Pick<Suite, 'alternatives' | 'claims' | 'concurrency' | 'hedge'>>;
export type Change = { readonly policy: PolicyName; readonly add?: { readonly like: string; readonly count: number } };
export type Outcome = { readonly policy: PolicyName } & Measures;

const run = 'r-what-if' as RunId;
const latencyMs = 2;
const idleMax = 10_000;
const moreMark = '-more-';
const cannotEnd = 'the run cannot end: what is left fits no worker that is there';

export function simulate(recorded: Recorded, change: Change): Outcome {
  const world = new World(recorded, change);
  world.live();
  return world.outcome();
}

type Due = { readonly atMs: number; readonly order: number; readonly act: () => void };
type Slot = { readonly worker: string; queue: AttemptRef[]; running: AttemptRef | null };

class World {
  readonly #recorded: Recorded;
  readonly #change: Change;
  readonly #engine: Engine;
  readonly #costs: (task: number, worker: string) => number;
  readonly #workers: readonly RecordedWorker[];
  readonly #due: Due[] = [];
  readonly #slots = new Map<string, Slot>();
  readonly #seqs = new Map<string, number>();
  readonly #waits = new Map<string, number>();
  #nowMs = 0;
  #order = 0;
  #busyMs = 0;
  #assignments = 0;
  /** Deadlines in a row with nothing under way. */
  #idle = 0;

  constructor(recorded: Recorded, change: Change) {
    this.#recorded = recorded;
    this.#change = change;
    this.#workers = [...recorded.workers, ...added(recorded, change)];
    this.#engine = createEngine({ ...engineDefaults, placement: { policy: change.policy } });
    this.#costs = costsOf(recorded, this.#workers);
  }

  live(): void {
    for (const one of this.#workers) this.#attend(one);
    const { project, pool, suites, tasks } = this.#recorded;
    const arrivals = byArrival(tasks);
    const [first, ...later] = arrivals;
    this.#step({
      kind: 'submitRun',
      run,
      submitter: 'what-if',
      idempotencyKey: 'what-if',
      contentDigest: 'what-if',
      spec: {
        name: 'what if',
        project,
        priority: 0,
        source: { kind: 'directory', path: '/' },
        ...(pool === undefined ? {} : { pool }),
        suites: suites.map(suiteOf),
        failFast: false,
        unplaceable: 'wait',
      },
      tasks: (first?.tasks ?? []).map(taskOf),
      sealed: later.length === 0,
    });
    for (const [at, arrival] of later.entries())
      this.#at(arrival.atMs, () =>
        this.#step({
          kind: 'addTasks',
          run,
          chunk: at + 1,
          tasks: arrival.tasks.map(taskOf),
          sealed: at + 1 === later.length,
        }),
      );
    while (this.#engine.state.runs.get(run)?.state.kind !== 'settled') this.#next();
  }

  #attend(one: RecordedWorker): void {
    const join = () => this.#step(helloOf(one));
    if ((one.fromMs ?? 0) <= 0) join();
    else this.#at(one.fromMs ?? 0, join);
    if (one.untilMs === undefined || one.untilMs === null) return;
    const worker = one.worker as WorkerId;
    this.#at(one.untilMs, () => this.#step({ kind: 'drainWorker', worker, actor: 'what-if', reason: 'it left then' }));
  }

  outcome(): Outcome {
    return {
      policy: this.#change.policy,
      ...measure({
        workers: this.#workers,
        makespanMs: this.#nowMs,
        waits: [...this.#waits.values()],
        busyMs: this.#busyMs,
        assignments: this.#assignments,
      }),
    };
  }

  #next(): void {
    const dueMs = this.#engine.nextDeadlineMs();
    const first = this.#due[0];
    if (dueMs !== null && (first === undefined || dueMs < first.atMs)) {
      this.#idle = first === undefined ? this.#idle + 1 : 0;
      if (this.#idle > idleMax) throw new Error(`${cannotEnd} (${this.#left()})`);
      this.#nowMs = Math.max(this.#nowMs, dueMs);
      this.#step({ kind: 'timePassed' });
      return;
    }
    if (first === undefined) throw new Error(`${cannotEnd} (${this.#left()})`);
    this.#idle = 0;
    this.#due.shift();
    this.#nowMs = first.atMs;
    first.act();
  }

  #left(): string {
    const counts = this.#engine.state.runs.get(run)?.counts;
    return `${counts?.queued ?? 0} of ${this.#recorded.tasks.length} tasks`;
  }

  #step(input: Input): void {
    const { events, reply } = this.#engine.step(input, this.#nowMs);
    if (reply.kind === 'refused') throw new Error(`${input.kind} was refused: ${reply.reason}`);
    for (const event of events) this.#hear(event);
  }

  #hear(event: Event): void {
    if (event.kind === 'tasksAssigned') this.#at(latencyMs, () => this.#begin(event));
    else if (event.kind === 'takeBackRequested')
      this.#at(latencyMs, () => this.#giveBack(event.assignment, event.worker, event.attempts));
    else if (event.kind === 'cancelSent') this.#at(latencyMs, () => this.#cancel(event.attempts));
  }

  #at(inMs: number, act: () => void): void {
    this.#order += 1;
    const due = { atMs: this.#nowMs + inMs, order: this.#order, act };
    let place = this.#due.length;
    while (place > 0 && this.#due[place - 1]!.atMs > due.atMs) place -= 1;
    this.#due.splice(place, 0, due);
  }

  #begin(event: TasksAssigned): void {
    this.#assignments += 1;
    const queue = event.tasks.map(({ index, attempt }) => ({ task: `${run}.${index}` as TaskId, attempt }));
    const slot: Slot = { worker: event.worker, queue, running: null };
    this.#slots.set(event.assignment, slot);
    const { startups, startupMs } = this.#recorded;
    const measured = startups?.find(({ suite, worker }) => suite === event.suite && worker === likeOf(event.worker));
    const ms = measured?.ms ?? startupMs;
    this.#busyMs += ms;
    this.#at(ms, () => this.#startNext(slot));
  }

  #startNext(slot: Slot): void {
    const ref = slot.queue.shift();
    slot.running = ref ?? null;
    if (ref === undefined) return;
    const index = Number(ref.task.slice(run.length + 1));
    if (!this.#waits.has(ref.task))
      this.#waits.set(ref.task, this.#nowMs - (this.#recorded.tasks[index]?.arrivedMs ?? 0));
    this.#report(slot.worker, [{ kind: 'started', ...ref, atMs: this.#nowMs }]);
    const costMs = this.#costs(index, slot.worker);
    const startedMs = this.#nowMs;
    this.#at(costMs, () => {
      if (slot.running !== ref) return;
      this.#busyMs += this.#nowMs - startedMs;
      const counts = { passed: 1, failed: 0, skipped: 0, todo: 0 };
      const times = { startedAtMs: startedMs, endedAtMs: this.#nowMs, costMs };
      this.#report(slot.worker, [
        { kind: 'finished', ...ref, outcome: { verdict: 'passed', counts, casesReported: 0, ...times } },
      ]);
      this.#startNext(slot);
    });
  }

  #giveBack(assignment: string, worker: string, asked: readonly AttemptRef[]): void {
    const slot = this.#slots.get(assignment);
    const back = slot?.queue.filter((ref) => asked.some(({ task }) => task === ref.task)) ?? [];
    if (slot === undefined || back.length === 0) return;
    slot.queue = slot.queue.filter((ref) => !back.includes(ref));
    this.#report(worker, [{ kind: 'returned', attempts: back, reason: 'takenBack' }]);
  }

  /** Duplicates that came second: what runs ends at once. */
  #cancel(attempts: readonly AttemptRef[]): void {
    for (const slot of this.#slots.values()) {
      const { running } = slot;
      if (
        running !== null &&
        attempts.some(({ task, attempt }) => task === running.task && attempt === running.attempt)
      )
        this.#startNext(slot);
    }
  }

  #report(worker: string, reports: readonly object[]): void {
    const seq = (this.#seqs.get(worker) ?? 0) + 1;
    this.#seqs.set(worker, seq);
    const input = { kind: 'workerReported', worker, session: `s-${worker}`, reports: [{ ...reports[0], seq }] };
    this.#step(input as Input);
  }
}

function added({ workers }: Recorded, { add }: Change): RecordedWorker[] {
  if (add === undefined) return [];
  const like = workers.find(({ worker }) => worker === add.like);
  if (like === undefined) throw new Error(`no worker ${add.like} had a part in the run`);
  return Array.from({ length: add.count }, (_, number) => ({
    ...like,
    fromMs: 0,
    untilMs: null,
    worker: `${like.worker}${moreMark}${number + 1}`,
  }));
}

/** The recorded worker that an added one is like. */
function likeOf(worker: string): string {
  return worker.split(moreMark, 1)[0] ?? worker;
}

function suiteOf(suite: RecordedSuite): Suite {
  const none = { directory: '', arguments: [], env: {}, secrets: [], retries: 0, noOutputTimeoutMs: 0 };
  return { runner: 'command', timeoutMs: 7 * 86_400_000, ...suite, ...none };
}

function helloOf({ worker, pool, slots, trust, profile, profileDigest, declared }: RecordedWorker): Input {
  return {
    kind: 'workerConnected',
    worker: worker as WorkerId,
    session: `s-${worker}` as SessionId,
    token: worker,
    incarnation: '1',
    name: worker,
    pool,
    slots,
    agentVersion: '',
    ...(trust === undefined ? {} : { trust }),
    profile,
    profileDigest,
    declared: { ...declared },
    held: [],
    nextReportSeq: 0,
    isDraining: false,
  };
}

/** What each task takes on each worker: measured there, or scaled by the speeds of the classes in this run. */
function costsOf(recorded: Recorded, workers: readonly RecordedWorker[]): (task: number, worker: string) => number {
  const engine = createEngine(engineDefaults, emptyState());
  for (const one of workers) engine.step(helloOf(one), 0);
  const { state } = engine;
  const { project, suites, tasks } = recorded;
  const spec = { name: 'costs', project, priority: 0, failFast: false, unplaceable: 'wait' as const };
  const source = { kind: 'directory' as const, path: '/' };
  const learning = { suites: suites.map(suiteOf), source, ...spec };
  for (const { suite, target, costMs, worker } of tasks) {
    const capability = state.workers.get(worker as WorkerId)?.class;
    const suiteKey = suiteKeyOf(project, suites[suite]?.name ?? '');
    if (capability !== undefined) learn(state, { suiteKey, target, capability, costMs, startupMs: undefined, atMs: 0 });
  }
  const list = tasks.map(({ suite, target }) => ({ suite, target }));
  const submission = { submitter: 'what-if', idempotencyKey: 'costs', contentDigest: 'costs', spec: learning };
  engine.step({ kind: 'submitRun', run, ...submission, tasks: list, sealed: true }, 0);
  return (index, worker) => {
    const task = tasks[index];
    const record = state.runs.get(run)?.tasks[index];
    const lane = record === undefined ? undefined : state.runs.get(run)?.lanes[record.suite];
    const capability = state.workers.get(worker as WorkerId)?.class;
    if (task === undefined || record === undefined || lane === undefined || capability === undefined)
      throw new Error(`no task ${index}`);
    const { repeatedMs = 0 } = task;
    // Of a worker that is no longer there nothing is known that could scale it.
    const measuredOn = state.workers.get(task.worker as WorkerId)?.class;
    if (measuredOn === undefined || measuredOn === capability) return task.costMs + repeatedMs;
    return predictOn(state, engineDefaults, lane, record, capability).ms + repeatedMs;
  };
}
