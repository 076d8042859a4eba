// What has to hold of each fault: that it happened and was taken back, that the journal shows what it had to, in time, and that what
// failed because of it was blamed on it and ran elsewhere.
import { type AttemptStory, type At, type History, type TaskStory, type WorkerStory } from '../history.ts';
import type { StepRecord } from '../stages/record.ts';
import { type Check, type CheckResult, judged, judgedWhereAny, notEvaluated, seqOf } from './check.ts';

const nameOf = ({ step }: StepRecord): string => `${step.number}. ${step.fault.id}`;

export const faultsHappened: Check = ({ plan, steps }) => {
  const problems = steps.flatMap((record) => [
    ...(record.injected === null
      ? [`${nameOf(record)} was not injected: ${record.troubles.join('; ') || 'no proof'}`]
      : []),
    ...(record.injected !== null && record.undone === null
      ? [`${nameOf(record)}: nothing shows that it was taken back`]
      : []),
  ]);
  const missing = Math.max(0, plan.steps.length - steps.length);
  if (missing > 0) problems.push(`${missing} steps of the plan were not taken`);
  if (steps.length === 0) problems.push('nothing was injected at all');
  return judged(
    'faults-happened',
    'every fault of the plan happened, and was taken back',
    problems,
    `${steps.length} faults, each with its proof`,
    steps.flatMap(({ injected }) => (injected === null ? [] : [`${injected.source}: ${injected.saw}`])),
  );
};

export const faultsPossible: Check = ({ plan }) => {
  const title = 'every fault that was asked for by name can be done on this machine';
  if (plan.isNamed && plan.notHere.length > 0)
    return notEvaluated('faults-possible', title, plan.notHere.map(({ fault, why }) => `${fault}: ${why}`).join('; '));
  return judged('faults-possible', title, [], `${plan.steps.length} faults`);
};

/** Never replaced by anything: where they were asked for and did not run, the drill says so. */
export const browsersDrilled: Check = ({ plan }) => {
  if (!plan.withBrowsers) return [];
  const why = 'faults of browsers are not built yet: no browser was started, and nothing took its place';
  return notEvaluated('browsers-drilled', 'real browsers were broken and recovered', why);
};

export const stepsEnded: Check = ({ steps }) =>
  judged(
    'steps-ended',
    'the fleet was whole again, and all its work done, after every fault',
    steps.flatMap((record) =>
      record.injected === null ? [] : record.troubles.map((trouble) => `${nameOf(record)}: ${trouble}`),
    ),
    `${steps.length} steps`,
  );

/** One result a step whose fault the journal has to show. */
export const effectsShown: Check = ({ steps, history }) =>
  steps.flatMap((record): CheckResult[] => {
    const { fault } = record.step;
    if (fault.kind === 'task' || fault.effect.kind === 'none' || fault.effect.kind === 'circuit') return [];
    const id = `effect-${record.step.number}-${fault.id}`;
    const title = `${fault.id} of ${record.step.worker ?? 'the coordinator'} shows in the journal as ${fault.effect.kind}`;
    if (record.injectedAtMs === null || record.injected === null)
      return [notEvaluated(id, title, 'it was not injected')];
    const seen = effectOf(record, history);
    if (seen === null) return [judged(id, title, [`no such event after the fault`], '')];
    const tookMs = seen.atMs - record.injectedAtMs;
    const isLate = tookMs > fault.effect.withinMs;
    const problems = isLate
      ? [`it took ${tookMs} ms instead of at most ${fault.effect.withinMs} ms (seq ${seen.seq})`]
      : [];
    return [judged(id, title, problems, `after ${tookMs} ms`, seqOf(seen))];
  });

/** The event by which the product noticed the fault. */
export function effectOf(record: StepRecord, history: History): At | null {
  const { step, workerId, injectedAtMs, endedAtMs } = record;
  if (step.fault.kind === 'task' || injectedAtMs === null) return null;
  const isThen = ({ atMs }: At): boolean => atMs >= injectedAtMs && atMs <= endedAtMs;
  const own = (history.workers.get(workerId ?? '')?.events ?? []).filter(isThen);
  switch (step.fault.effect.kind) {
    case 'workerLost':
      return own.find(({ event }) => event.kind === 'workerLost') ?? null;
    case 'disconnected':
      return own.find(({ event }) => event.kind === 'workerDisconnected' || event.kind === 'workerLost') ?? null;
    case 'left':
      return own.find(({ event }) => event.kind === 'workerLeft') ?? null;
    case 'quarantined':
      return own.find(({ event }) => event.kind === 'conditionChanged' && event.to.kind === 'quarantined') ?? null;
    case 'coordinatorRestarted':
      return history.starts.find(isThen) ?? null;
    case 'circuit': {
      const scope = step.fault.effect.scope;
      const move = history.moves.find(
        (one) =>
          isThen(one) &&
          one.event.transition.to === 'open' &&
          one.event.scope.kind === scope &&
          (one.event.scope.kind !== 'worker' || one.event.scope.worker === workerId),
      );
      return move ?? null;
    }
    case 'none':
      return null;
  }
}

