// What becomes of a task whose attempt ended: gathers what recovery decides by (what was tried, where else it could go, what
// else is in trouble), asks the tables of recovery/, and says the answer in the engine's words.
import type { AttemptFailure, CircuitScope, Diagnosis, WorkerId } from '@assay/protocol';
import { circuitIdOf } from '../../circuits/scope.ts';
import { suspectOf } from '../../recovery/suspect-of.ts';
import { suspectsOf } from '../../recovery/suspicion.ts';
import { chooseRecovery } from '../../recovery/choose.ts';
import type { Choice, Places } from '../../recovery/choose.ts';
import { diagnose } from '../../recovery/diagnose.ts';
import type { Outage } from '../../recovery/shield.ts';
import { classOf, isFailing, isMemory, isOfTheWorker, tookWorkerDown } from '../../recovery/tried.ts';
import type { Tried } from '../../recovery/tried.ts';
import { wishPlacesMax } from '../../recovery/wish.ts';
import type { RetryWish } from '../../recovery/wish.ts';
import { differencesOf } from '../../hardware/similarity.ts';
import { takesWork } from '../../scheduling/classes.ts';
import { laneOf } from '../../scheduling/lanes.ts';
import type { AttemptSettled } from '../events.ts';
import { taskIdOf } from '../ids.ts';
import { limit } from '../limits.ts';
import type { Ending } from '../settle.ts';
import type { AttemptRecord, RunRecord, State, TaskRecord } from '../state.ts';
import type { Step } from '../step.ts';
import { isDependencyDown, noteTrouble } from './shield-fleet.ts';

type Requeue = Extract<AttemptSettled['next'], { kind: 'requeue' }>;

export type Decision = {
  readonly next: AttemptSettled['next'];
  readonly said: Ending;
  /** The worker's device is to be looked after. */
  readonly repair: boolean;
};

/** Decides for an attempt that ended by itself; canceled ones are decided before. */
export function recoverTask(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
  attempt: AttemptRecord,
  ending: Ending,
): Decision {
  // The many: nothing to recover from.
  if (!isFailing(ending)) return { next: { kind: 'settle' }, said: ending, repair: false };
  const tried = triedOf(step.state, task, attempt, ending);
  const last = tried.at(-1) as Tried;
  const suite = run.spec.suites[task.suite];
  const outage = noteTrouble(step, run, task, attempt, last);
  const choice = chooseRecovery(
    {
      tried,
      places: placesOf(step.state, run, task, tried),
      userRetriesLeft: (suite?.retries ?? 0) - task.userRetries,
      infrastructureRetriesLeft: step.config.infrastructureRetriesMax - task.infrastructureRetries,
      variants: variantsLeft(run, task, tried),
      hasFellowSuspects: (ending.fellowSuspects ?? 0) > 0,
      isMassLoss: isMassLoss(step, tried),
      isOutage: outage !== null || isDependencyDown(step.state, run, task, last),
      isPlaceSuspected: isPlaceSuspected(step, run, task, last),
    },
    step.config.recovery,
  );
  if (choice.kind === 'settle')
    return { next: { kind: 'settle' }, said: finalSaying(task, ending, choice, tried), repair: false };
  const next = requeueOf(step, tried, choice, attempt);
  const isExcused = choice.rule === 'outage' && outage !== null;
  return {
    next: isExcused ? inOutage(step, run, task, next, outage) : next,
    said: ending,
    repair: choice.repair === true,
  };
}

function requeueOf(
  step: Step,
  tried: readonly Tried[],
  choice: Extract<Choice, { kind: 'retry' }>,
  attempt: AttemptRecord,
): Requeue {
  const { where, isSoft, delayMs, spends, rule, variant } = choice;
  const kept = variant ?? tried.at(-1)?.variant ?? null;
  const workers = unique(tried.filter(isFailing).map(({ worker }) => worker));
  const classes = unique(tried.filter(isFailing).map((one) => one.class));
  const wish: RetryWish | null =
    attempt.worker === null || (where === 'here' && isSoft && kept === null)
      ? null
      : { where, isSoft, workers: workers.slice(-wishPlacesMax), classes: classes.slice(-wishPlacesMax) };
  return {
    kind: 'requeue',
    spends,
    avoidWorker: wish === null ? null : attempt.worker,
    rule,
    ...(wish === null ? {} : { wish }),
    ...(delayMs > 0 ? { notBeforeMs: step.nowMs + delayMs } : {}),
    ...(kept === null ? {} : { variant: kept }),
  };
}

