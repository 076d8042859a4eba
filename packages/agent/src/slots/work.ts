// Work in hand: assignments, each on one slot, from their arrival until every attempt of them is settled.
//
// What always holds: every attempt that was assigned gets exactly one `finished` or `returned` (none if it was abandoned);
// never more assignments execute than there are slots, whatever the coordinator sends; what does not fit is returned.
// A slot that is just being cleaned up may already be known as free to the coordinator, so as many assignments as
// there are slots may wait; above that they are returned.
import type { Assign, AttemptOutcome, AttemptRef, Gpu, Report, Source } from '@assay/protocol';
import { AssayError, limit } from '@assay/protocol';
import type { AttemptFile } from '../blobs/outbox.ts';
import { withDevices } from '../execute/device-environment.ts';
import type { Batch, BatchInput, BatchSink } from '../execute/execute-batch.ts';
import { attemptKey } from '../session/session.ts';
import type { Project } from '../sources/sources.ts';
import type { ReportBody } from '../spool/spool.ts';
import { cut, ownOutcome, splitCases } from './outcomes.ts';

type ReturnReason = (Report & { kind: 'returned' })['reason'];

export type WorkOptions = {
  slots: number;
  scratchDir: string;
  /** Of tests. */
  env: Readonly<Record<string, string | undefined>>;
  execute: (input: BatchInput, sink: BatchSink) => Batch;
  acquire: (source: Source) => Promise<Project>;
  /** Spools and sends. May throw SPOOL_FULL for cases. */
  report: (body: ReportBody) => void;
  /** Takes the files over; resolves to the outcome that names them. */
  keepFiles: (ref: AttemptRef, outcome: AttemptOutcome, files: readonly AttemptFile[]) => Promise<AttemptOutcome>;
  output: (ref: AttemptRef, stream: 'stdout' | 'stderr', text: string) => void;
  /** Why nothing new may start right now, or null: the machine changed and the coordinator does not know it yet. */
  misfit: () => string | null;
  gpus?: () => readonly Gpu[]; // Of the worker's profile.
  nowMs: () => number;
  /** The number of assignments in hand changed. */
  changed: () => void;
};

type Attempt = {
  ref: AttemptRef;
  stage: 'waiting' | 'running' | 'ending' | 'settled';
  startedAtMs: number;
  /** The same by a clock that never jumps. */
  startedSteadyMs: number;
  casesReported: number;
  /** Cases could not be spooled: the outcome is ours, whatever the execution says. */
  overflow: AssayError | null;
  /** Asked back because of a drain, which the report says. */
  isDrained: boolean;
};

type Assignment = {
  assign: Assign;
  attempts: Map<string, Attempt>;
  phase: { kind: 'waiting' } | { kind: 'preparing' } | { kind: 'executing'; batch: Batch };
};

export class Work {
  readonly #options: WorkOptions;
  readonly #assignments = new Set<Assignment>();
  readonly #endings = new Set<Promise<void>>();
  #busy = 0;
  #drain: string | null = null;

  constructor(options: WorkOptions) {
    this.#options = options;
  }

  /** Assignments on a slot or waiting for one. */
  get size(): number {
    return this.#assignments.size;
  }

