// What other settings of a breaker would have done with history: each attempt that was made is let through or stopped again by
// the pure breaker, under each of a grid of settings, and compared with what is known of it now.
//
// What is known, by what the same task came to on other workers later:
//   fault     it did not pass here and passed elsewhere: stopping it would have been right ("caught")
//   good      it passed, or its failure is the test's own: stopping it would have been wrong
//   shared    it failed elsewhere too, with a failure of the machine: stopping this worker would have changed nothing
//   unproven  the machine failed it, and nobody else ever tried
// What always holds: an attempt that is stopped in the replay tells the breaker nothing; the same history gives the same advice.
// The breaker is replayed alone: the engine's rules around it (several tasks, quorum, the last of its class) stop less.
import type { AttemptFailure, TaskId, Verdict, WorkerId } from '@assay/protocol';
import { compareText } from '../kernel/compare.ts';
import { attribute } from './attribute.ts';
import { admit, record } from './breaker.ts';
import { createBreaker } from './breaker-state.ts';
import type { Breaker } from './breaker-state.ts';
import { circuitIdOf } from './scope.ts';
import type { BreakerSettings } from './settings.ts';

export type HistoricAttempt = {
  readonly task: TaskId;
  readonly attempt: number;
  readonly worker: WorkerId;
  readonly project: string;
  readonly suite: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly verdict: Verdict;
  readonly failure?: AttemptFailure;
};

/** Circuits of which history alone can tell: those of a worker, and of one kind of work on it. */
export type AdvisedScope = 'worker' | 'workerTask';

export type AdviceRow = {
  readonly settings: Pick<BreakerSettings, 'consecutiveFailures' | 'failureRate' | 'openMs'>;
  readonly isInUse: boolean;
  /** Times that a circuit opened, half-open ones that failed included. */
  readonly opened: number;
  readonly caught: number;
  readonly wronglyStopped: number;
  /** Stopped, and neither right nor wrong by what is known. */
  readonly otherwiseStopped: number;
};

export type Advice = {
  readonly scope: AdvisedScope;
  readonly attempts: number;
  readonly circuits: number;
  /** By what is known of them; `faults` are those that there were to catch. */
  readonly faults: number;
  readonly good: number;
  readonly shared: number;
  readonly unproven: number;
  /** Why this history says little; empty where it says something. */
  readonly thin: readonly string[];
  /** The settings in use, and those of the grid that nothing else in it beats in both respects; what catches most first. */
  readonly rows: readonly AdviceRow[];
  /** Every setting that was replayed: the one in use, and then the whole grid in its order. */
  readonly grid: readonly AdviceRow[];
};

/** Below these, figures are anecdotes. */
const attemptsMin = 200;
const faultsMin = 20;
const faultyMin = 2;

const grid: readonly AdviceRow['settings'][] = [2, 3, 4, 6, null].flatMap((consecutiveFailures) =>
  [0.3, 0.5, 0.8].flatMap((failureRate) =>
    [15_000, 60_000, 300_000].map((openMs) => ({ consecutiveFailures, failureRate, openMs })),
  ),
);

type Truth = 'fault' | 'good' | 'shared' | 'unproven';
type Replayed = {
  readonly circuit: string;
  readonly isFailure: boolean;
  readonly isIgnored: boolean;
  readonly truth: Truth;
  readonly durationMs: number;
};
type Moment = { readonly atMs: number; readonly of: number; readonly isEnd: boolean };

/** The advice of a history; `inUse` are the settings that the fleet has now. */
export function adviseCircuits(
  history: readonly HistoricAttempt[],
  scope: AdvisedScope,
  inUse: BreakerSettings,
): Advice {
  const ordered = history.toSorted(
    (a, b) => a.endedAtMs - b.endedAtMs || compareText(a.task, b.task) || a.attempt - b.attempt,
  );
  const attempts = replayable(ordered, scope);
  const moments = momentsOf(ordered);
  const counts = { fault: 0, good: 0, shared: 0, unproven: 0 };
  for (const { truth } of attempts) counts[truth] += 1;
  const { consecutiveFailures, failureRate, openMs } = inUse;
  const own = { consecutiveFailures, failureRate, openMs };
  const others = grid.filter((settings) => !isSame(settings, own));
  const rows = [own, ...others].map((settings, index) =>
    replayWith(
      attempts,
      moments,
      { ...inUse, ...settings, openMaxMs: Math.max(settings.openMs, inUse.openMaxMs) },
      index === 0,
    ),
  );
  return {
    scope,
    attempts: attempts.length,
    circuits: new Set(attempts.map(({ circuit }) => circuit)).size,
    faults: counts.fault,
    good: counts.good,
    shared: counts.shared,
    unproven: counts.unproven,
    thin: thinness(attempts, counts.fault),
    rows: unbeaten(rows),
    grid: rows,
  };
}

function isSame(a: AdviceRow['settings'], b: AdviceRow['settings']): boolean {
  return a.consecutiveFailures === b.consecutiveFailures && a.failureRate === b.failureRate && a.openMs === b.openMs;
}

