// Test support: turns a list of small numbers into a life of the engine: submissions, workers that come and go, reports true,
// repeated, late and false. The numbers choose against the state at that moment, so that a failing list shrinks well.
import type { AttemptRef, RunId, SessionId, TaskId, WorkerId } from '@assay/protocol';
import type { Event } from '../engine/events.ts';
import { findTask } from '../engine/lookup.ts';
import type { WorkerRecord } from '../engine/state.ts';
import type { Lab, Unnumbered } from './lab.ts';
import { caseOf, outcomeOf, profileOf, suiteOf } from './lab.ts';
import type { Report } from '@assay/protocol';

/** One decision: which kind of thing, and two numbers to choose with. */
export type Move = readonly [kind: number, a: number, b: number];

const requirements = [
  '',
  'memory.totalMiB >= 8192',
  'size(gpus) > 0',
  'declared.lab == "north"',
  '"avx2" in cpu.isa && memory.totalMiB >= 2048',
];
const verdicts = ['passed', 'failed', 'errored', 'timedOut', 'skipped', 'inconclusive', 'canceled'] as const;
const failureClasses = ['test', 'infrastructure', 'browser', 'unknown'] as const;
const workerNames = ['w0', 'w1', 'w2', 'w3'];
export const moveKinds = 19;

export function play(lab: Lab, [kind, a, b]: Move): Event[] {
  const { state } = lab.engine;
  const runs = [...state.runs.keys()];
  const run = runs[a % Math.max(1, runs.length)];
  const name = workerNames[a % workerNames.length] as string;
  const known = state.workers.get(name as WorkerId);
  switch (kind) {
    case 0:
      return submit(lab, a, b);
    case 1:
      if (run === undefined) return [];
      return lab.step({
        kind: 'addTasks',
        run,
        chunk: (state.runs.get(run)?.lastChunk ?? 0) + (b % 3),
        tasks: [{ suite: 0, target: `more${b}` }],
        sealed: b % 2 === 0,
      });
    case 2:
      return run === undefined ? [] : cancel(lab, run, b);
    case 3:
    case 4:
      return join(lab, name, b);
    case 5:
      return known === undefined ? [] : lab.cut(name);
    case 6:
      return known === undefined
        ? []
        : lab.step({
            kind: 'workerWentSilent',
            worker: known.worker,
            session: b % 4 === 0 ? ('s-old' as SessionId) : known.session,
          });
    case 7:
      if (known === undefined) return [];
      return b % 2 === 0
        ? lab.step({ kind: 'workerLeft', worker: known.worker, session: known.session, reason: 'done' })
        : lab.step({ kind: 'drainWorker', worker: known.worker, actor: 'ada', reason: 'maintenance' });
    case 8:
      return lab.step({ kind: 'resultsAcknowledged', seq: b % 2 === 0 ? state.seq : Math.floor(state.seq / 2) });
    case 9:
      return lab.wait((b + 1) * (a % 3 === 0 ? 2_000 : 50));
    case 10:
      if (a % 4 !== 0) return [];
      return lab.step({ kind: 'coordinatorRestarted', epoch: state.epoch + 1 });
    case 11:
      return known === undefined ? [] : lab.report(name, ...falseReports(lab, name, b));
    case 12:
      return known === undefined ? [] : finishAll(lab, name);
    case 13:
      return known === undefined ? [] : giveBack(lab, known, b);
    case 18:
      return known === undefined ? [] : flipGate(lab, known, b);
    default:
      return known === undefined ? [] : lab.report(name, ...trueReports(lab, name, b));
  }
}

/** A quick worker is done with everything, and has time for the work of others. */
function finishAll(lab: Lab, name: string): Event[] {
  const reports = lab.held(name).map((ref): Unnumbered<Report> => {
    const recorded = findTask(lab.engine.state, ref.task)?.task.attempts.at(-1)?.recorded ?? 0;
    return { kind: 'finished', ...ref, outcome: outcomeOf({ casesReported: recorded, costMs: 40 }) };
  });
  return reports.length === 0 ? [] : lab.report(name, ...reports);
}

/** Heat comes and goes, on the worker or on one of its GPUs. */
function flipGate(lab: Lab, worker: WorkerRecord, b: number): Event[] {
  const device = b % 3 === 0 ? 'gpu:0' : null;
  const session = b % 11 === 0 ? ('s-old' as SessionId) : worker.session;
  const gate = b % 2 === 0 ? 'heat' : 'battery';
  return lab.step({
    kind: 'gateFlipped',
    worker: worker.worker,
    session,
    gate,
    device,
    isShut: b % 5 < 3,
    reason: 'drawn',
  });
}

/** Answers a request to give work back: all of it, or some. */
function giveBack(lab: Lab, worker: WorkerRecord, b: number): Event[] {
  for (const assignment of worker.assignments.values()) {
    const asked = assignment.tasks.filter(({ index }) => assignment.takeBack?.has(index) === true);
    const given = asked
      .slice(0, 1 + (b % 3))
      .map(({ index, attempt }) => ({ task: `${assignment.run}.${index}` as TaskId, attempt }));
    if (given.length > 0) return lab.report(worker.name, { kind: 'returned', attempts: given, reason: 'takenBack' });
  }
  return [];
}

