// Test support: an engine with a clock that the test moves, and short words for what workers and clients do. It drives the
// production engine through its one door and checks the invariants after every step; it holds no behaviour of its own.
import type {
  AttemptOutcome,
  AttemptRef,
  Case,
  Report,
  RunId,
  RunSpec,
  SessionId,
  Task,
  TaskId,
  WorkerId,
} from '@assay/protocol';
import { engineDefaults } from '../engine/config.ts';
import type { EngineConfig } from '../engine/config.ts';
import { createEngine } from '../engine/engine.ts';
import type { Engine } from '../engine/engine.ts';
import type { Event, Reply, StepResult, TasksAssigned } from '../engine/events.ts';
import type { Input, SubmitRun, WorkerConnected } from '../engine/inputs.ts';
import { unlawfulAssignments } from '../circuits/check-circuits.ts';
import { checkInvariants } from '../engine/invariants.ts';
import { AssertionError } from '../kernel/assert.ts';
import { outcomeOf, profileOf, specOf } from './specs.ts';

export * from './specs.ts';

export type JournalEntry = { seq: number; atMs: number; input: Input; events: Event[] };

export class Lab {
  readonly engine: Engine;
  readonly config: EngineConfig;
  readonly journal: JournalEntry[] = [];
  nowMs = 1_000;
  reply: Reply = { kind: 'accepted' };
  #runs = 0;
  #sessions = 0;
  /** Off where a story is long and the chaos of the properties covers it. */
  areInvariantsChecked = true;
  readonly #workers = new Map<string, { session: SessionId; seq: number; hello: WorkerConnected }>();

  constructor(config: Partial<EngineConfig> = {}, engine?: Engine) {
    this.config = { ...engineDefaults, ...config };
    this.engine = engine ?? createEngine(this.config);
  }

  step(input: Input): Event[] {
    const before = this.engine.state.seq;
    const result: StepResult = this.engine.step(asJson(input), this.nowMs);
    this.reply = result.reply;
    const problems = this.areInvariantsChecked ? checkInvariants(this.engine.state) : [];
    if (this.areInvariantsChecked) problems.push(...unlawfulAssignments(this.engine.state, result.events));
    if (problems.length > 0) throw new AssertionError(`after ${input.kind}: ${problems.join('; ')}`);
    if (this.engine.state.seq !== before + (result.events.length > 0 ? 1 : 0))
      throw new AssertionError('seq counts steps with events');
    if (result.events.length > 0)
      this.journal.push({ seq: this.engine.state.seq, atMs: this.nowMs, input, events: asJson(result.events) });
    return result.events;
  }

  /** Moves the clock, acting on each deadline on the way when it is due. */
  wait(ms: number): Event[] {
    const untilMs = this.nowMs + ms;
    const events: Event[] = [];
    for (;;) {
      const dueMs = this.engine.nextDeadlineMs();
      if (dueMs === null || dueMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, dueMs);
      events.push(...this.step({ kind: 'timePassed' }));
      const again = this.engine.nextDeadlineMs();
      if (again !== null && again <= this.nowMs)
        throw new AssertionError(`the deadline ${again} stays after it was acted on`);
    }
    this.nowMs = untilMs;
    return events;
  }

  submit(tasks: readonly Task[], change: Partial<RunSpec> = {}, more: Partial<SubmitRun> = {}): RunId {
    this.#runs += 1;
    const run = `r-${this.#runs}` as RunId;
    const input: SubmitRun = {
      kind: 'submitRun',
      run,
      submitter: 'ada',
      idempotencyKey: `key-${this.#runs}`,
      contentDigest: 'content',
      spec: specOf(change),
      tasks: [...tasks],
      sealed: true,
      ...more,
    };
    this.step(input);
    return input.run;
  }

  /** A worker says hello, for the first time or again; what it holds is what the test says it holds. */
  join(name: string, change: Partial<WorkerConnected> = {}): Event[] {
    this.#sessions += 1;
    const known = this.#workers.get(name);
    const hello: WorkerConnected = {
      ...(known?.hello ?? {
        kind: 'workerConnected',
        worker: name as WorkerId,
        token: `token-${name}`,
        incarnation: 'i1',
        name,
        pool: 'default',
        slots: 1,
        agentVersion: '1',
        profile: profileOf(),
        profileDigest: 'plain',
        declared: {},
        nextReportSeq: 0,
        isDraining: false,
      }),
      held: [],
      session: `s-${this.#sessions}` as SessionId,
      ...change,
    };
    this.#workers.set(name, { session: hello.session, seq: known?.seq ?? 0, hello });
    return this.step(hello);
  }

  session(name: string): SessionId {
    const known = this.#workers.get(name);
    if (known === undefined) throw new AssertionError(`${name} never joined`);
    return known.session;
  }

  /** Reports in one frame; sequence numbers are given here. */
  report(name: string, ...reports: readonly Unnumbered<Report>[]): Event[] {
    const known = this.#workers.get(name);
    if (known === undefined) throw new AssertionError(`${name} never joined`);
    const numbered = reports.map((report) => {
      known.seq += 1;
      return { ...report, seq: known.seq } as Report;
    });
    return this.step({ kind: 'workerReported', worker: name as WorkerId, session: known.session, reports: numbered });
  }

  start(name: string, ref: AttemptRef): Event[] {
    return this.report(name, { kind: 'started', ...ref, atMs: this.nowMs });
  }

  finish(name: string, ref: AttemptRef, change: Partial<AttemptOutcome> = {}): Event[] {
    return this.report(name, { kind: 'finished', ...ref, outcome: outcomeOf(change) });
  }

  cut(name: string): Event[] {
    return this.step({ kind: 'workerDisconnected', worker: name as WorkerId, session: this.session(name) });
  }

  /** What the engine believes that a worker holds, in order. */
  held(name: string): AttemptRef[] {
    const { state } = this.engine;
    const worker = state.workers.get(name as WorkerId);
    const refs: AttemptRef[] = [];
    for (const assignment of worker?.assignments.values() ?? []) {
      const run = state.runs.get(assignment.run);
      for (const { index, attempt } of assignment.tasks) {
        const last = run?.tasks[index]?.attempts.at(-1);
        const isOpen =
          last?.attempt === attempt && last.state.kind !== 'settled' && last.assignment === assignment.assignment;
        if (isOpen) refs.push({ task: `${assignment.run}.${index}` as TaskId, attempt });
      }
    }
    return refs;
  }
}

/** What the journal does to a value: inputs and events have to survive it. */
export function asJson<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}

export type Unnumbered<Member> = Member extends { seq: number } ? Omit<Member, 'seq'> : never;

export function caseOf(name: string, status: Case['status'] = 'passed'): Case {
  return { path: [name], status, durationMs: 1 };
}

/** The events of one kind. */
export function only<Kind extends Event['kind']>(
  events: readonly Event[],
  kind: Kind,
): Extract<Event, { kind: Kind }>[] {
  return events.filter((event): event is Extract<Event, { kind: Kind }> => event.kind === kind);
}

export function kinds(events: readonly Event[]): string[] {
  return events.map(({ kind }) => kind);
}

export function refsOf(event: TasksAssigned): AttemptRef[] {
  return event.tasks.map(({ index, attempt }) => ({ task: `${event.run}.${index}` as TaskId, attempt }));
}
