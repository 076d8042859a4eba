// What has to hold of circuits: where a fault had to open one it opened in time, half-opened and closed again; elsewhere all stayed
// closed. And nothing proves a fleet's circuits where none opened.
import type { Move } from '../history.ts';
import type { StepRecord } from '../stages/record.ts';
import { effectOf } from './faults.ts';
import { type Check, type CheckResult, judged, notEvaluated, seqOf } from './check.ts';

const say = ({ seq, event }: Move): string => `seq ${seq} ${event.circuit} ${event.from} -> ${event.transition.to}`;

/** One result a step whose fault has to open a circuit. */
export const circuitsMoved: Check = ({ steps, history }) =>
  steps.flatMap((record): CheckResult[] => {
    const { fault, number, worker } = record.step;
    if (fault.kind === 'task' || fault.effect.kind !== 'circuit') return [];
    const id = `circuit-${number}-${fault.id}`;
    const title = `${fault.id}${worker === null ? '' : ` of ${worker}`} opens its circuit, which half-opens and closes again`;
    if (record.injected === null || record.injectedAtMs === null)
      return [notEvaluated(id, title, 'it was not injected')];
    const opened = effectOf(record, history);
    const first = history.moves.find(({ seq }) => seq === opened?.seq);
    if (opened === null || first === undefined) return [judged(id, title, ['no circuit opened'], '')];
    const moves = history.moves.filter(
      (move) => move.event.circuit === first.event.circuit && move.seq >= first.seq && move.atMs <= record.endedAtMs,
    );
    const states = moves.map(({ event }) => event.transition.to);
    const tookMs = opened.atMs - record.injectedAtMs;
    const problems: string[] = [];
    if (tookMs > fault.effect.withinMs)
      problems.push(`it opened after ${tookMs} ms instead of ${fault.effect.withinMs} ms (seq ${opened.seq})`);
    if (!states.includes('halfOpen')) problems.push('it never half-opened');
    if (states.at(-1) !== 'closed') problems.push(`it is ${states.at(-1) ?? 'unknown'} at the end of the step`);
    return [judged(id, title, problems, `opened after ${tookMs} ms`, moves.map(say))];
  });

export const circuitsElsewhere: Check = ({ steps, history }) => {
  const opened = history.moves.filter(({ event }) => event.transition.to === 'open');
  const strangers = opened.filter((move) => !steps.some((record) => mayOpen(record, move)));
  return judged(
    'circuits-elsewhere',
    'no circuit opened that no fault explains',
    strangers.map(say),
    `${opened.length} openings, each explained by a fault`,
    opened.map(say),
  );
};

export const circuitsOpened: Check = ({ history }) => {
  const opened = history.moves.filter(({ event }) => event.transition.to === 'open');
  const problems = opened.length === 0 ? ['none did: a drill in which nothing opens proves nothing of circuits'] : [];
  return judged(
    'circuits-opened',
    'at least one circuit really opened',
    problems,
    `${opened.length} openings`,
    seqOf(...opened),
  );
};

/** A failed test is a result. (One that passed elsewhere afterwards is evidence: that is said by a code of its own.) */
export const testsFeedNoCircuit: Check = ({ entries, history }) => {
  const problems: string[] = [];
  let failed = 0;
  for (const { events } of entries)
    for (const event of events) if (event.kind === 'attemptSettled' && event.failure?.class === 'test') failed += 1;
  for (const { seq, events } of entries)
    for (const event of events) {
      if (event.kind !== 'circuitsNoted' || event.task === null || event.code === 'PASSES_ELSEWHERE') continue;
      const index = Number(event.task.slice(event.task.lastIndexOf('.') + 1));
      const ends = history.tasks.get(index)?.attempts.get(event.attempt)?.settled ?? [];
      if (event.marks.length > 0 && ends.some((end) => end.event.failure?.class === 'test'))
        problems.push(`the failed test of task ${index} spoke to ${event.marks.length} circuits (seq ${seq})`);
    }
  return judged(
    'tests-feed-no-circuit',
    'no failed test spoke to a circuit',
    problems,
    `${failed} attempts failed through their own test`,
  );
};

/** A fault of a worker may stop that worker, its devices and its pairs; one of the service, the service. Nothing may stop a class. */
function mayOpen({ step, workerId, injectedAtMs, endedAtMs }: StepRecord, { event, atMs }: Move): boolean {
  if (injectedAtMs === null || atMs < injectedAtMs || atMs > endedAtMs) return false;
  const { scope } = event;
  if (scope.kind === 'dependency') return step.fault.family === 'dependency';
  return 'worker' in scope && workerId !== null && scope.worker === workerId;
}