function unique<Value extends string>(values: readonly (Value | null)[]): Value[] {
  return [...new Set(values)].filter((value) => value !== null);
}

/**
 * Every attempt that is over, in the order in which they ended, with the one that is just ending. What was canceled tells
 * nothing: the duplicate of a late task that lost, a gang that starts again.
 */
export function triedOf(state: State, task: TaskRecord, attempt: AttemptRecord | null, ending: Ending | null): Tried[] {
  const tried: Tried[] = [];
  const endedAtMs = new Map<number, number>();
  let variant: number | null = null;
  for (const one of task.attempts) {
    if (one.state.kind === 'settled') {
      const { verdict, failure, on, spent, startedAtMs, costMs } = one.state;
      const before = variant;
      variant = one.state.variantNext ?? variant;
      if (verdict === 'canceled') continue;
      endedAtMs.set(one.attempt, one.state.atMs);
      const hasStarted = startedAtMs !== null || costMs !== undefined;
      tried.push({
        attempt: one.attempt,
        worker: one.worker,
        class: on ?? null,
        verdict,
        failure,
        hasStarted,
        hasComeBack: hasComeBack(state, one.worker, failure),
        spent: spent ?? null,
        variant: before,
      });
    } else if (one === attempt && ending !== null) {
      tried.push({
        attempt: one.attempt,
        worker: one.worker,
        class: classIdOf(state, one.worker),
        verdict: ending.verdict,
        failure: ending.failure,
        hasStarted: one.state.kind === 'running' || ending.costMs !== undefined,
        spent: null,
        variant,
      });
    }
  }
  // Attempts that ran beside each other do not end in the order of their numbers.
  const at = (one: Tried): number => endedAtMs.get(one.attempt) ?? Infinity;
  return tried.sort((a, b) => (at(a) === at(b) ? a.attempt - b.attempt : at(a) - at(b)));
}

/** Whether a worker that was lost is back as the same process: then nothing took it down. */
function hasComeBack(state: State, worker: WorkerId | null, failure: AttemptFailure | undefined): boolean {
  const incarnation = failure?.code === 'WORKER_LOST' ? failure.evidence?.['incarnation'] : undefined;
  const now = worker === null || incarnation === undefined ? undefined : state.workers.get(worker);
  return now !== undefined && now.incarnation === incarnation && now.state.kind !== 'lost' && now.state.kind !== 'left';
}

export function classIdOf(state: State, worker: WorkerId | null): string | null {
  return worker === null ? null : (state.workers.get(worker)?.class.id ?? null);
}

/** Where else it could go: a walk over the classes that fit and the workers that were tried. */
function placesOf(state: State, run: RunRecord, task: TaskRecord, tried: readonly Tried[]): Places {
  const { group } = laneOf(run, task.suite);
  const workers = new Set(tried.filter(isFailing).map(({ worker }) => worker));
  const classes = new Set(tried.filter(isFailing).map((one) => one.class));
  const lastClass = tried.at(-1)?.class ?? null;
  const places = { sameClass: false, otherClass: false, elsewhere: false };
  for (const capability of group.fitting) {
    let untried = capability.ready;
    for (const id of workers) {
      const worker = id === null ? undefined : state.workers.get(id);
      if (worker !== undefined && worker.class === capability && takesWork(worker)) untried -= 1;
    }
    if (untried <= 0) continue;
    places.elsewhere = true;
    if (capability.id === lastClass) places.sameClass = true;
    if (!classes.has(capability.id)) places.otherClass = true;
  }
  return places;
}

function variantsLeft(run: RunRecord, task: TaskRecord, tried: readonly Tried[]): number[] {
  const variants = run.spec.suites[task.suite]?.variants;
  if (variants === undefined || laneOf(run, task.suite).gang !== null) return [];
  const code = tried.at(-1)?.failure?.code ?? '';
  const used = new Set(tried.map(({ variant }) => variant));
  return [...variants.keys()].filter((index) => {
    const after = variants[index]?.after;
    return !used.has(index) && (after === undefined ? isMemory(code) : after.includes(code));
  });
}

/** Whether so many workers went down just now that it is not this task that does it. */
function isMassLoss(step: Step, tried: readonly Tried[]): boolean {
  if (tried.filter(tookWorkerDown).length < step.config.recovery.poisonWorkersMin) return false;
  const { massLossWindowMs, massLossWorkersMin } = step.config.recovery;
  let lost = 0;
  for (const worker of step.state.workers.values())
    if (worker.state.kind === 'lost' && worker.sinceMs >= step.nowMs - massLossWindowMs) lost += 1;
  return lost >= massLossWorkersMin;
}

