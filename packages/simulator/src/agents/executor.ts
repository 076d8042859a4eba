// Executes batches in virtual time, as the agent's execution does in real time (execute/execute-batch.ts has the contract):
// the tasks of a batch one after the other, the first after the start-up of its runner; cases come while it runs; what did
// not start can be given back; every attempt ends in exactly one of `finished` and `returned`.
// How a task comes out is drawn from its target and its attempt, so that it does not depend on where it runs.
import type { Batch, BatchInput, BatchSink } from '@assay/agent/simulation';
import { ownOutcome } from '@assay/agent/simulation';
import type { AttemptFailure, AttemptOutcome, AttemptRef, Case, FailureClass, WorkerId } from '@assay/protocol';
import { attemptKeyOf, type Truth } from '../checks/truth.ts';
import type { SimProcess } from '../sim/process.ts';
import { randomOf } from '../sim/random.ts';
import type { World } from '../sim/world.ts';

/** What one attempt will do: drawn, or written down by a scenario. */
export type Plan = {
  durationMs: number;
  cases: Case[];
  verdict: AttemptOutcome['verdict'];
  failure?: AttemptFailure;
  killsRunner?: boolean;
  /** Takes its whole machine down in the middle. */
  killsMachine?: boolean;
};
/** By target, attempt, worker and time: what a scenario writes down may depend on where and when it runs. */
export type PlanOf = (target: string, attempt: number, worker: WorkerId, atMs: number) => Plan;

export type ExecutorOptions = {
  world: World;
  truth: Truth;
  worker: WorkerId;
  process: () => SimProcess;
  planOf: PlanOf;
  /** Start-up of a runner process, and how much slower than others this machine is. */
  startupMs: number;
  slowness: number;
  /** Ends the machine that it runs on. */
  powerOff?: () => void;
};
export type Execute = (input: BatchInput, sink: BatchSink) => Batch;

export function createExecutor(options: ExecutorOptions): Execute {
  return (input, sink) => new SimBatch(options, input, sink);
}

class SimBatch implements Batch {
  readonly done: Promise<void>;
  readonly #options: ExecutorOptions;
  readonly #process: SimProcess;
  readonly #input: BatchInput;
  readonly #sink: BatchSink;
  #waiting: BatchInput['tasks'][number][];
  #running: { ref: AttemptRef; startedAtMs: number; reported: number; cancels: (() => void)[] } | null = null;
  #owedStartupMs: number | null = null;
  #finish: () => void = () => undefined;

