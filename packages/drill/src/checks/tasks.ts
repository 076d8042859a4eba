// What has to hold of the drill's tasks: each settled once, with the right verdict and the right class, every case once, nothing
// after the fence, nothing beyond the budgets, nothing acknowledged that the journal does not have.
import { limit } from '@assay/protocol';
import type { TaskStory } from '../history.ts';
import type { DrillTask } from '../world/project.ts';
import { type Check, type Evidence, judged, notEvaluated, seqOf } from './check.ts';

export const settledOnce: Check = ({ tasks, history }) => {
  const problems: string[] = [];
  for (const [index, { target }] of tasks.entries()) {
    const story = history.tasks.get(index);
    if (story === undefined) problems.push(`task ${index} (${target}) is not in the journal`);
    else if (story.settled.length !== 1)
      problems.push(
        `task ${index} (${target}) is settled ${story.settled.length} times (${seqOf(...story.settled).join(', ')})`,
      );
  }
  if (history.tasks.size > tasks.length) problems.push(`the journal has ${history.tasks.size} tasks`);
  if (history.runSettled.length !== 1) problems.push(`the run is settled ${history.runSettled.length} times`);
  return judged(
    'settled-once',
    'every task is settled exactly once, and the run too',
    problems,
    `${tasks.length} tasks`,
    seqOf(...history.runSettled),
  );
};

export const rightVerdicts: Check = ({ tasks, history }) => {
  const problems: string[] = [];
  const shown: string[] = [];
  for (const [index, task] of tasks.entries()) {
    const story = history.tasks.get(index);
    const last = story?.settled.at(-1);
    if (story === undefined || last === undefined) continue;
    const problem = verdictProblem(task, story);
    if (problem !== null) problems.push(`task ${index} (${task.target}): ${problem} (seq ${last.seq})`);
    else if (task.expects.verdict !== 'passed') shown.push(`${task.target}: ${last.event.verdict}, seq ${last.seq}`);
  }
  const title = 'every verdict and failure class is the one that its file has to give';
  return judged('right-verdicts', title, problems, `${tasks.length} tasks`, shown);
};

function verdictProblem({ expects }: DrillTask, story: TaskStory): string | null {
  const verdict = story.settled.at(-1)?.event.verdict;
  if (verdict !== expects.verdict) return `${verdict ?? 'nothing'} instead of ${expects.verdict}`;
  if (expects.class === undefined) return null;
  const failure = decidingAttempt(story)?.settled.at(-1)?.event.failure;
  if (failure?.class !== expects.class) return `class ${failure?.class ?? 'none'} instead of ${expects.class}`;
  if (expects.codes !== undefined && !expects.codes.includes(failure.code))
    return `code ${failure.code} instead of ${expects.codes.join(' or ')}`;
  return null;
}

/** The attempt whose end became the task's. */
export function decidingAttempt(story: TaskStory) {
  return [...story.attempts.values()].find(({ settled }) => settled.some(({ event }) => event.next.kind === 'settle'));
}

export const casesOnce: Check = ({ tasks, history, outside }) => {
  const title = 'every case of a task that passed is recorded exactly once, in the journal and in the results';
  const problems: string[] = [];
  let cases = 0;
  for (const [index, { expects, target }] of tasks.entries()) {
    const story = history.tasks.get(index);
    const deciding = story === undefined ? undefined : decidingAttempt(story);
    if (expects.passedCases === undefined || deciding === undefined) continue;
    const names = deciding.cases.flatMap((report) => report.names);
    cases += names.length;
    if (names.length !== expects.passedCases || new Set(names).size !== names.length)
      problems.push(`task ${index} (${target}): ${names.length} cases instead of ${expects.passedCases}`);
    let from = 0;
    for (const report of deciding.cases) {
      if (report.from !== from)
        problems.push(`task ${index}: a report starts at case ${report.from}, not ${from} (seq ${report.seq})`);
      from += report.names.length;
    }
    const stored = outside.stored?.get(index) ?? [];
    if (outside.stored !== null && stored.toSorted().join('\n') !== names.toSorted().join('\n'))
      problems.push(`task ${index} (${target}): the results have ${stored.length} cases, the journal ${names.length}`);
  }
  if (outside.stored === null) return notEvaluated('cases-once', title, 'the results store was not asked');
  return judged('cases-once', title, problems, `${cases} cases, the same in the journal and in the results`);
};