/** Whether the place where it failed is in doubt, for reasons of its own. */
function isPlaceSuspected(step: Step, run: RunRecord, task: TaskRecord, last: Tried): boolean {
  if (last.worker === null) return false;
  if (isSuspectedWorker(step, run, task, last.worker)) return true;
  return last.class !== null && isSuspectedClass(step, run, task, last.class);
}

/** An excused task waits for the trouble to end, or is the one that looks. */
function inOutage(step: Step, run: RunRecord, task: TaskRecord, next: Requeue, outage: Outage): Requeue {
  const id = taskIdOf(run.run, task.index);
  const isProbe = outage.probe === null || outage.probe === id;
  const notBeforeMs = isProbe ? (next.notBeforeMs ?? step.nowMs) : outage.sinceMs + step.config.recovery.outageMaxMs;
  return { ...next, notBeforeMs, outage: outage.signature };
}

function finalSaying(
  task: TaskRecord,
  ending: Ending,
  choice: Extract<Choice, { kind: 'settle' }>,
  tried: readonly Tried[],
): Ending {
  if (choice.as === 'poison') return { ...ending, verdict: 'errored', failure: poisoned(tried) };
  if (choice.as === 'exhausted') return { ...ending, verdict: 'errored', failure: exhausted(task, ending) };
  return ending;
}

function poisoned(tried: readonly Tried[]): AttemptFailure {
  const down = tried.filter(tookWorkerDown);
  const workers = [...new Set(down.map(({ worker }) => worker))];
  return {
    class: 'test',
    code: 'POISON',
    message: `It took down ${workers.length} workers that ran it (${workers.join(', ')}), and was set aside.`.slice(
      0,
      limit('messageChars'),
    ),
    evidence: Object.fromEntries(
      down
        .slice(-10)
        .map((one) => [
          `attempt${one.attempt}`,
          `${one.worker}: ${one.failure?.code ?? one.verdict}: ${one.failure?.message ?? ''}`.slice(0, 1_000),
        ]),
    ),
  };
}

function exhausted(task: TaskRecord, ending: Ending): AttemptFailure {
  const tries = task.infrastructureRetries + 1;
  const last = ending.failure;
  const named = last?.class ?? 'infrastructure';
  const whose = named === 'device' || named === 'driver' || named === 'browser' ? `The ${named}` : 'Infrastructure';
  return {
    class: whose === 'Infrastructure' ? 'infrastructure' : named,
    code: 'RETRIES_EXHAUSTED',
    message:
      `${whose} failed this task ${tries} times; the last time: ${last?.code ?? ending.verdict}: ${last?.message ?? ''}`.slice(
        0,
        limit('messageChars'),
      ),
    evidence: { ...last?.evidence, lastCode: last?.code ?? ending.verdict, lastClass: named },
    ...(last?.rule === undefined ? {} : { rule: last.rule }),
  };
}

/** Whose fault the trouble of a task was that settles now; null where it had none. Its last attempt is settled already. */
export function diagnosisOf(
  step: Step,
  run: RunRecord,
  task: TaskRecord,
): { diagnosis: Diagnosis; tried: Tried[] } | null {
  const { attempts } = task;
  const only = attempts.length === 1 ? attempts[0]?.state : undefined;
  // The many: one attempt, and it passed.
  if (attempts.length === 0 || (only?.kind === 'settled' && only.verdict === 'passed')) return null;
  const { state } = step;
  const tried = triedOf(state, task, null, null);
  const last = tried.at(-1);
  if (last === undefined) return null;
  const excused = attempts.find((one) => one.state.kind === 'settled' && one.state.outage !== undefined);
  const diagnosis = diagnose({
    tried,
    isPoison: last.failure?.code === 'POISON',
    outage: excused?.state.kind === 'settled' ? (excused.state.outage ?? null) : null,
    hasFailedInSoundPlaces: hasFailedInSoundPlaces(step, run, task, tried),
    isSuspected: (worker) => isSuspectedWorker(step, run, task, worker),
    isSuspectedClass: (of) => isSuspectedClass(step, run, task, of),
    nameOfWorker: (worker) => state.workers.get(worker)?.name ?? worker,
    difference: (failed, passed) => differenceBetween(state, failed, passed),
  });
  return diagnosis === null ? null : { diagnosis, tried };
}

