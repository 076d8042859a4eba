// What the disk says: every entry folded at the moment in which it became durable, apart from the engine and its evolve. The
// rules of ARCHITECTURE.md, section 6, are checked here event by event, against the ground truth of the workers.
import type { Event, Input } from '@assay/core';
import type { JournalEntry } from '@assay/coordinator/simulation';
import {
  runIdOf,
  taskIdOf,
  type AttemptRef,
  type RunId,
  type Task,
  type TaskId,
  type Verdict,
  type WorkerId,
} from '@assay/protocol';
import { needOf } from '../agents/machines.ts';
import type { World } from '../sim/world.ts';
import type { DurableAttempt, DurableRun, DurableTask, DurableWorker } from './durable-types.ts';
import { endsWithoutOutcome, expectedVerdict, isVerdictTrue, outcomeIn } from './verdicts.ts';
import { attemptKeyOf, canonical, type Truth } from './truth.ts';

export type { DurableRun, DurableTask } from './durable-types.ts';

export class DurableFacts {
  seq = 0;
  /** How many alternatives of a suite (`run suite`) were open at any time: what was asked for first stays open. */
  readonly #opened = new Map<string, number>();
  readonly runs = new Map<RunId, DurableRun>();
  readonly workers = new Map<WorkerId, DurableWorker>();
  /** Assignments by id, with the session that they were made for. */
  readonly assignments = new Map<string, string>();
  readonly sessions = new Map<string, WorkerId>();
  readonly cancels = new Set<string>();
  readonly takeBacks = new Set<string>();
  readonly drained = new Set<WorkerId>();
  /** Attempts that settled, over all runs: what the summary counts. */
  settledAttempts = 0;
  refusedReports = 0;
  readonly #world: World;
  readonly #truth: Truth;

  constructor(world: World, truth: Truth) {
    this.#world = world;
    this.#truth = truth;
  }

  add(entries: readonly JournalEntry[]): void {
    for (const entry of entries) {
      this.#expect(entry.seq === this.seq + 1, 'the journal has no gaps', `entry ${entry.seq} after ${this.seq}`);
      this.seq = entry.seq;
      if (entry.input.kind === 'workerReported') this.#reportsTrue(entry.input);
      for (const event of entry.events) this.#one(event, entry.input);
    }
  }

  run(id: RunId): DurableRun | undefined {
    return this.runs.get(id);
  }

  task(id: TaskId): DurableTask | undefined {
    return this.runs.get(runIdOf(id))?.tasks[Number(id.slice(id.lastIndexOf('.') + 1))];
  }