/** What a worker had in hand when it was presumed lost is lost through the infrastructure, and goes to another worker. */
export const lostWorkMoved: Check = ({ history }) => {
  const problems: string[] = [];
  const evidence: string[] = [];
  for (const story of history.tasks.values())
    for (const one of story.attempts.values()) {
      const lost = one.settled.find(({ event }) => event.verdict === 'lost');
      if (lost === undefined) continue;
      evidence.push(...seqOf(lost));
      if (lost.event.failure?.class !== 'infrastructure')
        problems.push(
          `attempt ${one.attempt} of task ${story.index} is lost through ${lost.event.failure?.class ?? 'nothing'} (seq ${lost.seq})`,
        );
      const next = nextOf(story, one);
      if (
        lost.event.next.kind === 'requeue' &&
        next?.worker === one.worker &&
        wasAlone(history, one.worker, lost.seq, next.assigned.seq) === false
      )
        problems.push(`task ${story.index} went back to the worker that had lost it (seq ${next.assigned.seq})`);
    }
  return judgedWhereAny(
    'lost-work-moved',
    'what a lost worker had in hand is blamed on the infrastructure and runs on another worker',
    problems,
    `${evidence.length} lost attempts`,
    evidence,
  );
};

const nextOf = (story: TaskStory, { attempt }: AttemptStory): AttemptStory | undefined =>
  [...story.attempts.values()].find((later) => later.attempt > attempt && !later.isHedge);

/** Whether no other worker was connected between the two entries, as far as the journal says. */
function wasAlone(history: History, worker: string, fromSeq: number, toSeq: number): boolean {
  return [...history.workers.values()].every((other) => other.worker === worker || !wasThere(other, fromSeq, toSeq));
}

function wasThere({ events }: WorkerStory, fromSeq: number, toSeq: number): boolean {
  let isThere = false;
  for (const { seq, event } of events) {
    if (seq > toSeq) break;
    if (event.kind === 'workerJoined') isThere = true;
    else if (event.kind === 'workerLost' || event.kind === 'workerLeft' || event.kind === 'workerDisconnected')
      isThere = false;
    if (seq >= fromSeq && isThere) return true;
  }
  return isThere;
}

/** What failed of tasks that pass was the fault's doing: in its time, on its worker, and called neither the test's nor the project's. */
export const rightBlame: Check = ({ tasks, steps, history }) => {
  const problems: string[] = [];
  const evidence: string[] = [];
  for (const [index, { expects }] of tasks.entries())
    for (const one of history.tasks.get(index)?.attempts.values() ?? []) {
      const over = one.settled.find(({ event }) => event.failure !== undefined);
      if (over === undefined || expects.verdict !== 'passed') continue;
      const about = `attempt ${one.attempt} of task ${index} (seq ${over.seq})`;
      const { failure } = over.event;
      evidence.push(`${about}: ${failure?.class ?? ''} ${failure?.code ?? ''}`);
      if (failure?.class !== 'infrastructure' && failure?.class !== 'device')
        problems.push(`${about} is blamed on ${failure?.class ?? 'nothing'}: ${failure?.code ?? ''}`);
      if (!steps.some((record) => explains(record, one, over)))
        problems.push(`${about} failed with no fault to explain it: ${failure?.code ?? ''}`);
    }
  return judgedWhereAny(
    'right-blame',
    'what failed because of a fault is blamed on infrastructure or device, where and while the fault was',
    problems,
    `${evidence.length} attempts failed because of a fault`,
    evidence,
  );
};

/** A fault of a worker explains what fails on that worker until the step is over; those of all, everything. */
function explains(
  { step, workerId, injectedAtMs, endedAtMs }: StepRecord,
  { worker }: AttemptStory,
  { atMs }: At,
): boolean {
  if (injectedAtMs === null || atMs < injectedAtMs || atMs > endedAtMs) return false;
  return step.fault.family === 'coordinator' || (workerId !== null && workerId === worker);
}

/** A device that was set aside works again at the end. */
export const devicesBack: Check = ({ history }) => {
  const problems: string[] = [];
  const evidence: string[] = [];
  for (const { name, events } of history.workers.values()) {
    const last = new Map<string, { seq: number; to: string }>();
    for (const { seq, event } of events)
      if (event.kind === 'conditionChanged') last.set(event.device ?? 'worker', { seq, to: event.to.kind });
    for (const [device, { seq, to }] of last) {
      evidence.push(`seq ${seq}`);
      if (to !== 'ready') problems.push(`${device} of ${name} is ${to} at the end (seq ${seq})`);
    }
  }
  return judgedWhereAny(
    'devices-back',
    'what was quarantined works again',
    problems,
    `${evidence.length} devices or workers were set aside and came back`,
    evidence,
  );
};