/** Workers and classes that more speaks against than against their peers, apart from this task itself. */
function suspects(step: Step, run: RunRecord, task: TaskRecord): ReturnType<typeof suspectsOf> {
  const { state, config, nowMs } = step;
  return suspectsOf(state.recovery.suspicions, config.recovery, nowMs, suspectOf(run, task), {
    workers: state.workers.size,
    membersOf: (of) => {
      for (const { id, members } of state.index.classes.values()) if (id === of) return members;
      return 0;
    },
  });
}

/** Whether a circuit of the place stops this kind of work, or did lately: its failures there were judged together. */
function isStopped(step: Step, kinds: readonly CircuitScope[]): boolean {
  return kinds.some((scope) => {
    const circuit = step.state.circuits.get(circuitIdOf(scope));
    return circuit !== undefined && circuit.breaker.state.kind !== 'closed';
  });
}

function suiteScope(run: RunRecord, task: TaskRecord): { project: string; suite: string } {
  return { project: run.spec.project, suite: run.spec.suites[task.suite]?.name ?? '' };
}

function isSuspectedWorker(step: Step, run: RunRecord, task: TaskRecord, worker: WorkerId): boolean {
  const scopes: CircuitScope[] = [
    { kind: 'worker', worker },
    { kind: 'workerTask', worker, ...suiteScope(run, task) },
  ];
  return isStopped(step, scopes) || suspects(step, run, task).workers.has(worker);
}

function isSuspectedClass(step: Step, run: RunRecord, task: TaskRecord, of: string): boolean {
  return suspects(step, run, task).classes.has(of);
}

/** Whether this test, in other runs too, failed on other workers that nothing speaks against. */
function hasFailedInSoundPlaces(step: Step, run: RunRecord, task: TaskRecord, tried: readonly Tried[]): boolean {
  const { key } = suspectOf(run, task);
  const own = new Set(tried.filter(isFailing).map(({ worker }) => worker));
  const since = step.nowMs - step.config.recovery.suspicionMs;
  for (const [worker, entries] of step.state.recovery.suspicions) {
    if (own.has(worker) || !entries.some((one) => one.key === key && !one.isMeasured && one.atMs > since)) continue;
    const of = step.state.workers.get(worker)?.class.id;
    if (!isSuspectedWorker(step, run, task, worker) && (of === undefined || !isSuspectedClass(step, run, task, of)))
      return true;
  }
  return false;
}

/** Workers that a passed task failed on by its own test: it speaks against each of them. */
export function contradicted(tried: readonly Tried[]): WorkerId[] {
  const last = tried.at(-1);
  if (last?.verdict !== 'passed') return [];
  const workers = tried
    .filter((one) => isFailing(one) && !isOfTheWorker(one) && classOf(one) !== 'infrastructure')
    .map(({ worker }) => worker);
  return unique(workers).filter((worker) => worker !== last.worker);
}

function differenceBetween(state: State, failed: string, passed: string): string | null {
  const classes = [...state.index.classes.values()];
  const a = classes.find(({ id }) => id === failed);
  const b = classes.find(({ id }) => id === passed);
  if (a === undefined || b === undefined) return null;
  const found = differencesOf(a.facts, b.facts).slice(0, 3);
  if (found.length === 0) return null;
  return found.map((one) => `${one.path} ${textOf(one.a)} against ${textOf(one.b)}`).join('; ');
}

function textOf(value: unknown): string {
  return value === undefined ? 'none' : (JSON.stringify(value, plainOf) ?? 'none').slice(0, 80);
}

/** Whole numbers of facts are CEL's `int`, which JSON does not know. */
function plainOf(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

/**
 * Diagnoses that later evidence changes: what a test's failure looked like when it was alone, and what it is beside those of
 * others. Asked once, when a run ends; only what was called flaky or left open is looked at again.
 */
export function revisedDiagnoses(step: Step, run: RunRecord): { task: TaskRecord; diagnosis: Diagnosis }[] {
  if (step.state.recovery.suspicions.size === 0) return [];
  const revised: { task: TaskRecord; diagnosis: Diagnosis }[] = [];
  for (const task of run.tasks) {
    const before = task.state.kind === 'settled' ? task.state.diagnosis : undefined;
    if (before === undefined || !revisable.has(before.rule)) continue;
    const now = diagnosisOf(step, run, task)?.diagnosis;
    if (now !== undefined && now.rule !== before.rule) revised.push({ task, diagnosis: now });
  }
  return revised;
}

/** Rules that say what fits best while nothing else is known. */
const revisable: ReadonlySet<string> = new Set([
  'passes-and-fails',
  'known-to-be-flaky',
  'suspected-unit',
  'suspected-version',
  'unit-fails-peer-passes',
  'version-now-and-then',
  'kind-or-unit',
]);