  #one(event: Event, input: Input): void {
    switch (event.kind) {
      case 'runSubmitted':
        this.#expect(!this.runs.has(event.run), 'a run is submitted once', event.run);
        this.runs.set(event.run, {
          key: event.idempotencyKey,
          spec: event.spec,
          tasks: [],
          lastChunk: 0,
          isSealed: false,
          isCancelAsked: false,
          cancelAsked: new Set(),
          verdict: null,
          isRetired: false,
        });
        return;
      case 'tasksQueued':
        return this.#queued(event.run, event.first, event.tasks, event.chunk, event.sealed);
      case 'tasksAssigned':
        return this.#assigned(event);
      case 'hedgeDropped':
        return void this.#close(event, event.worker, 'returned');
      case 'attemptStarted':
        return void this.#open(event, event.worker, 'attemptStarted');
      case 'casesRecorded':
        return this.#cases(event, input);
      case 'alternativeOpened':
        this.#opened.set(`${event.run} ${event.suite}`, event.opened);
        return;
      case 'attemptSettled':
        return this.#settled(event, input);
      case 'tasksReturned':
        for (const ref of event.attempts) this.#close(ref, event.worker, 'returned');
        return;
      case 'taskSettled':
        return this.#taskSettled(event.task, event.verdict);
      case 'runSettled':
        return this.#runSettled(event.run, event.verdict);
      case 'runRetired':
        this.#expect(this.runs.get(event.run)?.verdict !== null, 'only a settled run leaves', event.run);
        this.runs.get(event.run)!.isRetired = true;
        return;
      case 'runCancelRequested': {
        const run = this.runs.get(event.run)!;
        if (event.tasks === 'all') run.isCancelAsked = true;
        else for (const task of event.tasks) run.cancelAsked.add(task);
        return;
      }
      case 'cancelSent':
        for (const ref of event.attempts) this.cancels.add(attemptKeyOf(ref));
        return;
      case 'takeBackRequested':
        for (const ref of event.attempts) this.takeBacks.add(attemptKeyOf(ref));
        return;
      default:
        return this.#ofWorker(event, input);
    }
  }

  #ofWorker(event: Event, input: Input): void {
    if (!('worker' in event) || event.worker === null) {
      if (event.kind === 'linksReset') for (const worker of this.workers.values()) worker.isLinked = false;
      return;
    }
    const worker = this.workers.get(event.worker);
    switch (event.kind) {
      case 'workerJoined': {
        this.sessions.set(event.session, event.worker);
        const { session, profile, declared, slots } = event;
        if (worker === undefined)
          this.workers.set(event.worker, {
            session,
            isLinked: true,
            profile,
            declared,
            slots,
            assignments: new Map(),
            ackedSeq: -1,
            reports: new Set(),
          });
        else Object.assign(worker, { session, isLinked: true, profile, declared, slots });
        return;
      }
      case 'profileChanged':
        worker!.profile = event.profile;
        return;
      case 'workerDraining':
        this.drained.add(event.worker);
        return;
      case 'workerDisconnected':
      case 'workerLost':
      case 'workerLeft':
        worker!.isLinked = false;
        return;
      case 'reportsRefused':
        this.refusedReports += event.refused.length;
        return;
      case 'reportsAccepted':
        worker!.ackedSeq = Math.max(worker!.ackedSeq, event.seq);
        if (input.kind === 'workerReported') for (const { seq } of input.reports) worker!.reports.add(seq);
        return;
      default:
        return;
    }
  }

  #queued(id: RunId, first: number, tasks: readonly Task[], chunk: number, sealed: boolean): void {
    const run = this.runs.get(id)!;
    this.#expect(
      first === run.tasks.length && !run.isSealed,
      'counts add up',
      `${id} takes tasks from ${first}, and has ${run.tasks.length}`,
    );
    for (const { suite, target } of tasks) run.tasks.push({ suite, target, attempts: new Map(), verdict: null });
    run.lastChunk = chunk;
    run.isSealed = sealed;
  }

  #assigned(event: Extract<Event, { kind: 'tasksAssigned' }>): void {
    const run = this.runs.get(event.run)!;
    const worker = this.workers.get(event.worker)!;
    const suite = run.spec.suites[event.suite]!;
    const what = `${event.assignment} to ${event.worker}`;
    this.#expect(worker.isLinked && worker.session === event.session, 'work goes to open links', what);
    const allowed = (suite.alternatives ?? []).slice(0, this.#opened.get(`${event.run} ${event.suite}`) ?? 0);
    const choices = [suite.requires, ...allowed.map(({ requires }) => requires)];
    const fits = choices.some((choice) => needOf(choice).fits(worker.profile, worker.declared));
    this.#expect(fits, 'no task runs where it misfits', `${what}: "${suite.requires}"`);
    this.#expect(
      worker.assignments.size < worker.slots,
      'a worker holds at most its slots',
      `${what}, which has ${worker.slots} slots`,
    );
    const open = new Set<string>();
    for (const { index, attempt } of event.tasks) {
      const task = run.tasks[index]!;
      const id = taskIdOf(event.run, index);
      const earlier = [...task.attempts.entries()];
      this.#expect(task.verdict === null && task.suite === event.suite, 'a settled task is not assigned', id);
      this.#expect(
        earlier.every(([number, one]) => number < attempt && (one.state !== 'open' || event.isHedge === true)) &&
          earlier.filter(([, one]) => one.state === 'open').length === (event.isHedge === true ? 1 : 0) &&
          earlier.every(([, one]) => one.state !== 'open' || one.worker !== event.worker),
        'a task has one attempt at a time, and a late one a duplicate elsewhere',
        `${id}#${attempt}`,
      );
      task.attempts.set(attempt, {
        worker: event.worker,
        state: 'open',
        assignment: event.assignment,
        cases: [],
        verdict: null,
        settles: false,
        isReported: false,
      });
      open.add(attemptKeyOf({ task: id, attempt }));
    }
    worker.assignments.set(event.assignment, open);
    this.assignments.set(event.assignment, event.session);
  }

  #cases(event: Extract<Event, { kind: 'casesRecorded' }>, input: Input): void {
    const attempt = this.#open(event, event.worker, 'casesRecorded');
    if (attempt === undefined || input.kind !== 'workerReported') return;
    const report = input.reports.find(({ seq }) => seq === event.reportSeq);
    const cases =
      report?.kind === 'cases'
        ? report.cases.slice(event.from - report.from, event.from - report.from + event.count)
        : [];
    this.#expect(
      event.from === attempt.cases.length && cases.length === event.count,
      'every case is recorded once',
      `${attemptKeyOf(event)} from ${event.from}`,
    );
    attempt.cases.push(...cases);
    const truth = this.#truth.executions.get(attemptKeyOf(event))?.cases.slice(0, attempt.cases.length);
    this.#expect(
      canonical(truth) === canonical(attempt.cases),
      'a verdict never lands on a newer attempt',
      `${attemptKeyOf(event)} has cases that it did not produce`,
    );
  }

  #settled(event: Extract<Event, { kind: 'attemptSettled' }>, input: Input): void {
    const key = attemptKeyOf(event);
    this.settledAttempts += 1;
    if (event.worker === null) {
      const task = this.task(event.task)!;
      this.#expect(!task.attempts.has(event.attempt), 'an attempt is recorded at most once', key);
      task.attempts.set(event.attempt, {
        worker: null,
        state: 'settled',
        assignment: null,
        cases: [],
        verdict: event.verdict,
        settles: event.next.kind === 'settle',
        isReported: false,
      });
      return;
    }
    const attempt = this.#close(event, event.worker, 'settled');
    if (attempt === undefined) return;
    attempt.verdict = event.verdict;
    attempt.settles = event.next.kind === 'settle';
    const outcome = outcomeIn(input, event.worker, event);
    if (outcome === null) {
      const isOwn = endsWithoutOutcome(event, input);
      this.#expect(
        isOwn,
        'a verdict never lands on a newer attempt',
        `${key} is ${event.verdict}, and its worker did not say so`,
      );
      return;
    }
    attempt.isReported = true;
    const isOwn = event.failure?.code === 'RETRIES_EXHAUSTED' || event.failure?.code === 'POISON';
    const isExhausted = isOwn && event.verdict === 'errored';
    // After a power cut an agent may know of more cases than it still has.
    const isCutShort = outcome.failure?.code === 'WORKER_RESTARTED';
    this.#expect(
      isCutShort || event.failure?.code !== 'REPORT_CORRUPT',
      'no accepted result is lost',
      `${key}: ${event.failure?.message ?? ''}`,
    );
    this.#expect(
      isExhausted || event.verdict === expectedVerdict(outcome),
      'a verdict is the one that was reported',
      `${key} is ${event.verdict}, the worker said ${outcome.verdict}`,
    );
    const execution = this.#truth.executions.get(key);
    if (outcome.verdict === 'passed')
      this.#expect(
        execution?.outcome?.verdict === 'passed' && execution.worker === event.worker,
        'a verdict never lands on a newer attempt',
        `${key} passed, and did not run`,
      );
  }

  #taskSettled(id: TaskId, verdict: Verdict): void {
    const task = this.task(id)!;
    this.#expect(task.verdict === null, 'a task settles once', id);
    const last = [...task.attempts.values()].filter(({ state }) => state !== 'returned').at(-1);
    this.#expect(
      [...task.attempts.values()].every(({ state }) => state !== 'open'),
      'no attempt outlives its task',
      id,
    );
    this.#expect(last?.state !== 'open', 'a task settles after its attempt', id);
    const isOwn = last?.settles === true ? last.verdict === verdict : verdict === 'canceled';
    this.#expect(
      isOwn,
      'a task has the verdict of its last attempt',
      `${id} ${verdict}, attempt ${last?.verdict ?? 'none'}`,
    );
    task.verdict = verdict;
  }

  #runSettled(id: RunId, verdict: Verdict): void {
    const run = this.runs.get(id)!;
    this.#expect(run.verdict === null, 'a run settles once', id);
    run.verdict = verdict;
    const verdicts = run.tasks.map((task) => task.verdict);
    this.#expect(!verdicts.includes(null), 'a run settles with its last task', id);
    this.#expect(
      isVerdictTrue(verdict, verdicts),
      'a run has a true verdict',
      `${id} ${verdict}: ${verdicts.join(' ')}`,
    );
  }

  /** The attempt, which must be open and this worker's. */
  #open(ref: AttemptRef, worker: WorkerId, what: string): DurableAttempt | undefined {
    const attempt = this.task(ref.task)?.attempts.get(ref.attempt);
    this.#expect(
      attempt?.state === 'open' && attempt.worker === worker,
      'a verdict never lands on a newer attempt',
      `${what} for ${attemptKeyOf(ref)} of ${worker}, which is ${attempt?.state ?? 'unknown'}`,
    );
    return attempt;
  }

  #close(ref: AttemptRef, worker: WorkerId, state: 'settled' | 'returned'): DurableAttempt | undefined {
    const attempt = this.task(ref.task)?.attempts.get(ref.attempt);
    this.#expect(
      attempt !== undefined && attempt.state === 'open',
      'an attempt is recorded at most once',
      `${attemptKeyOf(ref)} is ${attempt?.state ?? 'unknown'}, and ${state} again`,
    );
    if (attempt === undefined) return undefined;
    this.#expect(attempt.worker === worker, 'an attempt belongs to one worker', attemptKeyOf(ref));
    attempt.state = state;
    const holder = this.workers.get(worker);
    const open = attempt.assignment === null ? undefined : holder?.assignments.get(attempt.assignment);
    open?.delete(attemptKeyOf(ref));
    if (open?.size === 0) holder!.assignments.delete(attempt.assignment!);
    return attempt;
  }

  /** Nothing gets into the journal that no agent said. */
  #reportsTrue(input: Extract<Input, { kind: 'workerReported' }>): void {
    const said = this.#truth.saidBy(input.worker);
    for (const report of input.reports) {
      if (report.kind === 'profileChanged') continue;
      this.#expect(
        said.get(report.seq) === canonical(report),
        'reports arrive as they were said',
        `${input.worker} report ${report.seq}`,
      );
    }
  }

  #expect(holds: boolean, invariant: string, about: string): void {
    if (!holds) this.#world.violate(invariant, `${about} (journal entry ${this.seq})`);
  }
}