  assign(assign: Assign): void {
    const attempts = new Map<string, Attempt>();
    for (const { task, attempt } of assign.tasks) {
      attempts.set(attemptKey({ task, attempt }), {
        ref: { task, attempt },
        stage: 'waiting',
        startedAtMs: 0,
        startedSteadyMs: 0,
        casesReported: 0,
        overflow: null,
        isDrained: false,
      });
    }
    const assignment: Assignment = { assign, attempts, phase: { kind: 'waiting' } };
    this.#assignments.add(assignment);
    const misfit = this.#options.misfit();
    if (this.#drain !== null) this.#return(assignment, 'draining', this.#drain);
    else if (misfit !== null) this.#return(assignment, 'misfit', misfit);
    else if (this.#waiting().length > this.#options.slots)
      this.#return(assignment, 'misfit', `all ${this.#options.slots} slots are taken`);
    this.#fill();
    this.#options.changed();
  }

  takeBack(refs: readonly AttemptRef[]): void {
    this.#giveBack(refs, 'takenBack', '');
  }

  cancel(refs: readonly AttemptRef[], reason: string): void {
    for (const [assignment, found] of this.#find(refs)) {
      if (assignment.phase.kind === 'executing')
        assignment.phase.batch.cancel(
          found.map((one) => one.ref),
          reason,
        );
      else
        for (const attempt of found)
          this.#finishUnstarted(attempt, {
            verdict: 'canceled',
            class: 'unknown',
            code: 'CANCELED',
            message: reason || 'canceled',
          });
      this.#forget(assignment);
    }
    this.#options.changed();
  }

  /** Ended by force, through no fault of theirs: they are reported as such and repeated. Returns how many were in hand. */
  kill(refs: readonly AttemptRef[], message: string): number {
    let count = 0;
    const error = new AssayError('RUNNER_KILLED', message);
    for (const [{ phase }, found] of this.#find(refs)) {
      count += found.length;
      const begun = found.filter((attempt) => attempt.stage !== 'waiting');
      for (const attempt of begun) attempt.overflow ??= error;
      const begunRefs = begun.map((attempt) => attempt.ref);
      if (phase.kind === 'executing') phase.batch.cancel(begunRefs, message);
    }
    this.#giveBack(refs, 'takenBack', message);
    return count;
  }