function submit(lab: Lab, a: number, b: number): Event[] {
  const seq = lab.engine.state.seq;
  const suites = Array.from({ length: 1 + (a % 2) }, (_, index) =>
    suiteOf({
      name: `suite${(a + index) % 3}`,
      requires: requirements[(a + index) % requirements.length] as string,
      batching: (a + index) % 3 === 0 ? 'single' : 'shared',
      retries: b % 3,
    }),
  );
  const tasks = Array.from({ length: b }, (_, index) => ({
    suite: index % suites.length,
    target: `f${index}`,
    ...(index % 3 === 0 ? { expectedMs: 100 * (index + 1) } : {}),
  }));
  const change = {
    suites,
    priority: a % 3,
    failFast: a % 5 === 0,
    unplaceable: a % 7 === 0 ? ('settle' as const) : ('wait' as const),
  };
  // Now and then the same key again.
  const more = {
    sealed: b % 4 !== 0,
    ...(a % 6 === 0 ? { idempotencyKey: `again-${b % 2}`, contentDigest: `content-${a % 4}` } : {}),
  };
  lab.submit(tasks, change, more);
  return lab.engine.state.seq === seq ? [] : (lab.journal.at(-1)?.events ?? []);
}

function cancel(lab: Lab, run: RunId, b: number): Event[] {
  if (b % 3 === 0) return lab.step({ kind: 'cancelRun', run, actor: 'ada', reason: 'enough' });
  return lab.step({
    kind: 'cancelRun',
    run,
    tasks: [`${run}.${b}` as TaskId, `${run}.0` as TaskId],
    actor: 'ada',
    reason: 'not this one',
  });
}

function join(lab: Lab, name: string, b: number): Event[] {
  const worker = lab.engine.state.workers.get(name as WorkerId);
  const number = Number(name.slice(1));
  const believed = lab.held(name);
  const held: AttemptRef[] = believed.filter((_, index) => b % 3 === 0 || (index + b) % 3 !== 0);
  if (b % 5 === 0) held.push({ task: 'r-1.0' as TaskId, attempt: 1 + (b % 3) });
  const hasGpu = number === 1;
  return lab.join(name, {
    held,
    slots: 1 + number,
    incarnation: worker === undefined || b % 4 !== 0 ? (worker?.incarnation ?? 'i1') : `i${b % 7}`,
    isDraining: b % 11 === 0,
    ...(b % 13 === 0 ? { token: 'stolen' } : {}),
    profile: profileOf({
      memory: { totalMiB: 2048 * (1 + (number % 3)) },
      gpus: hasGpu ? [{ vendor: 'nvidia', via: 'nvidia-smi' }] : [],
    }),
    profileDigest: `p${number}`,
    declared: number === 2 ? { lab: 'north' } : {},
  });
}

function trueReports(lab: Lab, name: string, b: number): Unnumbered<Report>[] {
  const held = lab.held(name);
  const ref = held[b % Math.max(1, held.length)];
  if (ref === undefined) return [];
  const found = lab.engine.state.runs.get(ref.task.slice(0, ref.task.lastIndexOf('.')) as RunId)?.tasks[
    Number(ref.task.slice(ref.task.lastIndexOf('.') + 1))
  ];
  const attempt = found?.attempts.at(-1);
  const recorded = attempt?.recorded ?? 0;
  const started = { kind: 'started', ...ref, atMs: lab.nowMs } as const;
  const cases = {
    kind: 'cases',
    ...ref,
    from: recorded,
    cases: [caseOf('one'), caseOf('two', b % 2 === 0 ? 'failed' : 'passed')],
  } as const;
  const verdict = verdicts[b % 3 === 0 ? b % verdicts.length : 0] as (typeof verdicts)[number];
  const failureClass = failureClasses[b % failureClasses.length] as (typeof failureClasses)[number];
  const failure = verdict === 'passed' ? {} : { failure: { class: failureClass, code: 'TESTS_FAILED', message: 'no' } };
  const outcome = (casesReported: number) =>
    outcomeOf({ verdict, casesReported, costMs: 50 + b * 10, ...(b % 4 === 0 ? { startupMs: 300 } : {}), ...failure });
  switch (b % 7) {
    case 0:
      return [started];
    case 1:
      return [started, { ...cases, cases: [...cases.cases] }];
    case 2:
      return [{ kind: 'returned', attempts: [ref], reason: b % 2 === 0 ? 'takenBack' : 'misfit' }];
    case 3:
      return [
        started,
        { ...cases, cases: [...cases.cases] },
        { kind: 'finished', ...ref, outcome: outcome(recorded + 2) },
      ];
    default:
      return [{ kind: 'finished', ...ref, outcome: outcome(recorded) }];
  }
}

/** Reports of attempts that the worker does not hold, repeats and gaps. */
function falseReports(lab: Lab, name: string, b: number): Unnumbered<Report>[] {
  const runs = [...lab.engine.state.runs.values()];
  const run = runs[b % Math.max(1, runs.length)];
  if (run === undefined) return [{ kind: 'draining', reason: name }];
  const ref = { task: `${run.run}.${b % 5}` as TaskId, attempt: 1 + (b % 3) };
  return [
    { kind: 'finished', ...ref, outcome: outcomeOf({ casesReported: b % 2 }) },
    { kind: 'cases', ...ref, from: b % 4, cases: [caseOf('x')] },
    { kind: 'returned', attempts: [ref, ref], reason: 'restarted' },
  ];
}