function replayable(ordered: readonly HistoricAttempt[], scope: AdvisedScope): Replayed[] {
  const later = new Map<TaskId, HistoricAttempt[]>();
  for (const attempt of ordered) {
    const known = later.get(attempt.task);
    if (known === undefined) later.set(attempt.task, [attempt]);
    else known.push(attempt);
  }
  return ordered.map((attempt) => {
    const { worker, project, suite, verdict, startedAtMs, endedAtMs } = attempt;
    const isFailure = failsOn(attempt, scope);
    const elsewhere = (later.get(attempt.task) ?? []).filter(
      (other) => other.attempt > attempt.attempt && other.worker !== worker,
    );
    return {
      circuit: circuitIdOf(scope === 'worker' ? { kind: scope, worker } : { kind: scope, worker, project, suite }),
      isFailure,
      isIgnored: verdict === 'canceled',
      truth: truthOf(attempt, isFailure, elsewhere),
      durationMs: endedAtMs - startedAtMs,
    };
  });
}

/** Whether it would speak against a circuit of this kind, by the rule that the engine has. */
function failsOn({ worker, project, suite, task, verdict, failure }: HistoricAttempt, scope: AdvisedScope): boolean {
  const of = { worker, class: 'c0', project, suite, task, uses: [], device: null };
  return attribute(verdict, failure, of).some((mark) => mark.scope.kind === scope);
}

function truthOf({ verdict }: HistoricAttempt, isFailure: boolean, elsewhere: readonly HistoricAttempt[]): Truth {
  if (verdict === 'passed' || verdict === 'skipped' || verdict === 'canceled') return 'good';
  if (elsewhere.some((other) => other.verdict === 'passed')) return 'fault';
  if (!isFailure) return 'good';
  return elsewhere.length > 0 ? 'shared' : 'unproven';
}

/** Starts and ends in their order; at one time ends come first, as their slots are what starts use. */
function momentsOf(ordered: readonly HistoricAttempt[]): Moment[] {
  return ordered
    .flatMap(({ startedAtMs, endedAtMs }, of) => [
      { atMs: Math.min(startedAtMs, endedAtMs), of, isEnd: false },
      { atMs: endedAtMs, of, isEnd: true },
    ])
    .sort(
      (a, b) =>
        a.atMs - b.atMs ||
        (a.of === b.of ? Number(a.isEnd) - Number(b.isEnd) : Number(b.isEnd) - Number(a.isEnd)) ||
        a.of - b.of,
    );
}

function replayWith(
  attempts: readonly Replayed[],
  moments: readonly Moment[],
  settings: BreakerSettings,
  isInUse: boolean,
): AdviceRow {
  const breakers = new Map<string, Breaker>();
  const permits = new Map<number, number>();
  let [opened, caught, wronglyStopped, otherwiseStopped] = [0, 0, 0, 0];
  for (const { atMs, of, isEnd } of moments) {
    const attempt = attempts[of];
    if (attempt === undefined) continue;
    let breaker = breakers.get(attempt.circuit);
    if (breaker === undefined) breakers.set(attempt.circuit, (breaker = createBreaker(settings, atMs)));
    if (isEnd) {
      const permit = permits.get(of);
      if (permit === undefined) continue;
      permits.delete(of);
      const outcome = attempt.isIgnored ? 'ignored' : attempt.isFailure ? 'failure' : 'success';
      const moved = record(breaker, permit, outcome, attempt.durationMs, atMs);
      if (moved?.to === 'open') opened += 1;
      continue;
    }
    const permit = admit(breaker, atMs);
    if (typeof permit === 'number') permits.set(of, permit);
    else if (attempt.truth === 'fault') caught += 1;
    else if (attempt.truth === 'good') wronglyStopped += 1;
    else otherwiseStopped += 1;
  }
  const { consecutiveFailures, failureRate, openMs } = settings;
  return {
    settings: { consecutiveFailures, failureRate, openMs },
    isInUse,
    opened,
    caught,
    wronglyStopped,
    otherwiseStopped,
  };
}

/** Leaves out what another row beats: more caught and no more wrong, or as much caught and less wrong. Of equals the first stays. */
function unbeaten(rows: readonly AdviceRow[]): AdviceRow[] {
  const isBeaten = (row: AdviceRow, at: number): boolean =>
    rows.some(
      (other, index) =>
        index !== at &&
        other.caught >= row.caught &&
        other.wronglyStopped <= row.wronglyStopped &&
        (other.caught > row.caught || other.wronglyStopped < row.wronglyStopped || index < at),
    );
  return rows
    .filter((row, at) => row.isInUse || !isBeaten(row, at))
    .toSorted(
      (a, b) => b.caught - a.caught || a.wronglyStopped - b.wronglyStopped || Number(b.isInUse) - Number(a.isInUse),
    );
}

function thinness(attempts: readonly Replayed[], faults: number): string[] {
  const faulty = new Set(attempts.filter(({ truth }) => truth === 'fault').map(({ circuit }) => circuit)).size;
  const said: string[] = [];
  if (attempts.length < attemptsMin) said.push(`${attempts.length} attempts, and at least ${attemptsMin} are needed`);
  if (faults < faultsMin)
    said.push(`${faults} attempts that failed here and passed elsewhere, and at least ${faultsMin} are needed`);
  if (faults > 0 && faulty < faultyMin)
    said.push(`all of these were in ${faulty} circuit, and it may be unlike others`);
  return said;
}