  /** Those of the attempts that run past their suite's time-out. */
  pastTimeout(refs: readonly AttemptRef[]): AttemptRef[] {
    const isPast = ({ stage, startedSteadyMs }: Attempt, { suite }: Assign): boolean =>
      stage !== 'waiting' && performance.now() - startedSteadyMs > suite.timeoutMs;
    const late = [...this.#find(refs)].flatMap(([{ assign }, found]) => found.filter((one) => isPast(one, assign)));
    return late.map((attempt) => attempt.ref);
  }

  /** Whether any of the attempts is in hand. */
  holds(refs: readonly AttemptRef[]): boolean {
    return this.#find(refs).next().done !== true;
  }

  /** Not ours any more: ended without a word. */
  abandon(refs: readonly AttemptRef[]): void {
    for (const [assignment, found] of this.#find(refs)) {
      for (const attempt of found) attempt.stage = 'settled';
      if (assignment.phase.kind === 'executing')
        assignment.phase.batch.cancel(
          found.map((one) => one.ref),
          'abandoned',
        );
      this.#forget(assignment);
    }
    this.#options.changed();
  }

  /** Starts nothing any more: what runs is finished, the rest goes back. */
  drain(reason: string): void {
    this.#drain = reason;
    this.#giveBack(this.#all(), 'draining', reason);
  }

  /** The machine is another one now: what has not started goes back. */
  misfitted(reason: string): void {
    for (const assignment of this.#waiting()) this.#return(assignment, 'misfit', reason);
    this.#options.changed();
  }

  /** Ends everything without a word; resolves when nothing of it runs any more. */
  async abandonAll(): Promise<void> {
    this.#drain ??= 'the agent is ending';
    this.abandon(this.#all());
    while (this.#endings.size > 0) await Promise.all(this.#endings);
  }

  #all(): AttemptRef[] {
    return [...this.#assignments].flatMap((assignment) =>
      [...assignment.attempts.values()].map((attempt) => attempt.ref),
    );
  }

  #waiting(): Assignment[] {
    return [...this.#assignments].filter((assignment) => assignment.phase.kind === 'waiting');
  }

  #fill(): void {
    for (const assignment of this.#waiting()) {
      if (this.#busy >= this.#options.slots) return;
      this.#busy += 1;
      assignment.phase = { kind: 'preparing' };
      const ending = this.#carryOut(assignment).finally(() => {
        this.#busy -= 1;
        this.#endings.delete(ending);
        this.#assignments.delete(assignment);
        this.#fill();
        this.#options.changed();
      });
      this.#endings.add(ending);
    }
  }

  async #carryOut(assignment: Assignment): Promise<void> {
    const { assign, attempts } = assignment;
    let project: Project;
    try {
      project = await this.#options.acquire(assign.source);
    } catch (error) {
      const code = error instanceof AssayError ? error.code : 'SOURCE_UNAVAILABLE';
      const message = error instanceof Error ? error.message : String(error);
      for (const attempt of attempts.values())
        this.#finishUnstarted(attempt, { verdict: 'errored', class: 'infrastructure', code, message });
      return;
    }
    try {
      const tasks = assign.tasks.filter((task) => attempts.get(attemptKey(task))?.stage === 'waiting');
      if (tasks.length === 0) return;
      const { scratchDir, env, nowMs, execute } = this.#options;
      const batch = execute(
        {
          projectDir: project.directory,
          suite: withDevices(assign, this.#options.gpus?.() ?? []),
          tasks,
          scratchDir,
          env,
          nowMs,
        },
        this.#sink(assignment),
      );
      assignment.phase = { kind: 'executing', batch };
      await batch.done;
      await Promise.all(this.#filing.get(assignment) ?? []);
    } finally {
      project.release();
      this.#filing.delete(assignment);
      for (const attempt of attempts.values()) {
        // An execution that breaks its promise must not leave the coordinator waiting for ever.
        const message = 'the execution ended without saying what became of this attempt';
        this.#finishUnstarted(attempt, { verdict: 'errored', class: 'infrastructure', code: 'INTERNAL', message });
      }
    }
  }

  /** Files of finished attempts that are being taken over, per assignment. */
  readonly #filing = new Map<Assignment, Promise<void>[]>();

  #sink(assignment: Assignment): BatchSink {
    const live = (ref: AttemptRef): Attempt | null => {
      const attempt = assignment.attempts.get(attemptKey(ref));
      return attempt === undefined || attempt.stage === 'settled' || attempt.stage === 'ending' ? null : attempt;
    };
    return {
      started: (ref, atMs) => {
        const attempt = live(ref);
        if (attempt?.stage === 'waiting') this.#start(attempt, atMs);
      },
      cases: (ref, from, cases) => {
        const attempt = live(ref);
        if (attempt !== null && attempt.overflow === null) this.#cases(assignment, attempt, from, cases);
      },
      output: (ref, stream, text) => {
        if (live(ref) !== null) this.#options.output(ref, stream, text);
      },
      finished: (ref, outcome, files) => {
        const attempt = live(ref);
        if (attempt === null) return;
        attempt.stage = 'ending';
        const filing = this.#finish(attempt, outcome, files);
        this.#filing.set(assignment, [...(this.#filing.get(assignment) ?? []), filing]);
      },
      returned: (refs, reason, message) => {
        for (const ref of refs) {
          const attempt = live(ref);
          if (attempt === null) continue;
          this.#settleReturned(
            [attempt],
            attempt.isDrained ? 'draining' : reason,
            attempt.isDrained ? (this.#drain ?? message) : message,
          );
        }
      },
    };
  }

  #start(attempt: Attempt, atMs: number): void {
    attempt.stage = 'running';
    attempt.startedAtMs = atMs;
    attempt.startedSteadyMs = performance.now();
    this.#options.report({ kind: 'started', ...attempt.ref, atMs });
  }