/** Nothing is accepted of an attempt that is over, nor of one that has a later one, duplicates excepted. */
export const fenceHolds: Check = ({ history }) => {
  const problems: string[] = [];
  let attempts = 0;
  for (const story of history.tasks.values())
    for (const one of story.attempts.values()) {
      attempts += 1;
      const overSeq = Math.min(
        ...[...one.settled, ...one.returned].map(({ seq }) => seq),
        ...[...story.attempts.values()]
          .filter((later) => later.attempt > one.attempt && !later.isHedge && !one.isHedge)
          .map(({ assigned }) => assigned.seq),
      );
      if (one.settled.length > 1)
        problems.push(`attempt ${one.attempt} of task ${story.index} is over ${one.settled.length} times`);
      for (const { seq } of [...one.started, ...one.cases, ...one.settled])
        if (seq > overSeq)
          problems.push(
            `attempt ${one.attempt} of task ${story.index} is heard of at seq ${seq}, after seq ${overSeq}`,
          );
    }
  return judged('fence-holds', 'no attempt outlives its fence', problems, `${attempts} attempts`);
};

export const budgetsRespected: Check = ({ history }) => {
  const problems: string[] = [];
  let spent = 0;
  const most = limit('infrastructureRetriesMax');
  for (const { index, attempts } of history.tasks.values()) {
    const retries = [...attempts.values()].flatMap(({ settled }) =>
      settled.flatMap(({ event }) => (event.next.kind === 'requeue' ? [event.next.spends] : [])),
    );
    spent += retries.length;
    if (retries.includes('userRetry')) problems.push(`task ${index} was repeated for its user, who did not ask for it`);
    if (retries.filter((of) => of === 'infrastructureRetry').length > most)
      problems.push(`task ${index} was repeated more than ${most} times for the infrastructure`);
  }
  return judged('budgets-respected', 'no task is repeated beyond its budgets', problems, `${spent} repetitions`);
};

/** Between the clocks of two processes; a coordinator takes longer than this to start again after it was killed. */
const clockSlackMs = 300;

/** What a coordinator acknowledged on a link was in its journal by then: the worker has forgotten it. */
export const acknowledgedIsDurable: Check = (evidence) => {
  const problems: string[] = [];
  let acks = 0;
  for (const [worker, seen] of evidence.outside.acks) {
    const accepted = acceptedBy(evidence, worker);
    for (const { seq, atMs } of seen) {
      acks += 1;
      if (!accepted.some((one) => one.report >= seq && one.atMs <= atMs + clockSlackMs))
        problems.push(
          `report ${seq} of ${evidence.history.workers.get(worker)?.name ?? worker} was acknowledged and is not in the journal by then`,
        );
    }
  }
  const title = 'no accepted result is lost: what was acknowledged on a link is in the journal';
  if (acks === 0) return notEvaluated('acknowledged-is-durable', title, 'no acknowledgement was seen on any link');
  return judged('acknowledged-is-durable', title, problems, `${acks} acknowledgements read on the links`);
};

function acceptedBy({ history }: Evidence, worker: string): { report: number; atMs: number }[] {
  const events = history.workers.get(worker)?.events ?? [];
  return events.flatMap(({ event, atMs }) => {
    if (event.kind === 'reportsAccepted') return [{ report: event.seq, atMs }];
    // Coming back, a worker is told what the journal has of it.
    return event.kind === 'workerJoined' ? [{ report: event.ackedSeq, atMs }] : [];
  });
}