  constructor(options: ExecutorOptions, input: BatchInput, sink: BatchSink) {
    this.#options = options;
    this.#process = options.process();
    this.#input = input;
    this.#sink = sink;
    this.#waiting = [...input.tasks];
    this.done = new Promise((resolve) => (this.#finish = resolve));
    this.#owedStartupMs = options.startupMs;
    this.#process.after(options.startupMs, () => this.#next());
  }

  withdraw(refs: readonly AttemptRef[]): void {
    const wanted = new Set(refs.map(attemptKeyOf));
    const back = this.#waiting.filter((task) => wanted.has(attemptKeyOf(task)));
    this.#waiting = this.#waiting.filter((task) => !back.includes(task));
    if (back.length > 0) this.#return(back, 'takenBack', '');
  }

  cancel(refs: readonly AttemptRef[] | 'all', reason: string): void {
    const isMeant = (ref: AttemptRef): boolean =>
      refs === 'all' || refs.some((one) => attemptKeyOf(one) === attemptKeyOf(ref));
    for (const { task, attempt } of this.#waiting.filter(isMeant))
      this.#finishAsCanceled({ task, attempt }, this.#input.nowMs(), 0, reason);
    this.#waiting = this.#waiting.filter((task) => !isMeant(task));
    const running = this.#running;
    if (running === null || !isMeant(running.ref)) return;
    for (const stop of running.cancels) stop();
    // It is asked nicely first.
    running.cancels = [
      this.#process.after(20, () =>
        this.#end(() => this.#finishAsCanceled(running.ref, running.startedAtMs, running.reported, reason)),
      ),
    ];
  }

  #next(): void {
    this.#options.world.expectPromises();
    const task = this.#waiting.shift();
    if (task === undefined) return this.#finish();
    const ref = { task: task.task, attempt: task.attempt };
    const plan = this.#options.planOf(task.target, task.attempt, this.#options.worker, this.#options.world.nowMs);
    const durationMs = Math.max(1, Math.round(plan.durationMs * this.#options.slowness));
    const execution = this.#options.truth.executing(this.#options.worker, ref);
    const running = { ref, startedAtMs: this.#input.nowMs(), reported: 0, cancels: [] as (() => void)[] };
    this.#running = running;
    this.#sink.started(ref, running.startedAtMs);
    const parts =
      plan.cases.length === 0
        ? []
        : plan.cases.length < 3
          ? [plan.cases]
          : [plan.cases.slice(0, 2), plan.cases.slice(2)];
    parts.forEach((cases, at) => {
      const report = (): void => {
        execution.cases.push(...cases);
        this.#sink.cases(ref, running.reported, cases);
        running.reported += cases.length;
      };
      running.cancels.push(this.#process.after((durationMs * (at + 1)) / (parts.length + 1), report));
    });
    const { powerOff } = this.#options;
    if (plan.killsMachine === true && powerOff !== undefined)
      running.cancels.push(this.#process.after(durationMs / 2, powerOff));
    running.cancels.push(
      this.#process.after(durationMs, () => this.#end(() => this.#finishAsPlanned(running, plan, durationMs))),
    );
  }

  #end(say: () => void): void {
    this.#options.world.expectPromises();
    this.#running = null;
    say();
    // A test that kills its runner: the next ones pay for another start.
    this.#process.after(0, () => this.#next());
  }

  #finishAsPlanned(
    running: { ref: AttemptRef; startedAtMs: number; reported: number },
    plan: Plan,
    durationMs: number,
  ): void {
    const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
    for (const { status } of plan.cases) counts[status] += 1;
    const startup = this.#owedStartupMs === null ? {} : { startupMs: this.#owedStartupMs };
    this.#owedStartupMs = null;
    const outcome: AttemptOutcome = {
      verdict: plan.verdict,
      ...(plan.failure === undefined ? {} : { failure: plan.failure }),
      counts,
      casesReported: running.reported,
      startedAtMs: running.startedAtMs,
      endedAtMs: Math.max(running.startedAtMs, this.#input.nowMs()),
      costMs: durationMs,
      ...startup,
    };
    this.#options.truth.executions.get(attemptKeyOf(running.ref))!.outcome = outcome;
    this.#sink.finished(running.ref, outcome, []);
    if (plan.killsRunner === true) this.#return(this.#waiting.splice(0), 'runnerDied', 'the runner died');
  }

  #finishAsCanceled(ref: AttemptRef, startedAtMs: number, casesReported: number, reason: string): void {
    this.#options.world.expectPromises();
    const outcome = ownOutcome({
      verdict: 'canceled',
      class: 'unknown',
      code: 'CANCELED',
      message: reason || 'canceled',
      casesReported,
      startedAtMs,
      endedAtMs: this.#input.nowMs(),
    });
    this.#sink.finished(ref, outcome, []);
  }

  #return(tasks: readonly AttemptRef[], reason: 'takenBack' | 'runnerDied', message: string): void {
    this.#options.world.expectPromises();
    const refs = tasks.map(({ task, attempt }) => ({ task, attempt }));
    if (refs.length > 0) this.#sink.returned(refs, reason, message);
  }
}

/** Failure classes with how often they come up. */
const failures: readonly { weight: number; verdict: AttemptOutcome['verdict']; class: FailureClass; code: string }[] = [
  { weight: 10, verdict: 'failed', class: 'test', code: 'TESTS_FAILED' },
  { weight: 3, verdict: 'errored', class: 'infrastructure', code: 'SETUP_FAILED' },
  { weight: 2, verdict: 'errored', class: 'infrastructure', code: 'OUT_OF_MEMORY' },
  { weight: 2, verdict: 'errored', class: 'device', code: 'DEVICE_LOST' },
  { weight: 1, verdict: 'errored', class: 'driver', code: 'DRIVER_FAILED' },
  { weight: 1, verdict: 'errored', class: 'browser', code: 'BROWSER_LOST' },
  { weight: 2, verdict: 'errored', class: 'configuration', code: 'FILE_NOT_LOADED' },
  { weight: 2, verdict: 'timedOut', class: 'timeout', code: 'TIMED_OUT' },
  { weight: 2, verdict: 'errored', class: 'unknown', code: 'RUNNER_CRASHED' },
];

/** Draws what attempts do, for one seed. */
export function drawPlans(seed: number, longestMs: number): (target: string, attempt: number) => Plan {
  return (target, attempt) => {
    const ofTask = randomOf(seed, `plan ${target}`);
    const random = randomOf(seed, `plan ${target} ${attempt}`);
    const durationMs = ofTask.skewed(1, longestMs) * (0.7 + 0.6 * random.real());
    const count = random.chance(0.05) ? 0 : random.skewed(1, 9);
    const isFailing = random.chance(0.25);
    const cases: Case[] = Array.from({ length: count }, (_, at) => ({
      path: [target, `case ${at}`],
      status: random.chance(0.1) ? 'skipped' : 'passed',
      durationMs: random.int(0, 500),
    }));
    const killsRunner = random.chance(0.04);
    if (!isFailing) return { durationMs, cases, verdict: 'passed', killsRunner };
    const failure = drawFailure(random.int(1, 25));
    if (failure.class === 'test' && cases.length > 0)
      cases[0] = { ...cases[0]!, status: 'failed', failure: { message: 'expected 1 to be 2' } };
    const said = { class: failure.class, code: failure.code, message: `${target} did not pass` };
    return { durationMs, cases, verdict: failure.verdict, failure: said, killsRunner };
  };
}

function drawFailure(lot: number): (typeof failures)[number] {
  let left = lot;
  for (const failure of failures) {
    left -= failure.weight;
    if (left <= 0) return failure;
  }
  return failures[0]!;
}