  #cases(assignment: Assignment, attempt: Attempt, from: number, cases: Parameters<BatchSink['cases']>[2]): void {
    let ordinal = from;
    try {
      for (const part of splitCases(cases)) {
        this.#options.report({ kind: 'cases', ...attempt.ref, from: ordinal, cases: part });
        ordinal += part.length;
        attempt.casesReported = ordinal;
      }
    } catch (error) {
      if (!(error instanceof AssayError)) throw error;
      attempt.overflow = error;
      if (assignment.phase.kind === 'executing') assignment.phase.batch.cancel([attempt.ref], error.message);
    }
  }

  async #finish(attempt: Attempt, outcome: AttemptOutcome, files: readonly AttemptFile[]): Promise<void> {
    const { overflow } = attempt;
    const own: AttemptOutcome =
      overflow === null
        ? outcome
        : ownOutcome({
            verdict: 'errored',
            class: 'infrastructure',
            code: overflow.code,
            message: overflow.message,
            casesReported: attempt.casesReported,
            startedAtMs: outcome.startedAtMs,
            endedAtMs: outcome.endedAtMs,
          });
    const kept = await this.#options.keepFiles(attempt.ref, own, files);
    // It may have been abandoned while its files were moved.
    if (attempt.stage === 'settled') return;
    attempt.stage = 'settled';
    this.#options.report({ kind: 'finished', ...attempt.ref, outcome: kept });
  }

  #finishUnstarted(
    attempt: Attempt,
    end: { verdict: 'errored' | 'canceled'; class: 'infrastructure' | 'unknown'; code: string; message: string },
  ): void {
    if (attempt.stage === 'settled') return;
    const nowMs = this.#options.nowMs();
    if (attempt.stage === 'waiting') this.#start(attempt, nowMs);
    attempt.stage = 'settled';
    const outcome = ownOutcome({
      ...end,
      casesReported: attempt.casesReported,
      startedAtMs: attempt.startedAtMs,
      endedAtMs: nowMs,
    });
    this.#options.report({ kind: 'finished', ...attempt.ref, outcome });
  }

  #giveBack(refs: readonly AttemptRef[], reason: ReturnReason, message: string): void {
    for (const [assignment, found] of this.#find(refs)) {
      const unstarted = found.filter((attempt) => attempt.stage === 'waiting');
      if (assignment.phase.kind === 'executing') {
        if (reason === 'draining') for (const attempt of unstarted) attempt.isDrained = true;
        if (unstarted.length > 0) assignment.phase.batch.withdraw(unstarted.map((one) => one.ref));
      } else {
        this.#settleReturned(unstarted, reason, message);
        this.#forget(assignment);
      }
    }
    this.#options.changed();
  }

  #return(assignment: Assignment, reason: ReturnReason, message: string): void {
    this.#settleReturned(
      [...assignment.attempts.values()].filter((one) => one.stage === 'waiting'),
      reason,
      message,
    );
    this.#forget(assignment);
  }

  #settleReturned(attempts: readonly Attempt[], reason: ReturnReason, message: string): void {
    if (attempts.length === 0) return;
    for (const attempt of attempts) attempt.stage = 'settled';
    this.#options.report({
      kind: 'returned',
      attempts: attempts.map((one) => one.ref),
      reason,
      ...(message === '' ? {} : { message: cut(message, limit('messageChars') - 100) }),
    });
  }

  /** A waiting assignment of which nothing is left needs no slot. */
  #forget(assignment: Assignment): void {
    const isOver = [...assignment.attempts.values()].every((attempt) => attempt.stage === 'settled');
    if (isOver && assignment.phase.kind === 'waiting') this.#assignments.delete(assignment);
  }

  *#find(refs: readonly AttemptRef[]): Generator<[Assignment, Attempt[]], void, void> {
    const wanted = new Set(refs.map(attemptKey));
    for (const assignment of [...this.#assignments]) {
      const found = [...assignment.attempts.entries()].filter(
        ([key, attempt]) => wanted.has(key) && attempt.stage !== 'settled',
      );
      if (found.length > 0) yield [assignment, found.map(([, attempt]) => attempt)];
    }
  }
}
